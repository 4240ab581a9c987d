"""Metrics and their ASGI app; failures that need a person; refusals, counted."""

import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, Counter, generate_latest

from chassis.observability.series import at_zero

FAILURES = Counter("realtoros_failures_total", "Failures that need a person.", ["problem"])
REFUSALS = Counter("realtoros_refusals_total", "What was refused without a log line.", ["reason"])
LOG_SECONDS = 60

# By any caller of any service's ports.
at_zero(
    REFUSALS,
    (
        "connections",
        "connections_of_address",
        "head_too_large",
        "not_http",
        "pipelined",
        "silent_connection",
        "slow_body",
        "slow_head",
        "slow_reader",
        "too_many_fields",
    ),
)
at_zero(FAILURES, ("fork",))

log = structlog.get_logger(__name__)

# By reason: when it was logged last, and how often it was refused since.
_logged: dict[str, tuple[float, int]] = {}


async def metrics_app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """Serve the process's metrics to Prometheus at /metrics (ASGI)."""
    found = scope["path"] == "/metrics"
    content, body = (CONTENT_TYPE_LATEST, generate_latest()) if found else ("text/plain", b"")
    headers = [(b"content-type", content.encode())]
    status = 200 if found else 404
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def report_failure(problem: str, **facts: Any) -> None:
    """Log and count it; `facts` are without personal data."""
    FAILURES.labels(problem).inc()
    log.error(problem, **facts)


def count_refusal(reason: str) -> None:
    """Count what anyone may cause any number of times; log it once a minute, with its number."""
    REFUSALS.labels(reason).inc()
    now = time.monotonic()
    logged_at, since = _logged.get(reason, (-LOG_SECONDS, 0))
    if now < logged_at + LOG_SECONDS:
        _logged[reason] = (logged_at, since + 1)
        return
    _logged[reason] = (now, 0)
    log.warning("refused", reason=reason, count=since + 1)
