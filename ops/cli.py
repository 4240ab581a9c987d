"""The `realtoros` command. What a command needs is imported when it runs, so that help is quick."""
# ruff: noqa: PLC0415, T201

import asyncio
import importlib
import os
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ops.errors import OperatorError
from ops.events_cli import events
from ops.services import SERVICES, Service

if TYPE_CHECKING:
    from ops.quarantine import Quarantines
    from ops.replaying import Rebuilding

app = typer.Typer(
    help="Follows up with a realtor's clients by email.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
topics = typer.Typer(help="Kafka's topics.", no_args_is_help=True)
indexes = typer.Typer(help="MongoDB's indexes.", no_args_is_help=True)
quarantine = typer.Typer(help="Records that could not be handled.", no_args_is_help=True)
app.add_typer(topics, name="topics")
app.add_typer(quarantine, name="quarantine")
app.add_typer(indexes, name="indexes")
app.add_typer(events, name="events")

Leads = Annotated[Path, typer.Argument(metavar="FILE.csv", help="A CSV of leads.")]
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME …]", help="As `list` names them.")
]
Rebuilt = Annotated[
    Service, typer.Argument(metavar="SERVICE", help=f"One of {', '.join(SERVICES)}.")
]
Url = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Where the API is.", show_default="what runs in this folder"),
]
_INTERRUPTED = 130


def main() -> None:
    """Run the command line. An operator's mistake is one line on stderr and exit code 1."""
    try:
        app()
    except OperatorError as error:
        sys.exit(f"realtoros: {error}")


@app.command()
def up() -> None:
    """Run everything on this machine until Ctrl-C, with its data in ./.realtoros/up."""
    from ops import whereabouts
    from ops.supervisor import run_up

    _supervise(run_up(whereabouts.folder_of("up"), os.environ, _say), stopped=0)


@app.command()
def demo(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE.csv", help="A CSV of leads.", show_default="25 samples"),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="End when all are sent; exit code 1 if one is not.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete what an earlier demo left, then begin.")
    ] = False,
) -> None:
    """Import leads and watch a month of follow-ups go out in a minute."""
    from rich.console import Console

    from ops import demo, whereabouts

    work = demo.demo(
        file or demo.SAMPLE,
        whereabouts.folder_of("demo"),
        os.environ,
        once=once,
        fresh=fresh,
        console=Console(),
    )
    _supervise(work, stopped=_INTERRUPTED if once else 0)


@app.command()
def run(
    service: Annotated[
        Service, typer.Argument(metavar="SERVICE", help=f"One of {', '.join(SERVICES)}.")
    ],
) -> None:
    """Run one service in the foreground, as its environment says."""
    from ops.child import end_with_supervisor

    end_with_supervisor()
    try:
        module = importlib.import_module(f"services.{service}.main")
    except ModuleNotFoundError as error:
        raise OperatorError(
            f"{service} cannot run here, since {error.name} is not installed:"
            f" install realtoros[{service}]"
        ) from error
    module.main()


@app.command()
def status(url: Url = None) -> None:
    """Say whether the API is ready, and count follow-ups and emails by status."""
    from ops import status, whereabouts

    found = url or whereabouts.find_url(os.environ)
    raise typer.Exit(asyncio.run(status.status(found, _say)))


@app.command(name="import")
def import_(file: Leads, url: Url = None) -> None:
    """Import leads into the running system; exit code 1 if a line is no good."""
    from ops import importing, whereabouts

    found = url or whereabouts.find_url(os.environ)
    raise typer.Exit(asyncio.run(importing.import_file(file, found, _say)))


@topics.command("apply")
def topics_apply() -> None:
    """Create the topics that are missing on KAFKA_BOOTSTRAP_SERVERS."""
    from ops import stores

    bootstrap = stores.address_in(os.environ, "KAFKA_BOOTSTRAP_SERVERS")
    changed = asyncio.run(stores.apply_topics(bootstrap, stores.topic_prefix(os.environ)))
    _say("\n".join(changed) or "All topics are as they should be.")


