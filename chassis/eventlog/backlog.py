"""What waits in a service's database: due work, and commits that are not published."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from prometheus_client import Gauge

from chassis.eventlog.aggregate import Aggregate
from chassis.eventlog.event_store import UNPUBLISHED, CommitDocument
from chassis.mongo.client import Database
from chassis.observability.series import at_zero

DUE = Gauge("realtoros_due_oldest_seconds", "Age of the oldest due work.", ["aggregate"])
COMMITS = Gauge("realtoros_unpublished_commits", "Commits not published, counted to 1,000.")
AGE = Gauge("realtoros_unpublished_oldest_seconds", "Age of the oldest of them.")
MOST = 1000


class Backlog:
    """Measures the database, so that every replica shows the same."""

    def __init__(self, database: Database, due: Sequence[Aggregate[Any, Any]]) -> None:
        self._database = database
        self._due = due
        at_zero(DUE, (aggregate.name for aggregate in due))

    async def sample(self) -> None:
        """Set the series, by index. Raises PyMongoError."""
        now = datetime.now(UTC)
        for aggregate in self._due:
            oldest = await self._database[aggregate.collection].find_one(
                {"claim.holder": None, "state.due_at": {"$lte": now}},
                {"state.due_at": 1},
                sort=[("state.due_at", 1)],
            )
            since = oldest["state"]["due_at"] if oldest else now
            DUE.labels(aggregate.name).set((now - since).total_seconds())
        commits = self._database[CommitDocument.Settings.name]
        pending = (
            await commits.find({"published": False}, {"_id": 0, "at": 1})
            .hint(UNPUBLISHED)
            .limit(MOST)
            .to_list()
        )
        COMMITS.set(len(pending))
        AGE.set(max(0.0, (now - min((raw["at"] for raw in pending), default=now)).total_seconds()))
