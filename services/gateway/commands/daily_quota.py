"""How many clients an agent may add in a UTC day, over all gateways."""

from datetime import UTC, date, datetime, timedelta
from typing import ClassVar, NamedTuple
from uuid import UUID

from beanie import Document
from pymongo import ASCENDING, IndexModel, ReturnDocument

from chassis.mongo.client import Database
from contracts.message import Time
from services.gateway.errors import TooManyRequests


class DailyUseDocument(Document):
    """How much of a day's quota an agent has used; the id is `<agent>:<day>`."""

    id: str  # type: ignore[assignment]
    used: int
    expires_at: Time

    class Settings:
        name = "daily_use"
        indexes: ClassVar = [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)]


class Grant(NamedTuple):
    """What was taken of a day's quota."""

    id: str
    number: int


class DailyQuota:
    """The quota of each agent."""

    def __init__(self, database: Database, limit: int) -> None:
        self._uses = database[DailyUseDocument.Settings.name]
        self._limit = limit
        self.reason = f"the quota of {limit} new clients a day (UTC) is used up"

    async def take(self, agent_id: UUID, number: int) -> Grant:
        """Take up to `number`; what is granted may be fewer, or none."""
        today = datetime.now(UTC).date()
        used = {"$ifNull": ["$used", 0]}
        more = {"$min": [self._limit, {"$add": [used, number]}]}
        change = {"used": {"$max": [used, more]}, "expires_at": _end_of(today)}
        id_ = f"{agent_id}:{today}"
        before = await self._uses.find_one_and_update(
            {"_id": id_}, [{"$set": change}], upsert=True, return_document=ReturnDocument.BEFORE
        )
        left = self._limit - (before["used"] if before else 0)
        return Grant(id_, max(0, min(number, left)))

    async def take_one(self, agent_id: UUID) -> Grant:
        """Take one. Raises TooManyRequests until the day ends."""
        grant = await self.take(agent_id, 1)
        if not grant.number:
            now = datetime.now(UTC)
            raise TooManyRequests((_end_of(now.date()) - now).total_seconds(), self.reason)
        return grant

    async def give_back(self, grant: Grant, number: int = 1) -> None:
        """Give back what was taken, and not used."""
        if number:
            await self._uses.update_one({"_id": grant.id}, {"$inc": {"used": -number}})


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
