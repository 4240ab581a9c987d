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
            since = await self._oldest(aggregate, now)
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

    async def _oldest(self, aggregate: Aggregate[Any, Any], now: datetime) -> datetime:
        """Return the earliest due date, or `now`."""
        due = {"claim.holder": None, "state.due_at": {"$lte": now}}
        dates = [now]
        # By the index, what has no claim is in the order of its dates; little else has one.
        for claimed in (None, {"$type": "date"}):
            raw = await self._database[aggregate.collection].find_one(
                due | {"claim.until": claimed}, {"state.due_at": 1}, sort=[("state.due_at", 1)]
            )
            if raw:
                dates.append(raw["state"]["due_at"])
        return min(dates)
