"""Each agent's share of the stored requests and responses."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from chassis.mongo.client import Database, Raw
from services.gateway.accounts.documents import IDEMPOTENCY_RETENTION, IdempotencyDocument
from services.gateway.errors import TooManyRequests

# For a day, which all of it is stored.
SHARE_BYTES = 50 * 1024 * 1024
# Larger responses are not stored.
MAX_STORED_BYTES = 64 * 1024
# What a document takes besides its response, with its entries in the indexes.
DOCUMENT_BYTES = 1024
# What other replicas have stored is known after so long, or when this one has stored so much.
_READ_SECONDS, _READ_BYTES = 10, 1024 * 1024
_MAX_KNOWN = 10_000


@dataclass(slots=True)
class _Usage:
    read_at: float
    used: int
    # Since it was read.
    added: int = 0


def sum_of_sizes(agent_id: UUID) -> list[Raw]:
    """Return the aggregation of what an agent's documents take."""
    return [
        {"$match": {"agent_id": agent_id}},
        {"$group": {"_id": None, "size": {"$sum": "$size"}}},
    ]


class IdempotencyShare:
    """What each agent's documents take. One per process."""

    def __init__(self, database: Database) -> None:
        self._requests = database[IdempotencyDocument.Settings.name]
        self._usages: dict[UUID, _Usage] = {}

    async def check(self, agent_id: UUID) -> None:
        """Raise TooManyRequests when the share is used up."""
        usage = await self._usage(agent_id)
        if usage.used + usage.added + DOCUMENT_BYTES > SHARE_BYTES:
            raise TooManyRequests(await self._seconds_until_expiry(agent_id))

    def take(self, agent_id: UUID, size: int) -> bool:
        """Take so many bytes of the share, or return False: it has no more."""
        usage = self._usages.get(agent_id)
        if usage is None or usage.used + usage.added + size > SHARE_BYTES:
            return False
        usage.added += size
        return True

    async def _usage(self, agent_id: UUID) -> _Usage:
        now = time.monotonic()
        usage = self._usages.get(agent_id)
        if usage is None or now > usage.read_at + _READ_SECONDS or usage.added > _READ_BYTES:
            if len(self._usages) >= _MAX_KNOWN:
                self._usages.clear()
            usage = self._usages[agent_id] = _Usage(now, await self._read(agent_id))
        return usage

    async def _read(self, agent_id: UUID) -> int:
        found = await self._requests.aggregate(sum_of_sizes(agent_id))
        return sum([row["size"] async for row in found])

    async def _seconds_until_expiry(self, agent_id: UUID) -> float:
        """Return when the agent's oldest document expires."""
        oldest = await self._requests.find_one(
            {"agent_id": agent_id}, {"created_at": 1}, sort=[("created_at", 1)]
        )
        expires = oldest["created_at"] + IDEMPOTENCY_RETENTION if oldest else datetime.now(UTC)
        return max(1.0, (expires - datetime.now(UTC)).total_seconds())
