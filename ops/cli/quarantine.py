"""`realtoros quarantine`: records that could not be handled."""
# ruff: noqa: PLC0415, T201

import asyncio
import os
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.services import SERVICES, Service
from ops.errors import OperatorError

if TYPE_CHECKING:
    from ops.topics.quarantine import QuarantineAdmin

quarantine = typer.Typer(
    help="Records that could not be handled."
    " Settings: KAFKA_BOOTSTRAP_SERVERS, KAFKA_TOPIC_PREFIX.",
    no_args_is_help=True,
)

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME …]", help="Names, as `list` shows them.")
]


@quarantine.command(name="list")
def list_(
    service: Annotated[Service | None, typer.Argument(metavar="[SERVICE]")] = None,
) -> None:
    """List the records: name, time of quarantine, type and reason."""
    records = asyncio.run(_admin().records((service,) if service else SERVICES))
    for record in records:
        print(f"{record.name}  {record.at}  {record.type}  {record.reason}")
    if not records:
        print("Nothing is in quarantine.")


@quarantine.command()
def show(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Show one record in full. It may hold personal data."""
    from ops.topics.quarantine import describe

    [record] = asyncio.run(_admin().records_named([name]))
    print("\n".join(describe(record)))


@quarantine.command()
def retry(
    names: Names = None,
    every: Annotated[bool, typer.Option("--all", help="All records.")] = False,
) -> None:
    """Send records back, in order, to the services that could not handle them."""

    async def retry_all() -> int:
        admin = _admin()
        records = await (admin.records() if every else admin.records_named(_required(names)))
        await admin.retry(records)
        return len(records)

    print(f"{asyncio.run(retry_all())} sent back to be retried; any that fail are listed again.")


@quarantine.command()
def drop(names: Names = None) -> None:
    """Drop records: they will never be handled."""

    async def drop_all() -> int:
        admin = _admin()
        records = await admin.records_named(_required(names))
        await admin.drop(records)
        return len(records)

    print(f"{asyncio.run(drop_all())} dropped.")


def _required(names: list[str] | None) -> list[str]:
    if not names:
        raise OperatorError(
            "no records named: pass names as `realtoros quarantine list` shows them"
        )
    return names


def _admin() -> "QuarantineAdmin":
    from ops.local import discovery
    from ops.servers import stores
    from ops.topics.quarantine import QuarantineAdmin

    return QuarantineAdmin(discovery.resolve_kafka(os.environ), stores.topic_prefix(os.environ))
