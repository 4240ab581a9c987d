"""The daily limit: how many emails of an agent may be started in any day of the calendar."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel

from chassis.mongo.batch_loader import RecentLoader
from chassis.mongo.client import Database

# How old the number may be that is looked at before an email is started.
RECENT_SECONDS = 1.0
# The wait where only emails in flight stand in the way, some of which may not count in the end.
CONTENTION_SECONDS = (0.5, 2.0)


class Starts(BaseModel):
    """How many emails of an agent were started within the last day."""

    number: int


class _StartCounts(RecentLoader[Starts]):
    """By agent: its starts, counted by one query for all who ask at the same moment."""

    def __init__(self, database: Database, collection: str, day: timedelta, max_age: float) -> None:
        super().__init__(database, collection, Starts, max_age)
        self._day = day

    async def _find(self, ids: list[UUID]) -> dict[UUID, Starts]:
        since = datetime.now(UTC) - self._day
        within = {"state.agent_id": {"$in": ids}, "state.started_at": {"$gt": since}}
        group = {"_id": "$state.agent_id", "number": {"$sum": 1}}
        # Both fields are in the index: no document is read.
        found = await self._collection.aggregate([{"$match": within}, {"$group": group}])
        return {raw["_id"]: Starts.model_validate(raw) async for raw in found}


class DailyLimit:
    """At most `limit` emails of an agent in any `day`; 0 is no limit.

    An email counts from SendStarted on, unless it is withheld or postponed before the call. Two
    that are started at once both count both: so no race exceeds the limit.
    """

    def __init__(self, database: Database, collection: str, *, limit: int, day: timedelta) -> None:
        self._collection = database[collection]
        self._limit = limit
        self._day = day
        self._recent = _StartCounts(database, collection, day, RECENT_SECONDS)
        self._exact = _StartCounts(database, collection, day, 0)

    async def reached(self, agent_id: UUID) -> datetime | None:
        """Before an email is started: return when to try again if the limit was just reached."""
        if not self._limit:
            return None
        starts = await self._recent.get(agent_id)
        if starts is None or starts.number < self._limit:
            return None
        return await self._opens_at(agent_id)

    async def exceeded(self, agent_id: UUID) -> datetime | None:
        """After SendStarted, which counts: return when to try again if there are too many now."""
        if not self._limit:
            return None
        starts = await self._exact.get(agent_id)
        if starts is None or starts.number <= self._limit:
            return None
        return await self._opens_at(agent_id)

    async def _opens_at(self, agent_id: UUID) -> datetime:
        now = datetime.now(UTC)
        settled = {
            "state.agent_id": agent_id,
            "state.started_at": {"$gt": now - self._day},
            "state.status": {"$ne": "sending"},
        }
        over = await self._collection.count_documents(settled) - self._limit
        if over >= 0:
            started = {"state.started_at": 1}
            first = await self._collection.find_one(settled, started, sort=started, skip=over)
            if first:
                opens: datetime = first["state"]["started_at"] + self._day
                return opens
        wait = random.uniform(*CONTENTION_SECONDS)  # noqa: S311 - spreads, hides nothing
        return now + timedelta(seconds=wait)
