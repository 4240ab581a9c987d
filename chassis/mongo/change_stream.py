"""The insertions into a collection, as a MongoDB change stream."""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from pymongo.asynchronous.change_stream import AsyncDatabaseChangeStream
from pymongo.errors import OperationFailure

from chassis.mongo.client import Database, Raw, is_transient

# How long a call of `next` waits at the server. It is never cancelled (mongo.client,
# run_to_completion), so a stop waits as long.
WAIT_MS = 250
# A resume token is hex; tokens sort in the order of the changes.
_TOKEN = re.compile(r"[0-9A-F]{1,2000}")


def is_resume_token(text: str) -> bool:
    """Return whether the text has the form of a resume token."""
    return bool(_TOKEN.fullmatch(text))


class ResumeTokenLost(Exception):
    """The changes after a token are not known any more, or it is no token."""


@dataclass(frozen=True, slots=True)
class Inserted:
    """An inserted document, and the resume token of its insertion."""

    token: str
    document: Raw


@dataclass(frozen=True, slots=True)
class Replaced:
    """The collection was replaced by a rename; what the new one holds is not reported."""

    token: str


class InsertStream:
    """The insertions into a collection from a resume token on; `watch_inserts` opens it."""

    def __init__(self, stream: AsyncDatabaseChangeStream[Raw]) -> None:
        self._stream = stream

    @property
    def position(self) -> str:
        """The resume token up to which everything was returned or filtered out."""
        token: Any = self._stream.resume_token
        return str(token["_data"])

    async def next(self) -> Inserted | Replaced | None:
        """Return the next insertion or replacement; None if there is none for the stream's wait.

        Raises ResumeTokenLost; PyMongoError when the server is away: then reopen at `position`.
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
    **fields: Any,
) -> AsyncIterator[InsertStream]:
    """Open the insertions after a resume token, or from now on; `fields`: only with these values.

    Insertions of a transaction are reported when it is committed. The whole database is watched,
    since a stream of one collection would end when another is renamed to it. Raises
    ResumeTokenLost, PyMongoError.
    """
    filters = {f"fullDocument.{name}": value for name, value in fields.items()}
    wanted: list[Raw] = [
        {"operationType": "insert", "ns.coll": collection, **filters},
        {"operationType": "rename", "to.coll": collection},
    ]
    if after is not None:
        if not is_resume_token(after):
            raise ResumeTokenLost("it is not a resume token")
        # The server has to find the token's own change among what matches.
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
