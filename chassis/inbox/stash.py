"""What a message says that is needed once and not to be kept: beside the log, until it is used.

It is no part of state or replay, and goes by itself when it has expired.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from pymongo import IndexModel

from chassis.mongo.client import Database, UuidDocument
from contracts.message import Message, Time


class StashDocument(UuidDocument):
    """A text, until then."""

    text: str
    expires_at: Time

    class Settings:
        name = "stash"
        indexes: ClassVar = [IndexModel("expires_at", expireAfterSeconds=0)]


class Stashed(NamedTuple):
    """A text, under which id it is found, and until when."""

    id: UUID
    text: str
    expires_at: datetime


# What of a message is to be stashed, if anything.
Stashing = Callable[[Any], Stashed | None]


class Stash:
    """The texts of one service: of each message, before it reaches its aggregates."""

    def __init__(self, database: Database) -> None:
        self._texts = database[StashDocument.Settings.name]
        self._stashing: dict[type[Message], Stashing] = {}

    def of(self, message: type[Message], stashing: Stashing) -> None:
        """Stash what `stashing` returns of messages of this type."""
        self._stashing[message] = stashing

    async def take(self, message: Message) -> None:
        """Stash what is to be stashed of it; a second time changes nothing. Raises PyMongoError."""
        stashing = self._stashing.get(type(message))
        if stashing and (stashed := stashing(message)):
            await self._put(stashed)

    async def _put(self, stashed: Stashed) -> None:
        text = {"text": stashed.text, "expires_at": stashed.expires_at}
        await self._texts.update_one({"_id": stashed.id}, {"$setOnInsert": text}, upsert=True)

    async def get(self, id_: UUID) -> str | None:
        """Return the text, or None when it was used or has expired. Raises PyMongoError."""
        found = await self._texts.find_one({"_id": id_})
        return found["text"] if found else None

    async def drop(self, id_: UUID) -> None:
        """Forget the text, which was used. Raises PyMongoError."""
        await self._texts.delete_one({"_id": id_})
