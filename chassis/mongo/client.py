"""MongoDB: one client per process; documents are declared in Beanie, batches use pymongo."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar
from uuid import UUID

import pymongo
from beanie import Document, init_beanie
from pydantic import ConfigDict
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern

from contracts.services import DATABASE_PREFIX

Raw = dict[str, Any]
Database = AsyncDatabase[Raw]
R = TypeVar("R")

DUPLICATE_KEY = 11000
REFUSED_BY_VALIDATOR = 121
NAMESPACE_EXISTS = 48
TRANSACTION_SECONDS = 5
# Shorter than the timeout of a health check.
PING_SECONDS = 1.5


class UuidDocument(Document):
    """Base of documents with a UUID as their id."""

    model_config = ConfigDict(hide_input_in_errors=True)

    id: UUID  # type: ignore[assignment]


def database_name(service: str, prefix: str = DATABASE_PREFIX) -> str:
    """Return the name of a service's database."""
    return prefix + service


def connect(uri: str, **options: Any) -> AsyncMongoClient[Raw]:
    """Make the process's client: aware times, standard UUIDs, majority writes with journal.

    Connects at first use. Server selection and sockets time out, so that no call waits forever.
    """
    return AsyncMongoClient(
        uri,
        tz_aware=True,
        uuidRepresentation="standard",
        w="majority",
        journal=True,
        serverSelectionTimeoutMS=5_000,
        connectTimeoutMS=5_000,
        socketTimeoutMS=20_000,
        appname="realtoros",
        **options,
    )


async def run_to_completion(calls: Coroutine[Any, Any, R]) -> R:
    """Make calls that run to their end even when the caller is cancelled.

    A call that is cancelled while it waits for a server may keep the client's lock, and every
    later call of the process hangs (asyncio.wait_for of Python 3.11 leaves a condition's waiter
    behind when its timeout and a cancellation meet).
    """
    task = asyncio.create_task(calls)
    # Retrieves the exception when the caller is gone.
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return await asyncio.shield(task)


async def ping(database: Database) -> None:
    """Ping the server. Raises PyMongoError within PING_SECONDS."""

    async def command() -> None:
        with pymongo.timeout(PING_SECONDS):
            await database.command("ping")

    await run_to_completion(command())


async def declare(database: Database, documents: Sequence[type[Document]]) -> None:
    """Bind the Beanie documents to the database, leaving its indexes as they are."""
    await init_beanie(database=database, document_models=list(documents), skip_indexes=True)


async def apply_indexes(uri: str, database: str, documents: Sequence[type[Document]]) -> None:
    """Create the collections and indexes that are missing; a job, run before services start.

    Collections, too: one that a first write creates disturbs a snapshot read at that moment.
    """
    async with connect(uri) as client:
        for document in documents:
            settings: Any = document.Settings
            try:
                await client[database].command("create", settings.name)
            except OperationFailure as error:
                if error.code != NAMESPACE_EXISTS:
                    raise
        await init_beanie(database=client[database], document_models=list(documents))


async def in_transaction(
    database: Database, work: Callable[[AsyncClientSession], Awaitable[R]]
) -> R:
    """Run `work` in one snapshot transaction; the driver retries write conflicts.

    Raises PyMongoError after five seconds at most: the transaction of a process that was killed
    keeps its locks until the server's transactionLifetimeLimitSeconds, and readiness has to fail.
    """
    async with database.client.start_session() as session:
        with pymongo.timeout(TRANSACTION_SECONDS):
            return await session.with_transaction(
                work,
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", j=True),
            )


def duplicate_index(error: Exception) -> str | None:
    """Return the name of the unique index that refused a write; None for any other error."""
    message = str(error)
    if isinstance(error, BulkWriteError):
        first = _first_write_error(error)
        if first.get("code") != DUPLICATE_KEY:
            return None
        message = first.get("errmsg", "")
    elif not isinstance(error, DuplicateKeyError):
        return None
    return message.partition("index: ")[2].partition(" ")[0]


def is_transient(error: BaseException) -> bool:
    """Return whether the store is away or busy, so that a retry may succeed."""
    if isinstance(error, ConnectionFailure):
        return True
    if (
        isinstance(error, BulkWriteError)
        and _first_write_error(error).get("code") == REFUSED_BY_VALIDATOR
    ):
        # A replay is being swapped in, and holds off all writers.
        return True
    return isinstance(error, PyMongoError) and (
        error.timeout
        or error.has_error_label("TransientTransactionError")
        or error.has_error_label("RetryableWriteError")
        or error.has_error_label("UnknownTransactionCommitResult")
    )


def _first_write_error(error: BulkWriteError) -> Raw:
    found: list[Raw] = (error.details or {}).get("writeErrors") or [{}]
    return found[0]
