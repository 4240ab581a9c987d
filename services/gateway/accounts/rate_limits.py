"""Limits: on guessing passwords, over all replicas; and on requests, for each process."""

import hashlib
import time
from datetime import UTC, datetime, timedelta

from pymongo import ReturnDocument

from chassis.mongo.client import Database
from services.gateway.accounts.documents import AttemptsDocument
from services.gateway.errors import TooManyRequests

_KEPT_CALLERS = 10_000


class AttemptLimits:
    """Counts what is tried, in spans of time that begin at the same moment for all."""

    def __init__(self, database: Database, span: timedelta) -> None:
        self._counts = database[AttemptsDocument.Settings.name]
        self._span = span.total_seconds()

    async def count(self, what: str, whose: str, most: int) -> None:
        """Count one more. Raises TooManyRequests when it is more than `most` in this span."""
        now = time.time()
        number, over = divmod(now, self._span)
        ends = datetime.fromtimestamp((number + 1) * self._span, UTC)
        found = await self._counts.find_one_and_update(
            {"_id": self._id(what, whose, int(number))},
            {"$inc": {"tries": 1}, "$setOnInsert": {"expires_at": ends}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        if found and found["tries"] > most:
            raise TooManyRequests(self._span - over)

    async def forget(self, what: str, whose: str) -> None:
        """Begin to count anew."""
        number = int(time.time() // self._span)
        await self._counts.delete_one({"_id": self._id(what, whose, number)})

    @staticmethod
    def _id(what: str, whose: str, number: int) -> str:
        # An email or an address of the network is personal.
        return f"{what}:{hashlib.sha256(whose.encode()).hexdigest()}:{number}"


class TokenBuckets:
    """A bucket of tokens for each caller: `rate` a second flow in, and at most five seconds'."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._room = rate * 5
        self._buckets: dict[object, tuple[float, float]] = {}

    def take(self, caller: object) -> None:
        """Take one token. Raises TooManyRequests when there is none."""
        now = time.monotonic()
        left, at = self._buckets.get(caller, (self._room, now))
        left = min(self._room, left + (now - at) * self._rate)
        if left < 1:
            raise TooManyRequests((1 - left) / self._rate)
        if len(self._buckets) >= _KEPT_CALLERS:
            # Full ones say nothing: whoever is not known has a full one.
            self._buckets = {
                known: (had, since)
                for known, (had, since) in self._buckets.items()
                if had + (now - since) * self._rate < self._room
            }
        self._buckets[caller] = (left - 1, now)
