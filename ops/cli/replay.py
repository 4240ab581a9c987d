"""`realtoros replay` and `realtoros republish`."""
# ruff: noqa: PLC0415, T201

import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ops.errors import OperatorError
from ops.services import SERVICES, Service

if TYPE_CHECKING:
    from ops.topics.rebuild import Rebuilding

Rebuilt = Annotated[
    Service, typer.Argument(metavar="SERVICE", help=f"One of {', '.join(SERVICES)}.")
]


def replay(
    service: Rebuilt,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare with what is live; exit code 1 if different.")
    ] = False,
    swap: Annotated[
        bool, typer.Option("--swap", help="Put it in the place of what is live.")
    ] = False,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only what was told up to then: 2026-01-31T09:30Z, 2h."),
    ] = None,
) -> None:
    """Build log, states and views of a service anew from the topics, beside the live ones."""
    from ops.progress_bar import progress_bar
    from ops.topics.rebuild import report, run
    from ops.topics.tail import moment

    if (until and (verify or swap)) or (verify and swap):
        raise OperatorError("give one of --verify, --swap and --until")
    rebuilding = _rebuilding(service)
    with progress_bar(f"replaying {service}") as show:
        if verify:
            found = run(rebuilding.verify(show))
        elif swap:
            run(rebuilding.swap(show))
        else:
            time = moment(until, datetime.now(UTC)) if until else None
            lines = run(rebuilding.replay(time, show))
    if verify:
        for line in report(found):
            print(line)
        raise typer.Exit(any(one.live != one.fresh for one in found))
    print("swapped in" if swap else "\n".join(lines))


def republish(service: Rebuilt) -> None:
    """Compare a service's topics with its log, and publish again what they have lost."""
    from ops.progress_bar import progress_bar

    with progress_bar(f"reading what {service} published") as show:
        count = asyncio.run(_rebuilding(service).republish(show))
    print(f"{count} commits published again")


def _rebuilding(service: Service) -> "Rebuilding":
    import structlog

    from ops.local import discovery
    from ops.servers import stores
    from ops.topics.rebuild import Rebuilding

    # What the chassis has to say is beside the answer; a traceback without its values, which may
    # be personal. A progress bar that is being shown has its own stderr then.
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    return Rebuilding(
        service,
        discovery.find_kafka(os.environ),
        stores.topic_prefix(os.environ),
        discovery.find_mongodb(os.environ),
    )
