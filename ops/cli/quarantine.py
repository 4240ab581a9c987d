"""`realtoros quarantine`: records that could not be handled."""
# ruff: noqa: PLC0415, T201

import asyncio
import os
from typing import TYPE_CHECKING, Annotated

import typer

from ops.errors import OperatorError
from ops.services import SERVICES, Service

if TYPE_CHECKING:
    from ops.topics.quarantine import Quarantines

quarantine = typer.Typer(help="Records that could not be handled.", no_args_is_help=True)

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME …]", help="As `list` names them.")
]


@quarantine.command(name="list")
def list_(
    service: Annotated[Service | None, typer.Argument(metavar="[SERVICE]")] = None,
) -> None:
    """List what waits: its name, since when, what it says it is, and why it is here."""
    kept = asyncio.run(_quarantines().kept((service,) if service else SERVICES))
    for one in kept:
        print(f"{one.name}  {one.at}  {one.type}  {one.reason}")
    if not kept:
        print("Nothing is in quarantine.")


@quarantine.command()
def show(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Show one record whole. It may hold personal data."""
    from ops.topics.quarantine import described

    [kept] = asyncio.run(_quarantines().named([name]))
    print("\n".join(described(kept)))


@quarantine.command()
def retry(
    names: Names = None,
    every: Annotated[bool, typer.Option("--all", help="All that waits.")] = False,
) -> None:
    """Give records back to the services that could not handle them, in their order."""

    async def given_back() -> int:
        quarantines = _quarantines()
        kept = await (quarantines.kept() if every else quarantines.named(_some(names)))
        await quarantines.retry(kept)
        return len(kept)

    print(f"{asyncio.run(given_back())} given back; what fails again is listed again.")


@quarantine.command()
def drop(names: Names = None) -> None:
    """Drop records: they will never be handled."""

    async def dropped() -> int:
        quarantines = _quarantines()
        kept = await quarantines.named(_some(names))
        await quarantines.drop(kept)
        return len(kept)

    print(f"{asyncio.run(dropped())} dropped.")


def _some(names: list[str] | None) -> list[str]:
    if not names:
        raise OperatorError("which records? Name them as `realtoros quarantine list` does")
    return names


def _quarantines() -> "Quarantines":
    from ops.local import discovery
    from ops.servers import stores
    from ops.topics.quarantine import Quarantines

    return Quarantines(discovery.find_kafka(os.environ), stores.topic_prefix(os.environ))
