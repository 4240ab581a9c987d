"""Where a replay builds, and its progress: both are in the service's own database."""

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
    """Another replay of the same service has begun, or a swap has to be finished first."""


class ShadowDatabase(AsyncDatabase[Raw]):
    """The collections that a replay builds: each has the name of its live one after `replay.`."""

    def __init__(self, live: Database) -> None:
        super().__init__(live.client, live.name)

    def __getitem__(self, name: str) -> AsyncCollection[Raw]:
        return super().__getitem__(SHADOW_PREFIX + name)


class ReplayProgress:
    """How far a replay is, written in one transaction with what it has built.

    So an interrupted one can be resumed, for the same purpose and by the same version of this code.
    """

    def __init__(self, shadow: ShadowDatabase, purpose: str, until: datetime | None) -> None:
        self._collection = shadow[PROGRESS]
        self._identity = {"purpose": purpose, "until": until, "code": installed("realtoros")}
        self._token = uuid4()

    async def resume(self) -> Raw | None:
        """Take over an interrupted run; return its progress, None if it cannot be resumed.

        Raises Superseded.
        """
        known = await self._collection.find_one(_ID)
        if known is None:
            return None
        if known["swapping"] and self._identity["purpose"] != SWAP:
            raise Superseded("a swap was interrupted in its last step: finish it with --swap first")
        if not (known["swapping"] or self._identity.items() <= known.items()):
            return None
        await self._collection.update_one(_ID, {"$set": {"token": self._token}})
        return known

    async def start(self) -> None:
        """Start from scratch."""
        started = {"token": self._token, "swapping": False, "reached": [], "missing": []}
        await self._collection.replace_one(_ID, started | self._identity, upsert=True)

    async def save(self, session: AsyncClientSession | None = None, **fields: Any) -> None:
        """Write fields of the progress. Raises Superseded when another run has begun since."""
        mine = _ID | {"token": self._token}
        found = await self._collection.update_one(mine, {"$set": fields}, session=session)
        if not found.matched_count:
            raise Superseded("another replay of the same service has begun")

    async def is_taken_over_by_swap(self) -> bool:
        """Return whether another run, a swap, has taken over: it may hold off the writers."""
        known = await self._collection.find_one(_ID) or {}
        return known.get("purpose") == SWAP and known.get("token") != self._token

    async def close(self) -> None:
        """Let no run resume from here."""
        await self.save(purpose=None)

    async def drop(self) -> None:
        """Drop the collection."""
        await self._collection.drop()