@indexes.command("apply")
def indexes_apply() -> None:
    """Create the indexes that are missing in MONGODB_URI."""
    from ops import stores

    uri = stores.address_in(os.environ, "MONGODB_URI")
    for database in asyncio.run(stores.apply_indexes(uri)):
        _say(f"{database}: its indexes are as they should be.")


@app.command()
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
    from ops.bar import bar
    from ops.events import moment
    from ops.replaying import report, run

    if (until and (verify or swap)) or (verify and swap):
        raise OperatorError("give one of --verify, --swap and --until")
    rebuilding = _rebuilding(service)
    with bar(f"replaying {service}") as show:
        if verify:
            found = run(rebuilding.verify(show))
        elif swap:
            run(rebuilding.swap(show))
        else:
            time = moment(until, datetime.now(UTC)) if until else None
            lines = run(rebuilding.replay(time, show))
    if verify:
        for line in report(found):
            _say(line)
        raise typer.Exit(any(one.live != one.fresh for one in found))
    _say("swapped in" if swap else "\n".join(lines))


@app.command()
def republish(service: Rebuilt) -> None:
    """Compare a service's topics with its log, and publish again what they have lost."""
    from ops.bar import bar

    with bar(f"reading what {service} published") as show:
        count = asyncio.run(_rebuilding(service).republish(show))
    _say(f"{count} commits published again")


@quarantine.command("list")
def quarantine_list(
    service: Annotated[Service | None, typer.Argument(metavar="[SERVICE]")] = None,
) -> None:
    """List what waits: its name, since when, what it says it is, and why it is here."""
    kept = asyncio.run(_quarantines().kept((service,) if service else SERVICES))
    for one in kept:
        _say(f"{one.name}  {one.at}  {one.type}  {one.reason}")
    if not kept:
        _say("Nothing is in quarantine.")


@quarantine.command("show")
def quarantine_show(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Show one record whole. It may hold personal data."""
    [kept] = asyncio.run(_quarantines().named([name]))
    _say("\n".join(kept.described()))


@quarantine.command("retry")
def quarantine_retry(
    names: Names = None,
    every: Annotated[bool, typer.Option("--all", help="All that waits.")] = False,
) -> None:
    """Give records back to the services that could not handle them, in their order."""

    async def retry() -> int:
        quarantines = _quarantines()
        kept = await (quarantines.kept() if every else quarantines.named(_some(names)))
        await quarantines.retry(kept)
        return len(kept)

    _say(f"{asyncio.run(retry())} given back; what fails again is listed again.")


@quarantine.command("drop")
def quarantine_drop(names: Names = None) -> None:
    """Drop records: they will never be handled."""

    async def drop() -> int:
        quarantines = _quarantines()
        kept = await quarantines.named(_some(names))
        await quarantines.drop(kept)
        return len(kept)

    _say(f"{asyncio.run(drop())} dropped.")


def _some(names: list[str] | None) -> list[str]:
    if not names:
        raise OperatorError("which records? Name them as `realtoros quarantine list` does")
    return names


def _quarantines() -> "Quarantines":
    from ops import stores, whereabouts
    from ops.quarantine import Quarantines

    return Quarantines(whereabouts.find_kafka(os.environ), stores.topic_prefix(os.environ))


def _rebuilding(service: Service) -> "Rebuilding":
    import structlog

    from ops import stores, whereabouts
    from ops.replaying import Rebuilding

    # What the chassis has to say is beside the answer; a traceback without its values, which may
    # be personal.
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    return Rebuilding(
        service,
        whereabouts.find_kafka(os.environ),
        stores.topic_prefix(os.environ),
        whereabouts.find_mongodb(os.environ),
    )


def _supervise(work: Coroutine[Any, Any, int], *, stopped: int) -> NoReturn:
    """Run it until it ends or a signal comes; `stopped` is the exit code for the latter."""
    from ops.embedded import Unavailable
    from ops.server_process import InUse, NotStarted
    from ops.signals import until_signalled

    try:
        code = asyncio.run(until_signalled(work, _say))
    except (Unavailable, InUse, NotStarted) as error:
        raise OperatorError(str(error)) from error
    raise typer.Exit(stopped if code is None else code)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
