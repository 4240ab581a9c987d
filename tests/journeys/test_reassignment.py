"""An agent leaves, and another gets the clients: plans, history and opt-outs go along."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from tests.journeys.agent_user import Agent, Row, agent_at, until
from tests.journeys.conftest import Providers
from tests.ops.topics.recording import different
from tests.providers.webhook import PATH, Webhook, event
from tests.servers import Server
from tests.services.gateway.users import PASSWORD
from tests.system import AGENT, PUBLIC_URL, logged_in, system

pytestmark = pytest.mark.journey

PASSED = ("Stays", "Leaving", "Late")


@dataclass
class Office:
    """An admin, and two agents with their ids."""

    admin: Agent
    ana: Agent
    ben: Agent
    providers: Providers
    webhook: Webhook
    ids: dict[str, str]

    async def as_admin(self, method: str, path: str, body: Row) -> httpx2.Response:
        headers = logged_in(AGENT, PUBLIC_URL)
        return await self.admin.http.request(method, path, json=body, headers=headers)

    async def activate_ana(self, active: bool) -> None:
        path = f"/api/admin/agents/{self.ids['Ana']}"
        assert (await self.as_admin("PATCH", path, {"active": active})).status_code == 200

    async def reassign(self, to: str) -> httpx2.Response:
        path = f"/api/admin/agents/{self.ids['Ana']}/reassign"
        return await self.as_admin("POST", path, {"to_agent_id": to})

    def mails(self, client: str, agent: str | None = None) -> list[Row]:
        """Return what the provider accepted for the client, by default in anybody's name."""
        return [
            entry
            for entry in self.providers.sendgrid.ledger()
            if entry["custom_args"].get("client_id") == client
            and agent in (None, entry["custom_args"]["agent_id"])
        ]

    async def opt_out(self, client: str, email: str) -> None:
        """Let the provider report that the client opted out of the first letter.

        As told of another client: its plan goes on, so it is the address that counts.
        """
        about = {"client_id": str(uuid4())}
        report = event("unsubscribe", self.mails(client)[0], email=email, **about)
        body, headers = self.webhook.request([report])
        reported = await self.admin.http.post(PATH, content=body, headers=headers)
        assert reported.status_code == 200


async def log_in(agent: Agent, name: str) -> None:
    """Go on with a session of the agent's."""
    credentials = {"email": f"{name.lower()}@agents.example.com", "password": PASSWORD}
    tokens = (await agent.http.post("/api/auth/login", json=credentials)).json()
    agent.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"


