"""Rate limits: of password attempts, over all replicas; of requests, in each process."""

import hashlib
import time
from datetime import UTC, datetime, timedelta

from pymongo import ReturnDocument

from chassis.mongo.client import Database
from services.gateway.accounts.documents import AttemptsDocument
from services.gateway.errors import TooManyRequests

_MAX_BUCKETS = 10_000
# Who goes on beyond a limit costs the database one write in this time. It is short: another replica
# may take attempts back.
_FULL_SECONDS = 1.0


class AttemptLimiter:
    """Counts attempts in fixed windows, which begin at the same moment for all."""

    def __init__(self, database: Database, window: timedelta) -> None:
        self._counts = database[AttemptsDocument.Settings.name]
        self._window = window.total_seconds()
        # Until when, on the monotonic clock, no attempt is accepted for sure.
        self._full: dict[str, float] = {}

    async def count(self, kind: str, subject: str, limit: int) -> None:
        """Count an attempt. Raises TooManyRequests above `limit` attempts in this window."""
        now = time.time()
        number, elapsed = divmod(now, self._window)
        id_ = self._id(kind, subject, int(number))
        if time.monotonic() < self._full.get(id_, 0.0):
            raise TooManyRequests(self._window - elapsed)
        ends = datetime.fromtimestamp((number + 1) * self._window, UTC)
        found = await self._counts.find_one_and_update(
            {"_id": id_},
            {"$inc": {"tries": 1}, "$setOnInsert": {"expires_at": ends}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        if found and found["tries"] > limit:
            if len(self._full) >= _MAX_BUCKETS:
                self._full.clear()
            self._full[id_] = time.monotonic() + _FULL_SECONDS
            raise TooManyRequests(self._window - elapsed)

    async def take_back(self, kind: str, subject: str) -> None:
        """Count one attempt less in this window: it was a right one."""
        number = int(time.time() // self._window)
        await self._counts.update_one(
            {"_id": self._id(kind, subject, number), "tries": {"$gt": 0}}, {"$inc": {"tries": -1}}
        )

    async def reset(self, kind: str, subject: str) -> None:
        """Forget the attempts of this window."""
        number = int(time.time() // self._window)
        await self._counts.delete_one({"_id": self._id(kind, subject, number)})

    @staticmethod
    def _id(kind: str, subject: str, number: int) -> str:
        # Hashed, since an email or a network address is personal.
        return f"{kind}:{hashlib.sha256(subject.encode()).hexdigest()}:{number}"


class TokenBuckets:
    """A token bucket per caller: refilled at `rate` a second, up to five seconds' worth."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._capacity = rate * 5
        self._buckets: dict[object, tuple[float, float]] = {}

    def take(self, caller: object) -> None:
        """Take one token. Raises TooManyRequests when there is none."""
        now = time.monotonic()
        left, at = self._buckets.get(caller, (self._capacity, now))
        left = min(self._capacity, left + (now - at) * self._rate)
        if left < 1:
            raise TooManyRequests((1 - left) / self._rate)
        if len(self._buckets) >= _MAX_BUCKETS:
            # A missing bucket counts as full, so full ones can go.
            self._buckets = {
                known: (had, since)
                for known, (had, since) in self._buckets.items()
                if had + (now - since) * self._rate < self._capacity
            }
        self._buckets[caller] = (left - 1, now)
