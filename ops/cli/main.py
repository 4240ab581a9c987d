"""The `realtoros` command. A command imports what it needs when it runs, so that help is quick."""
# ruff: noqa: PLC0415

import asyncio
import importlib
import os
import sys
from collections.abc import Coroutine
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from chassis.start.exit_codes import StartError, end
from contracts.services import SERVICES, Service
from ops.cli import running
from ops.cli.agents import agents
from ops.cli.events import events
from ops.cli.quarantine import quarantine
from ops.cli.replay import replay, republish
from ops.errors import OperatorError, explain

app = typer.Typer(
    help="Follows up with a realtor's clients by email.",
    epilog="Settings are environment variables: docs/settings.md describes them all.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
topics = typer.Typer(
    help="Topics in Kafka. Settings: KAFKA_BOOTSTRAP_SERVERS, KAFKA_TOPIC_PREFIX.",
    no_args_is_help=True,
)
indexes = typer.Typer(
    help="Indexes in MongoDB. Settings: MONGODB_URI, MONGODB_DATABASE_PREFIX.",
    no_args_is_help=True,
)
app.add_typer(topics, name="topics")
app.add_typer(quarantine, name="quarantine")
app.add_typer(indexes, name="indexes")
app.add_typer(events, name="events")
app.add_typer(agents, name="agents")

_INTERRUPTED = 130


def main() -> None:
    """Run the command line. What an operator can mend is one line on stderr, and the exit code."""
    try:
        app()
    except OperatorError as error:
        sys.exit(f"realtoros: {error}")
    except StartError as error:
        end(error)
    except OSError as error:
        sys.exit(f"realtoros: {explain(error)}")


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"realtoros {metadata.version('realtoros')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    pass


@app.command()
def up() -> None:
    """Run everything on this machine until Ctrl-C, with its data in ./.realtoros/up.

    MongoDB and Kafka are embedded unless MONGODB_URI and KAFKA_BOOTSTRAP_SERVERS are set; that is
    for trying RealtorOS out, not for production. Settings of the services are passed on to them,
    such as GATEWAY_PORT, PUBLIC_URL, OPENAI_API_KEY, SENDGRID_API_KEY, SMTP_URL, ADMIN_EMAIL,
    METRICS_PORT; AGENT_NAME and AGENT_EMAIL are the first admin's.
    """
    from ops.local import discovery
    from ops.local.supervisor import run_up

    _supervise(run_up(discovery.folder_of("up"), os.environ, typer.echo), stopped=0)


@app.command()
def demo(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE.csv", help="A CSV of leads.", show_default="25 samples"),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="End when all are sent; exit code 1 if any is not.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete the data of an earlier demo first.")
    ] = False,
) -> None:
    """Import leads and watch a month of follow-ups go out in a minute.

    Settings are those of `up`; FOLLOWUP_DAY_SECONDS is the length of a day of the plan, here 2.
    """
    from rich.console import Console

    from ops.demo import demo
    from ops.local import discovery

    work = demo.demo(
        file or demo.SAMPLE,
        discovery.folder_of("demo"),
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
    """Run one service in the foreground.

    Its settings are KAFKA_BOOTSTRAP_SERVERS, MONGODB_URI, and those that docs/settings.md lists
    for it; a setting that is missing or wrong is named.
    """
    from ops.local.supervised_process import end_with_supervisor

    end_with_supervisor()
    try:
        module = importlib.import_module(f"services.{service}.main")
    except ModuleNotFoundError as error:
        raise OperatorError(
            f"{service} cannot run here: {error.name} is not installed;"
            f" install realtoros[{service}]"
        ) from error
    module.main()


for command in (running.status, running.doctor, running.retry, replay, republish):
    app.command()(command)
app.command(name="import")(running.import_)


@topics.command("apply")
def topics_apply() -> None:
    """Create the missing topics on KAFKA_BOOTSTRAP_SERVERS."""
    from ops.local import discovery
    from ops.servers import stores

    changed = asyncio.run(
        stores.apply_topics(discovery.resolve_kafka(os.environ), stores.topic_prefix(os.environ))
    )
    typer.echo("\n".join(changed) or "All topics are up to date.")


@topics.command("acls")
def topics_acls() -> None:
    """Print the ACLs that the services need, a line of arguments for kafka-acls.sh each."""
    from ops.servers import stores
    from ops.topics.acls import acls

    typer.echo("\n".join(acl.arguments for acl in acls(stores.topic_prefix(os.environ))))


@indexes.command("apply")
def indexes_apply() -> None:
    """Create the missing indexes in MongoDB, and renew keys that 0.1.0 has stored."""
    from ops.local import discovery
    from ops.servers import stores

    uri = discovery.resolve_mongodb(os.environ)
    for database in asyncio.run(stores.apply_indexes(uri)):
        typer.echo(f"{database}: indexes up to date")


def _supervise(work: Coroutine[Any, Any, int], *, stopped: int) -> NoReturn:
    """Run until the end or a signal; `stopped` is the exit code for a signal."""
    from ops.servers.embedded import Unavailable
    from ops.servers.server_process import InUse, NotStarted
    from ops.signals import until_signalled

    try:
        code = asyncio.run(until_signalled(work, typer.echo))
    except (Unavailable, InUse, NotStarted) as error:
        raise OperatorError(str(error)) from error
    raise typer.Exit(stopped if code is None else code)
