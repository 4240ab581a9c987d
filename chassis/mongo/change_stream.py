"""What is inserted into a collection, as the server tells it to every process: a change stream."""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from pymongo.asynchronous.change_stream import AsyncDatabaseChangeStream
from pymongo.errors import OperationFailure

from chassis.mongo.client import Database, Raw, is_transient

# How long one look waits at the server for something new. It is never cancelled (see
# mongo.run_to_completion), so whoever wants to stop has to wait as long.
WAIT_MS = 250
# A resume token: hex, which compares as what it tells of follows each other.
_TOKEN = re.compile(r"[0-9A-F]{1,2000}")


def is_token(text: str) -> bool:
    """Tell whether the text looks like a place among insertions."""
    return bool(_TOKEN.fullmatch(text))


class ResumeTokenLost(Exception):
    """What came after a token is not known any more, or the token is none."""


@dataclass(frozen=True, slots=True)
class Inserted:
    """A document, and the place of its insertion among all: a token that can be gone on from."""

    token: str
    document: Raw


@dataclass(frozen=True, slots=True)
class Replaced:
    """Another collection was renamed into the place: what it brings along is not told of."""

    token: str


class InsertStream:
    """The insertions into a collection from a place on; `watch_inserts` opens it."""

    def __init__(self, stream: AsyncDatabaseChangeStream[Raw]) -> None:
        self._stream = stream

    @property
    def position(self) -> str:
        """The place up to which everything has been given, also what is of no interest here."""
        token: Any = self._stream.resume_token
        return str(token["_data"])

    async def next(self) -> Inserted | Replaced | None:
        """Give the next insertion or replacement; None when there is none for the stream's wait.

        Raises ResumeTokenLost, and PyMongoError when the server is away: then open it anew where it was.
        """
        try:
            change: Any = await self._stream.try_next()
        except OperationFailure as error:
            if is_transient(error):
                raise
            raise ResumeTokenLost(error.details) from error
        if change is not None:
            token = str(change["_id"]["_data"])
            if change["operationType"] == "rename":
                return Replaced(token)
            return Inserted(token, change["fullDocument"])
        if not self._stream.alive:
            raise ResumeTokenLost("the database was dropped")
        return None


@contextlib.asynccontextmanager
async def watch_inserts(
    database: Database,
    collection: str,
    after: str | None = None,
    wait_ms: int = WAIT_MS,
    **of: Any,
) -> AsyncIterator[InsertStream]:
    """Open the insertions after a token, or from now on; only those with the fields `of` if given.

    Insertions that a transaction makes are told when it is committed. The whole database is
    watched, so that a collection that is swapped in by a rename ends nothing. Raises ResumeTokenLost,
    PyMongoError.
    """
    fields = {f"fullDocument.{name}": value for name, value in of.items()}
    wanted: list[Raw] = [
        {"operationType": "insert", "ns.coll": collection, **fields},
        {"operationType": "rename", "to.coll": collection},
    ]
    if after is not None:
        if not is_token(after):
            raise ResumeTokenLost("that is no token")
        # The server has to find the token itself among what matches.
        wanted.append({"_id._data": after})
    try:
        stream = await database.watch(
            [{"$match": {"$or": wanted}}],
            resume_after={"_data": after} if after else None,
            max_await_time_ms=wait_ms,
        )
    except OperationFailure as error:
        if after is None or is_transient(error):
            raise
        raise ResumeTokenLost(error.details) from error
    async with stream:
        yield InsertStream(stream)