@contextlib.asynccontextmanager
async def office(
    folder: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> AsyncIterator[Office]:
    """Run a system with two agents."""
    webhook = Webhook()
    settings = providers.settings | {
        "FOLLOWUP_DAY_SECONDS": "2",
        "COMMAND_TIMEOUT_SECONDS": "30",
        "SENDGRID_WEBHOOK_PUBLIC_KEY": webhook.public_key,
    }
    async with (
        system(folder, kafka, mongodb, prefix=prefix, environment=settings) as running,
        agent_at(running.api[0]) as admin,
        httpx2.AsyncClient(base_url=running.api[0], timeout=30, trust_env=False) as of_ana,
        httpx2.AsyncClient(base_url=running.api[0], timeout=30, trust_env=False) as of_ben,
    ):
        made = Office(admin, Agent(of_ana), Agent(of_ben), providers, webhook, {})
        for agent, name in ((made.ana, "Ana"), (made.ben, "Ben")):
            new = {"email": f"{name.lower()}@agents.example.com", "password": PASSWORD}
            added = await made.as_admin("POST", "/api/admin/agents", new | {"name": name})
            assert added.status_code == 201, added.text
            await log_in(agent, name)
            made.ids[name] = str((await agent.http.get("/api/agents/me")).json()["id"])
        yield made
        assert running.errors() == []


@pytest.mark.timeout(240)
async def test_an_agent_s_clients_are_reassigned_with_plans_history_and_opt_outs(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    async with office(tmp_path, kafka, mongodb, prefix, providers) as of:
        stays, leaving, late = clients = [await of.ana.add(name) for name in PASSED]
        shared = await of.ana.add("Shared", "shared@example.com")
        await of.ben.add("Shared too", "SHARED@example.com")
        for client in clients:
            await of.ana.task(client, "sent")
        await of.opt_out(leaving, "leaving@example.com")
        await of.ana.task(leaving, "withheld", "Day 3")

        # What falls due from here on waits in Ana's name.
        await of.activate_ana(False)
        for wrong in (of.ids["Ana"], stays):
            refused = await of.reassign(wrong)
            assert refused.status_code == 422
            assert refused.json()["errors"][0]["field"] == "to_agent_id"
        by_ana = {client: len(of.mails(client)) for client in clients}
        report = (await of.reassign(of.ids["Ben"])).json()
        assert (report["reassigned"], report["pending"]) == (3, [])
        [stayed] = report["refused"]
        assert stayed["client_id"] == shared
        assert "email" in stayed["reason"]

        await sees_the_history(of.ben, clients)
        # An opt-out that comes late, for a letter of Ana's, holds for Ben.
        await of.opt_out(late, "late@example.com")

        async def is_paused() -> bool:
            row = (await of.ben.http.get(f"/api/clients/{leaving}")).json()
            return bool(row["plan_paused"])

        # The withheld email has paused the plan; that Ben goes on with it does not help.
        await until(is_paused, "the plan is paused")
        assert (await of.ben.post(f"/api/clients/{leaving}/plan/resume")).is_success

        # The plan goes on in Ben's name; nothing is sent in Ana's any more.
        await of.ben.task(stays, "sent", "Week 1")
        for client in (leaving, late):
            await of.ben.task(client, "withheld", "Week 1")
        assert of.mails(stays)[-1]["custom_args"]["agent_id"] == of.ids["Ben"]
        assert of.mails(stays)[-1]["request"]["from"]["name"] == "Ben"
        for client, before in by_ana.items():
            assert len(of.mails(client, of.ids["Ana"])) == before

        await of.activate_ana(True)
        await log_in(of.ana, "Ana")
        await sees_only(of.ana, shared, not_=stays)
    assert await different(kafka, mongodb, prefix) == []


async def sees_the_history(ben: Agent, clients: list[str]) -> None:
    """At once the clients; within moments follow-ups and emails, also those of before."""
    assert {row["_id"] for row in await ben.rows("/api/clients")} > set(clients)
    for client, name in zip(clients, PASSED, strict=True):
        await ben.task(client, "sent")

        async def has_mail(client: str = client) -> bool:
            return bool(await ben.rows("/api/emails", client_id=client, status="sent"))

        await until(has_mail, "Ben sees what Ana has sent")
        timeline = await ben.rows(f"/api/clients/{client}/timeline")
        assert {"ClientCreated", "ClientReassigned", "EmailSent"} <= {e["type"] for e in timeline}
        assert {entry["client_name"] for entry in timeline} == {name}


async def sees_only(ana: Agent, shared: str, *, not_: str) -> None:
    """Ana, once she is back, neither sees nor changes what is Ben's."""
    for path in ("/api/tasks", "/api/emails"):
        assert {row["client_id"] for row in await ana.rows(path)} <= {shared}
    assert [row["_id"] for row in await ana.rows("/api/clients")] == [shared]
    for path in (f"/api/clients/{not_}", f"/api/clients/{not_}/timeline"):
        assert (await ana.http.get(path)).status_code == 404
    assert (await ana.http.delete(f"/api/clients/{not_}")).status_code == 404
    activity = await ana.rows("/api/dashboard/activity")
    assert {entry["client_name"] for entry in activity} == {None, "Shared"}
