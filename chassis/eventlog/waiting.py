"""Work of an aggregate that waits, by client: a later letter does not overtake an earlier one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pymongo import IndexModel

from chassis.domain.errors import TryLater
from chassis.eventlog.aggregate import Aggregate
from chassis.mongo.batch_loader import Batched
from chassis.mongo.client import Database

# A letter that waits for an earlier one looks again after so long.
ORDER_SECONDS = 0.5
# What came before there was `fell_due_at` is earlier than all that has it.
_BEFORE = datetime.min.replace(tzinfo=UTC)


def waiting_index(*statuses: str) -> IndexModel:
    """Return the index of what waits in one of these statuses; it holds nothing else."""
    return IndexModel(
        [("state.client_id", 1), ("state.fell_due_at", 1)],
        name="waiting_by_client",
        partialFilterExpression={"state.status": _any_of(statuses)},
    )


def _any_of(statuses: tuple[str, ...]) -> Any:
    return statuses[0] if len(statuses) == 1 else {"$in": list(statuses)}


class WaitingWork(Batched[list[datetime]]):
    """By client: when those follow-ups fell due whose work waits in one of these statuses."""

    def __init__(self, database: Database, aggregate: Aggregate[Any, Any], *statuses: str) -> None:
        super().__init__()
        self._collection = database[aggregate.collection]
        self._status = _any_of(statuses)

    async def require_first(self, client_id: UUID, fell_due_at: datetime | None) -> None:
        """Raise TryLater while a follow-up of the client waits that fell due before this time."""
        if fell_due_at is None:
            return
        if any(one < fell_due_at for one in await self.get(client_id) or ()):
            raise TryLater("an earlier letter to the client waits", after=ORDER_SECONDS)

    async def _find(self, ids: list[UUID]) -> Mapping[UUID, list[datetime]]:
        where = {"state.client_id": {"$in": ids}, "state.status": self._status}
        fields = {"state.client_id": 1, "state.fell_due_at": 1}
        found: dict[UUID, list[datetime]] = {}
        async for raw in self._collection.find(where, fields, hint="waiting_by_client"):
            state = raw["state"]
            found.setdefault(state["client_id"], []).append(state.get("fell_due_at") or _BEFORE)
        return found
