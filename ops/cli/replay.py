"""`realtoros replay` and `realtoros republish`."""
# ruff: noqa: PLC0415, T201

import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.services import SERVICES, Service
from ops.errors import OperatorError

if TYPE_CHECKING:
    from ops.topics.rebuild import Rebuild

Name = Annotated[Service, typer.Argument(metavar="SERVICE", help=f"One of {', '.join(SERVICES)}.")]


def replay(
    service: Name,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare with the live data; exit code 1 if different.")
    ] = False,
    swap: Annotated[bool, typer.Option("--swap", help="Replace the live data.")] = False,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only events up to then: RFC 3339, or 2h ago."),
    ] = None,
) -> None:
    """Rebuild log, states and views of a service from the topics, next to the live ones.

    Settings: KAFKA_BOOTSTRAP_SERVERS, KAFKA_TOPIC_PREFIX, MONGODB_URI, MONGODB_DATABASE_PREFIX.
    """
    from ops.progress_bar import progress_bar
    from ops.topics.rebuild import report, run
    from ops.topics.tail import parse_time

    if (until and (verify or swap)) or (verify and swap):
        raise OperatorError("--verify, --swap and --until exclude each other: pass one of them")
    rebuild = _rebuild(service)
    with progress_bar(f"replaying {service}") as show:
        if verify:
            found = run(rebuild.verify(show))
        elif swap:
            run(rebuild.swap(show))
        else:
            time = parse_time(until, datetime.now(UTC)) if until else None
            lines = run(rebuild.replay(time, show))
    if verify:
        for line in report(found):
            print(line)
        raise typer.Exit(any(one.live != one.replayed for one in found))
    print("swapped in" if swap else "\n".join(lines))


def republish(service: Name) -> None:
    """Compare a service's topics with its log, and publish again what they lack.

    Settings: KAFKA_BOOTSTRAP_SERVERS, KAFKA_TOPIC_PREFIX, MONGODB_URI, MONGODB_DATABASE_PREFIX.
    """
    from ops.progress_bar import progress_bar

    with progress_bar(f"reading what {service} published") as show:
        count = asyncio.run(_rebuild(service).republish(show))
    print(f"{count} commits published again")


def _rebuild(service: Service) -> "Rebuild":
    import structlog

    from ops.local import discovery
    from ops.servers import stores
    from ops.topics.rebuild import Rebuild

    # Logs of the chassis go to stderr, next to the result; tracebacks without values, which may be
    # personal. While a progress bar is shown, `sys.stderr` is the bar's.
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    return Rebuild(
        service,
        discovery.resolve_kafka(os.environ),
        stores.topic_prefix(os.environ),
        discovery.resolve_mongodb(os.environ),
    )
