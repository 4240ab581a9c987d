"""Whether MongoDB is as a process needs it; what is not ends the start with one line."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import pymongo
from beanie import Document
from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError

from chassis.mongo.client import Database, connect
from chassis.start.exit_codes import ExitCode, StartError

SELECT_SECONDS = 2
DIRECT_SECONDS = 1
# So many missing indexes are named.
NAMED = 3
# AuthenticationFailed, Unauthorized.
_REFUSALS = {18, 13}


async def check_server(uri: str, database: Database) -> None:
    """Raise StartError unless it is a replica set that lets this user in."""
    with mongodb_start_errors(address_of(database)):
        try:
            with pymongo.timeout(SELECT_SECONDS):
                hello: dict[str, Any] | None = await database.command("hello")
        except ServerSelectionTimeoutError as error:
            hello = await _asked_directly(uri)
            if hello is None or "setName" in hello:
                raise _unreachable(address_of(database), error) from error
    if not hello or "setName" not in hello:
        raise StartError(
            ExitCode.MISSING,
            f"MONGODB_URI: {address_of(database)}: is no replica set;"
            " start mongod with --replSet and run rs.initiate()",
        )


async def check_indexes(database: Database, documents: Sequence[type[Document]]) -> None:
    """Raise StartError when an index of the bound documents is missing."""
    with mongodb_start_errors(address_of(database)):
        missing = await asyncio.gather(*(_missing(database, each) for each in documents))
    if names := [name for found in missing for name in found]:
        some = ", ".join(names[:NAMED]) + " …" * (len(names) > NAMED)
        raise StartError(
            ExitCode.MISSING,
            f"MONGODB_DATABASE_PREFIX: {address_of(database)}: {database.name} has no index {some};"
            " run `realtoros indexes apply`",
        )


@contextlib.contextmanager
def mongodb_start_errors(address: str) -> Iterator[None]:
    """Raise as a StartError that the MongoDB at this address refuses or does not answer."""
    try:
        yield
    except OperationFailure as error:
        if error.code not in _REFUSALS:
            raise
        raise StartError(
            ExitCode.REFUSED,
            f"MONGODB_URI: {address}: user or password refused, or a right is missing"
            f" ({cause_of(error)}); check both, and authSource",
        ) from error
    except PyMongoError as error:
        raise _unreachable(address, error) from error


def address_of(database: Database) -> str:
    """Return the hosts, without user and password."""
    seeds = database.client._topology_settings.seeds  # noqa: SLF001 - asks no server
    return ",".join(sorted(f"{host}:{port}" for host, port in seeds))


async def _missing(database: Database, document: type[Document]) -> list[str]:
    settings: Any = document.get_settings()
    existing = await database[settings.name].index_information()
    return [f"{settings.name}.{i.name}" for i in settings.indexes if i.name not in existing]


async def _asked_directly(uri: str) -> dict[str, Any] | None:
    """Return what the first server says of itself; None when it does not answer."""
    try:
        async with connect(uri, directConnection=True, replicaSet=None) as client:
            with pymongo.timeout(DIRECT_SECONDS):
                return dict(await client.admin.command("hello"))
    except PyMongoError:
        return None


def cause_of(error: PyMongoError) -> str:
    """Return the beginning of the message, without the driver's state."""
    line = " ".join(str(error).split())
    for begin in (" (configured", ", Timeout", ", full error"):
        line = line.partition(begin)[0]
    return line


def _unreachable(address: str, error: PyMongoError) -> StartError:
    line = f"MONGODB_URI: {address}: {cause_of(error)}; check address and TLS, start MongoDB"
    return StartError(ExitCode.UNREACHABLE, line)
