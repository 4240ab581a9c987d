"""An agent is deactivated while mails go out: nothing more is sent, and nothing is lost."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path

import httpx2
import pytest

from contracts import cloudevents
from contracts.catalogue import TYPES
from contracts.scheduler import FollowupDue
from tests.chassis.raw_records import all_of
from tests.journeys.agent_user import Agent, agent_at, parse_time, until
from tests.journeys.conftest import Providers
from tests.ops.topics.recording import different
from tests.servers import Server
from tests.services.gateway.users import PASSWORD
from tests.system import AGENT, PUBLIC_URL, logged_in, system
from tests.writes import carried_out

pytestmark = pytest.mark.journey

DAY = timedelta(seconds=1)
CLIENTS = 40
BOUND = timedelta(seconds=5)
SETTINGS = {
    "FOLLOWUP_DAY_SECONDS": str(DAY.total_seconds()),
    "SCHEDULER_POLL_SECONDS": "1",
    "COMMAND_TIMEOUT_SECONDS": "30",
    # A queue: emails wait in the mailer when their agent is deactivated.
    "CALL_SLOTS_MAX": "2",
}


class Office:
    """The admin, who goes on adding clients, and Ana, an agent who is deactivated."""

    def __init__(self, admin: Agent, ana: httpx2.AsyncClient, ana_id: str, at: Providers) -> None:
        self.admin, self.ana, self.ana_id, self._providers = admin, ana, ana_id, at
        self._numbers = count()

    def sent(self, agent_id: str, after: datetime | None = None) -> list[dict[str, str]]:
        """Return what the provider accepted of the agent's emails, after a time."""
        return [
            entry["custom_args"]
            for entry in self._providers.sendgrid.ledger()
            if entry["custom_args"]["agent_id"] == agent_id
            and (after is None or parse_time(entry["at"]) > after)
        ]

    async def until_sent(self, agent_id: str, many: int, after: datetime | None = None) -> None:
        """Wait until so many emails of the agent were accepted after a time.

        Clients of the admin come on all the while, so that there is always something to send.
        """

        async def enough() -> bool:
            await self.admin.add(f"Client{next(self._numbers)}")
            return len(self.sent(agent_id, after)) >= many

        await until(enough, f"{many} emails of {agent_id} are sent")

    async def activate(self, active: bool) -> datetime:
        """Deactivate or reactivate Ana as the admin; return when that was answered."""
        path, admin = (
            f"/api/admin/agents/{self.ana_id}",
            logged_in(AGENT, PUBLIC_URL),
        )
        response = await self.admin.http.patch(path, json={"active": active}, headers=admin)
        assert response.status_code == 200, response.text
        assert response.json()["active"] is active
        return datetime.now(UTC)


async def register(http: httpx2.AsyncClient) -> str:
    """Register Ana, who adds her clients; return her id."""
    new = {"email": "ana@agents.example.com", "password": PASSWORD, "name": "Ana Ruiz"}
    added = await http.post("/api/admin/agents", json=new, headers=logged_in(AGENT, PUBLIC_URL))
    assert added.status_code == 201, added.text
    credentials = {"email": new["email"], "password": PASSWORD}
    tokens = await http.post("/api/auth/login", json=credentials)
    http.headers["Authorization"] = f"Bearer {tokens.json()['access_token']}"
    bodies = [{"name": "Bo", "email": f"bo.{n}@mail.example.com"} for n in range(CLIENTS)]
    for added in await asyncio.gather(*(carried_out(http, "/api/clients", one) for one in bodies)):
        assert added.status_code == 201
    return str((await http.get("/api/agents/me")).json()["id"])


async def due_dates(kafka: Server, prefix: str, agent_id: str) -> dict[str, list[datetime]]:
    """Return when follow-ups fell due, by client of the agent."""
    found: dict[str, list[datetime]] = {}
    for record in await all_of(kafka.address, f"{prefix}followups"):
        type_ = TYPES[cloudevents.read(record.headers).type]
        if type_ is FollowupDue:
            due = FollowupDue.model_validate_json(record.value)
            if str(due.agent_id) == agent_id:
                found.setdefault(str(due.client_id), []).append(due.due_at)
    return found


@pytest.mark.timeout(240)
async def test_nothing_more_is_sent_for_a_deactivated_agent_until_the_agent_is_reactivated(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    settings = SETTINGS | providers.settings
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, environment=settings) as running,
        agent_at(running.api[0]) as admin,
        httpx2.AsyncClient(base_url=running.api[0], timeout=30, trust_env=False) as http,
    ):
        office = Office(admin, http, await register(http), providers)
        await office.until_sent(office.ana_id, 10)
        deadline = await office.activate(False) + BOUND
        assert (await http.get("/api/agents/me")).status_code == 401
        # Others' go on, past the bound and past a crash of both services that hold Ana's.
        await office.until_sent(str(AGENT), 5, after=deadline)
        await running.kill("scheduler", "mailer")
        await running.start("scheduler", "mailer")
        await office.until_sent(str(AGENT), 5, after=datetime.now(UTC))
        assert office.sent(office.ana_id, after=deadline) == []
        sent = len(office.sent(office.ana_id))
        overdue = await admin.rows(
            "/api/admin/tasks", status="pending", due_before=f"{deadline:%Y-%m-%dT%H:%M:%SZ}"
        )
        assert [task for task in overdue if task["agent_id"] == office.ana_id]
        assert not await admin.rows("/api/admin/emails", status="failed")
        await office.activate(True)
        # All that was held goes out, once.
        everything = 5 * CLIENTS

        async def all_sent() -> bool:
            return len(office.sent(office.ana_id)) >= everything

        await until(all_sent, f"all of Ana's emails are sent, after {sent}", seconds=120)
        followups = [args["followup_id"] for args in office.sent(office.ana_id)]
        assert len(set(followups)) == len(followups) == everything
        for dates in (await due_dates(kafka, prefix, office.ana_id)).values():
            assert all(later - earlier >= DAY for earlier, later in pairwise(sorted(dates)))
        await admin.until_all_ended(len(await admin.rows("/api/tasks")))
        assert running.errors() == []
    assert await different(kafka, mongodb, prefix) == []
