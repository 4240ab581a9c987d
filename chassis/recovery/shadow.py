"""Where a replay builds, and how far it is: both are in the service's own database."""

from datetime import datetime
from importlib.metadata import version as installed
from typing import Any
from uuid import uuid4

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from chassis.mongo.client import Database, Raw

SHADOW_PREFIX = "replay."
PROGRESS = "progress"
SWAP = "swap"
_ID = {"_id": PROGRESS}


class Superseded(Exception):
    """Another replay of the same service has begun, or a swap is to be finished first."""


class ShadowDatabase(AsyncDatabase[Raw]):
    """The fresh collections of a database: each is called as its live one, after `replay.`."""

    def __init__(self, live: Database) -> None:
        super().__init__(live.client, live.name)

    def __getitem__(self, name: str) -> AsyncCollection[Raw]:
        return super().__getitem__(SHADOW_PREFIX + name)


class ReplayProgress:
    """How far a replay is, written together with what it has built.

    So one that was cut off can go on. What was begun for another purpose, or by another version
    of this code, is of no use.
    """

    def __init__(self, beside: ShadowDatabase, purpose: str, until: datetime | None) -> None:
        self._collection = beside[PROGRESS]
        self._about = {"purpose": purpose, "until": until, "code": installed("realtoros")}
        self._token = uuid4()

    async def resume(self) -> Raw | None:
        """Give what an earlier run has noted, if this one can go on from there; it is ours then."""
        known = await self._collection.find_one(_ID)
        if known is None:
            return None
        if known["swapping"] and self._about["purpose"] != SWAP:
            raise Superseded("a swap was cut off in its last step: finish it with --swap first")
        if not (known["swapping"] or self._about.items() <= known.items()):
            return None
        await self._collection.update_one(_ID, {"$set": {"token": self._token}})
        return known

    async def start(self) -> None:
        """Begin anew."""
        begun = {"token": self._token, "swapping": False, "reached": [], "missing": []}
        await self._collection.replace_one(_ID, begun | self._about, upsert=True)

    async def note(self, session: AsyncClientSession | None = None, **facts: Any) -> None:
        """Write facts down. Raises Superseded when another run has begun since."""
        mine = _ID | {"token": self._token}
        found = await self._collection.update_one(mine, {"$set": facts}, session=session)
        if not found.matched_count:
            raise Superseded("another replay of the same service has begun")

    async def is_another_swap(self) -> bool:
        """Tell whether it has become another run's, which swaps: that one may hold writers off."""
        known = await self._collection.find_one(_ID) or {}
        return known.get("purpose") == SWAP and known.get("token") != self._token

    async def close(self) -> None:
        """Let nobody go on from here."""
        await self.note(purpose=None)

    async def drop(self) -> None:
        """Leave nothing behind."""
        await self._collection.drop()
