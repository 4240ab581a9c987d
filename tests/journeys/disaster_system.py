"""A system as disasters meet it, and what has to hold of it afterwards."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from ops.api_client.client import ApiClient
from ops.api_client.lead_import import import_leads
from ops.servers.stores import store_of
from ops.services import SERVICES, Service
from ops.topics.rebuild import Rebuilding, report
from services.gateway.leads.parsing import Lead
from tests.faults.checker.checker import check
from tests.faults.checker.history import Acknowledged, read_history
from tests.faults.checker.settling import until_settled
from tests.faults.checker.verdict import Anomaly
from tests.journeys.agent_user import Agent, Row, agent_at, followups_in, until
from tests.journeys.conftest import Providers
from tests.providers.running import Fake
from tests.servers import Server
from tests.system import KEY, Running, system

# What is imported after Beanie has bound another service's documents has states without fields.
_STORES = [store_of(service) for service in SERVICES]


@dataclass
class Site:
    """A running system whose clients are followed up."""

    running: Running
    agent: Agent
    kafka: Server
    mongodb: Server
    sendgrid: Fake
    acknowledged: Acknowledged = field(default_factory=Acknowledged)

    @property
    def prefix(self) -> str:
        """What the names of its topics begin with."""
        return self.running.prefix

    @property
    def followups(self) -> int:
        """How many follow-ups its clients have."""
        return 5 * len(self.acknowledged.clients)

    def mails(self) -> list[Row]:
        """Give what SendGrid has accepted since the start."""
        return self.sendgrid.ledger()

    async def add(self, count: int) -> None:
        """Add so many clients; return when they are shown."""
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

    async def until_mailed(self, count: int) -> None:
        """Return when SendGrid has accepted at least so many."""

        async def enough() -> bool:
            return len(self.mails()) >= count

        await until(enough, f"{count} mails are accepted")

    def told(self, service: str, event: str) -> list[dict[str, Any]]:
        """Give the log entries of this event that the service wrote."""
        found = []
        for process in self.running.processes[service]:
            lines = process.log.read_text().splitlines()
            found += [entry for line in lines if (entry := json.loads(line))["event"] == event]
        return found

    def rebuildings(self) -> dict[Service, Rebuilding]:
        """Give what replays the services."""
        addresses = self.kafka.address, self.prefix, self.mongodb.address
        return {service: Rebuilding(service, *addresses) for service in SERVICES}

    async def assert_equal(self) -> None:
        """Assert that replay makes of the topics what every service holds."""
        for service, rebuilding in self.rebuildings().items():
            found = await rebuilding.verify(lambda *_: None)
            different = [one for one in found if one.live != one.fresh]
            assert not different, "\n".join([f"{service}:", *report(different)])
            assert sum(one.live[0] for one in found) > 0

    async def assert_whole(self, *, apart: Callable[[Anomaly], bool] = lambda _: False) -> None:
        """Wait until all follow-ups have ended; assert that each was sent, and sent once.

        And that logs, topics, states and views tell the same, as the checker and as replay see it.
        `apart` tells what the checker calls wrong and is meant to be.
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
        # The provider serves other tests, too.
        verdict = check(replace(history, ledger=self.mails()))
        wrong = [anomaly for anomaly in verdict.anomalies if not apart(anomaly)]
        assert not wrong, "\n".join(map(str, wrong))
        assert verdict.ends == {"sent": self.followups}
        await self.assert_equal()
        assert self.running.errors() == []


@asynccontextmanager
async def site(
    folder: Path,
    kafka: Server,
    mongodb: Server,
    prefix: str,
    providers: Providers,
    **settings: str,
) -> AsyncIterator[Site]:
    """Run all services; a day of the calendar takes 0.6 s, a plan 18 s."""
    environment = {"FOLLOWUP_DAY_SECONDS": "0.6"} | providers.settings | settings
    async with (
        system(folder, kafka, mongodb, prefix=prefix, environment=environment) as running,
        agent_at(running.api[0]) as agent,
    ):
        yield Site(running, agent, kafka, mongodb, await providers.sendgrid.from_here())
