"""JSON lines on standard output: one fact per line, with ids, never with personal data."""

import logging
import sys

import structlog
from structlog.tracebacks import ExceptionDictTransformer


def configure_logging(service: str, level: str) -> None:
    """Send structlog's and the libraries' records as JSON to standard output."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Without the variables of each frame: they hold what people wrote.
                structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    structlog.contextvars.bind_contextvars(service=service)
    # At INFO these log every request or heartbeat, URLs included.
    for chatty in ("aiohttp", "aiokafka", "faststream", "httpx2", "uvicorn", "pymongo"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It logs every rebalance as an error; readiness reports those that do not end.
    logging.getLogger("aiokafka.consumer.group_coordinator").setLevel(logging.CRITICAL)
