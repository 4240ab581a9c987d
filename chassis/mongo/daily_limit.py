"""How often a provider is called for an agent within a day, over all replicas of a service.

A place among the calls of the day is taken before the call, in one atomic update of the agent's
document; so two replicas cannot exceed the limit. The places are no part of state or replay:
without them the count begins again.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from pydantic import BaseModel
from pymongo import ReturnDocument

from chassis.mongo.client import Database, Raw, UuidDocument
from contracts.message import Time, to_milliseconds

# What waits is tried within this time, or a day if that is longer: the limit may be raised.
_LONGEST_WAIT = timedelta(minutes=1)


class TakenPlace(BaseModel):
    """A place that counts until then."""

    id: UUID
    until: Time


class DailyPlacesDocument(UuidDocument):
    """The places of an agent that count now; `next`: when what was postponed last is tried."""

    places: list[TakenPlace]
    next: Time | None = None

    class Settings:
        name = "daily_places"


@dataclass(frozen=True)
class DailyLimit:
    """At most `calls` for an agent in any `day`; 0: any number.

    `longest_call`: how long a call may take until its outcome is stored.
    """

    calls: int
    day: timedelta
    longest_call: timedelta


class DailyLimitReached(Exception):
    """The agent's places of a day are used up; there may be one from `until` on."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"the places of a day are used up until {until:%Y-%m-%dT%H:%M:%SZ}")
        self.until = until


class Place:
    """A place among the calls of a day; what is left `unused` is free again."""

    unused = False


class DailyPlaces:
    """The places of each agent."""

    def __init__(self, database: Database, limit: DailyLimit) -> None:
        self._agents = database[DailyPlacesDocument.Settings.name]
        self._limit = limit

    @contextlib.asynccontextmanager
    async def place(self, agent_id: UUID) -> AsyncIterator[Place]:
        """Take a place for as long as the call takes, and for a day from then on.

        Raises DailyLimitReached, also where a call under way may leave a place free: those who
        waited for that would keep all others from their turns.
        """
        place = Place()
        if not self._limit.calls:
            yield place
            return
        taken = await self._take(agent_id)
        try:
            yield place
        finally:
            await self._settle(agent_id, taken, place)

    async def _take(self, agent_id: UUID) -> UUID:
        taken, now = uuid4(), to_milliseconds(datetime.now(UTC))
        # Should this process die, the place counts: the call may have been made.
        entry = {"id": taken, "until": now + self._limit.longest_call + self._limit.day}
        is_full = {"$gte": [{"$size": "$places"}, self._limit.calls]}
        agent: Any = await self._agents.find_one_and_update(
            {"_id": agent_id},
            [
                {"$set": {"places": _kept("$$this.until", "$gt", now)}},
                {
                    "$set": {
                        "places": _if(is_full, "$places", _with(entry)),
                        "next": _if(is_full, self._next(now), "$next"),
                    }
                },
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        places = agent["places"]
        if any(place["id"] == taken for place in places):
            return taken
        raise DailyLimitReached(agent["next"])

    def _next(self, now: datetime) -> Raw:
        """When to try next: from the time on that the oldest leaves, one after the other."""
        day = self._limit.day / timedelta(milliseconds=1)
        longest = max(self._limit.day, _LONGEST_WAIT) / timedelta(milliseconds=1)
        # A call under way will hardly take as long as it may.
        oldest = {"$min": [{"$min": "$places.until"}, now + self._limit.day]}
        after_last = {"$add": ["$next", day / self._limit.calls]}
        ahead = {"$lt": [after_last, {"$add": [oldest, longest]}]}
        return _if({"$and": [{"$gt": [after_last, oldest]}, ahead]}, after_last, oldest)

    async def _settle(self, agent_id: UUID, taken: UUID, place: Place) -> None:
        """Let the place count from now on, if it was used."""
        change = _kept("$$this.id", "$ne", taken)
        if not place.unused:
            until = to_milliseconds(datetime.now(UTC)) + self._limit.day
            change = {"$concatArrays": [change, [{"id": taken, "until": until}]]}
        await self._agents.update_one({"_id": agent_id}, [{"$set": {"places": change}}])


def _kept(part: str, operator: str, value: UUID | datetime) -> Raw:
    places = {"$ifNull": ["$places", []]}
    return {"$filter": {"input": places, "cond": {operator: [part, value]}}}


def _with(entry: Raw) -> Raw:
    return {"$concatArrays": ["$places", [entry]]}


def _if(condition: Raw, then: Raw | str, otherwise: Raw | str) -> Raw:
    return {"$cond": [condition, then, otherwise]}
