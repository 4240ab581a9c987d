"""How many letters an agent has had written within a day, over all composers.

A place among the letters of the day is taken before the writer is called, in one atomic update of
the agent's document; so two composers cannot exceed the limit. The places are no part of state or
replay: without them the count begins again.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import SystemRandom
from typing import Any
from uuid import UUID, uuid4

from pymongo import ReturnDocument

from chassis.domain.errors import TryLater
from chassis.mongo.client import Database, Raw
from contracts.message import to_milliseconds
from services.composer.documents import DailyLettersDocument

# How long at most, and about, to wait for the outcome of letters that are being written.
_WAIT_SECONDS = 2.0

_random = SystemRandom()


@dataclass(frozen=True)
class LetterLimit:
    """At most `letters` of an agent in any `day`; 0: any number.

    `longest_writing`: how long a letter may take to be written and stored.
    """

    letters: int
    day: timedelta
    longest_writing: timedelta


class DailyLimitReached(Exception):
    """The agent's letters of a day are used up; one more can be written from `until` on."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"the letters of a day are used up until {until:%Y-%m-%dT%H:%M:%SZ}")
        self.until = until


class Place:
    """A place among the letters of a day; what is left `unused` is free again."""

    unused = False


class DailyLetters:
    """The places of each agent."""

    def __init__(self, database: Database, limit: LetterLimit) -> None:
        self._agents = database[DailyLettersDocument.Settings.name]
        self._limit = limit

    @contextlib.asynccontextmanager
    async def place(self, agent_id: UUID) -> AsyncIterator[Place]:
        """Take a place for as long as the letter is written, and for a day from then on.

        Raises DailyLimitReached; TryLater when letters that are being written may leave one free.
        """
        place = Place()
        if not self._limit.letters:
            yield place
            return
        taken = await self._take(agent_id)
        try:
            yield place
        finally:
            await self._settle(agent_id, taken, place)

    async def _take(self, agent_id: UUID) -> UUID:
        taken, now = uuid4(), to_milliseconds(datetime.now(UTC))
        # Should this process die, the letter counts: it may have been paid for.
        entry = {"id": taken, "until": now + self._limit.longest_writing + self._limit.day}
        settled = {"$lte": [{"$max": "$letters.until"}, now + self._limit.day]}
        is_full = {"$gte": [{"$size": "$letters"}, self._limit.letters]}
        agent: Any = await self._agents.find_one_and_update(
            {"_id": agent_id},
            [
                {"$set": {"letters": _kept("$$this.until", "$gt", now)}},
                {
                    "$set": {
                        "letters": _if(is_full, "$letters", _with(entry)),
                        "next": _if({"$and": [is_full, settled]}, self._next, "$next"),
                    }
                },
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        letters = agent["letters"]
        if any(letter["id"] == taken for letter in letters):
            return taken
        if any(letter["until"] > now + self._limit.day for letter in letters):
            wait = min(_WAIT_SECONDS, self._limit.day.total_seconds())
            raise TryLater("other letters are being written", after=wait * _random.uniform(0.5, 1))
        raise DailyLimitReached(agent["next"])

    @property
    def _next(self) -> Raw:
        """When to try next: from the time on that the oldest leaves, spread over a day."""
        day = self._limit.day / timedelta(milliseconds=1)
        oldest = {"$min": "$letters.until"}
        after_last = {"$add": ["$next", day / self._limit.letters]}
        ahead = {"$lt": [after_last, {"$add": [oldest, day]}]}
        return _if({"$and": [{"$gt": [after_last, oldest]}, ahead]}, after_last, oldest)

    async def _settle(self, agent_id: UUID, taken: UUID, place: Place) -> None:
        """Let the letter count from now on, if it was written."""
        change = _kept("$$this.id", "$ne", taken)
        if not place.unused:
            until = to_milliseconds(datetime.now(UTC)) + self._limit.day
            change = {"$concatArrays": [change, [{"id": taken, "until": until}]]}
        await self._agents.update_one({"_id": agent_id}, [{"$set": {"letters": change}}])


def _kept(part: str, operator: str, value: UUID | datetime) -> Raw:
    letters = {"$ifNull": ["$letters", []]}
    return {"$filter": {"input": letters, "cond": {operator: [part, value]}}}


def _with(entry: Raw) -> Raw:
    return {"$concatArrays": ["$letters", [entry]]}


def _if(condition: Raw, then: Raw | str, otherwise: Raw | str) -> Raw:
    return {"$cond": [condition, then, otherwise]}
