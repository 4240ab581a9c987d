"""A system to subject to disasters, and assertions on its state afterwards."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from contracts.services import SERVICES, Service
from ops.api_client.client import ApiClient
from ops.api_client.lead_import import import_leads
from ops.servers.stores import store_of
from ops.topics.rebuild import Rebuild, report
from services.gateway.leads.parsing import Lead
from tests.faults.checker.checker import check
from tests.faults.checker.history import Acknowledged, read_history
from tests.faults.checker.settling import until_settled
from tests.faults.checker.verdict import Anomaly
from tests.journeys.agent_user import Agent, Row, agent_at, followups_in, until
from tests.journeys.conftest import Providers
from tests.providers.running import FakeProvider
from tests.servers import Server
from tests.system import KEY, Running, system

# All imported first: once Beanie has bound one service's documents, others lose their fields.
_STORES = [store_of(service) for service in SERVICES]


@dataclass
class DisasterSystem:
    """A running system whose clients are followed up."""

    running: Running
    agent: Agent
    kafka: Server
    mongodb: Server
    sendgrid: FakeProvider
    acknowledged: Acknowledged = field(default_factory=Acknowledged)

    @property
    def prefix(self) -> str:
        """The prefix of its topics."""
        return self.running.prefix

    @property
    def followups(self) -> int:
        """How many follow-ups its clients have."""
        return 5 * len(self.acknowledged.clients)

    def mails(self) -> list[Row]:
        """Return what SendGrid has accepted since the start."""
        return self.sendgrid.ledger()

    async def add(self, count: int) -> None:
        """Add `count` clients; wait until the API shows them."""
        first = len(self.acknowledged.clients)
        leads = [
            Lead(line=number, name=f"Client {number}", email=f"client{number}@example.com")
            for number in range(first, first + count)
        ]
        async with ApiClient(self.running.api[0], KEY) as api:
            imported = await import_leads(api, leads)
        assert imported.summary() == f"{count} imported"
        shown: set[str] = set()

        async def all_shown() -> bool:
            shown.update(row["_id"] for row in await self.agent.rows("/api/clients"))
            return len(shown) == first + count

        await until(all_shown, f"{first + count} clients are shown")
        now = datetime.now(UTC)
        self.acknowledged.clients = dict.fromkeys(shown, now) | self.acknowledged.clients

    async def until_accepted(self, count: int) -> None:
        """Wait until SendGrid has accepted at least `count` emails."""

        async def enough() -> bool:
            return len(self.mails()) >= count

        await until(enough, f"{count} emails are accepted")

    def log_entries(self, service: str, event: str) -> list[dict[str, Any]]:
        """Return the service's log entries of this event."""
        found = []
        for process in self.running.processes[service]:
            lines = process.log.read_text().splitlines()
            found += [entry for line in lines if (entry := json.loads(line))["event"] == event]
        return found

    def rebuildings(self) -> dict[Service, Rebuild]:
        """Return a rebuilding of each service."""
        addresses = self.kafka.servers, self.prefix, self.mongodb.address
        return {service: Rebuild(service, *addresses) for service in SERVICES}

    async def assert_replay_equal(self) -> None:
        """Assert that replaying the topics gives the state of every service."""
        for service, rebuilding in self.rebuildings().items():
            found = await rebuilding.verify(lambda *_: None)
            different = [one for one in found if one.live != one.replayed]
            assert not different, "\n".join([f"{service}:", *report(different)])
            assert sum(one.live[0] for one in found) > 0

    async def assert_consistent(
        self, *, allowed: Callable[[Anomaly], bool] = lambda _: False
    ) -> None:
        """Wait until all follow-ups are final; assert that each was sent exactly once.

        Also that logs, topics, states and views agree, by the checker and by replay. `allowed`
        returns whether an anomaly is expected.
        """
        tasks = await self.agent.until_all_ended(self.followups)
        assert Counter(task["status"] for task in tasks) == {"sent": self.followups}
        assert followups_in(self.mails()) == {task["_id"]: 1 for task in tasks}
        shown = {row["_id"] for row in await self.agent.rows("/api/clients")}
        assert shown == self.acknowledged.clients.keys()
        read = partial(
            read_history,
            self.kafka.address,
            self.prefix,
            self.mongodb.address,
            self.sendgrid.ledger_file,
            self.acknowledged,
            embedded=self.kafka.embedded,
        )
        history = await until_settled(read, seconds=30)
        # The provider's ledger also holds other tests' entries.
        verdict = check(replace(history, ledger=self.mails()))
        wrong = [anomaly for anomaly in verdict.anomalies if not allowed(anomaly)]
        assert not wrong, "\n".join(map(str, wrong))
        assert verdict.ends == {"sent": self.followups}
        await self.assert_replay_equal()
        assert self.running.errors() == []


@asynccontextmanager
async def disaster_system(
    folder: Path,
    kafka: Server,
    mongodb: Server,
    prefix: str,
    providers: Providers,
    **settings: str,
) -> AsyncIterator[DisasterSystem]:
    """Run all services; a day of the calendar takes 0.6 s, a plan 18 s."""
    environment = {"FOLLOWUP_DAY_SECONDS": "0.6"} | providers.settings | settings
    async with (
        system(folder, kafka, mongodb, prefix=prefix, environment=environment) as running,
        agent_at(running.api[0]) as agent,
    ):
        yield DisasterSystem(running, agent, kafka, mongodb, await providers.sendgrid.reset())
