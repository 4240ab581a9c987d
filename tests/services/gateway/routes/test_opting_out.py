"""Opting out over HTTP, with crm, scheduler and mailer: by link, by report, by the agent."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from contracts.links.opt_out import OptOut, OptOutTokens
from contracts.mailer import email_id
from tests.providers.webhook import PATH, Webhook
from tests.servers import Server
from tests.services.gateway.conftest import Api, api_of
from tests.services.gateway.problem_checks import problem
from tests.system import UNSUBSCRIBE_KEYS, Running, system

KEYS = dict([UNSUBSCRIBE_KEYS.split(":")])
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@dataclass
class Office:
    """A running system, its API, SendGrid, and a browser that nobody is logged in to."""

    api: Api
    running: Running
    agent_id: UUID
    sendgrid: Webhook
    browser: httpx2.AsyncClient

    async def client(self) -> dict[str, Any]:
        """Return a new client, whose follow-ups are planned."""
        id_ = await self.api.add()
        await self.api.get_until(f"/api/clients/{id_}/tasks", lambda r: len(r.json()) == 5)
        found: dict[str, Any] = (await self.api.http.get(f"/api/clients/{id_}")).json()
        return found

    def link(self, client: dict[str, Any], purpose: Any = "opt_out") -> str:
        """Return the path of an opt-out link in a letter to the client."""
        followup = uuid4()
        claims = OptOut(
            UUID(client["agent_id"]),
            UUID(client["_id"]),
            followup,
            email_id(followup),
            client["email"],
        )
        return f"/u/{OptOutTokens(KEYS, purpose).seal(claims)}"

    async def report(self, *events: Any) -> int:
        """Let SendGrid report; return the status."""
        body, headers = self.sendgrid.request(events)
        return (await self.browser.post(PATH, content=body, headers=headers)).status_code

    async def shown(self, client: dict[str, Any], status: str | None) -> dict[str, Any]:
        """Return the client as soon as it shows the status."""
        path = f"/api/clients/{client['_id']}"
        response = await self.api.get_until(path, lambda r: r.json()["email_status"] == status)
        found: dict[str, Any] = response.json()
        return found

    async def suppressions(self, client: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the suppressions of the client's address."""
        response = await self.api.http.get("/api/suppressions?limit=100")
        assert response.status_code == 200, response.text
        return [one for one in response.json() if one["email"] == client["email"]]

    async def words(self, client: dict[str, Any]) -> list[str]:
        """Return the client's timeline."""
        found = await self.api.http.get(f"/api/clients/{client['_id']}/timeline?limit=100")
        return [entry["words"] for entry in found.json()]

    async def tasks(self, client: dict[str, Any], status: str) -> None:
        """Wait until all follow-ups have the status."""
        path = f"/api/clients/{client['_id']}/tasks"
        await self.api.get_until(path, lambda r: {one["status"] for one in r.json()} == {status})


@pytest.fixture(scope="module")
async def office(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Office]:
    prefix, agent_id, sendgrid = f"out-{uuid4().hex[:8]}.", uuid4(), Webhook()
    async with (
        system(
            tmp_path_factory.mktemp("opting-out"),
            kafka,
            mongodb_server,
            prefix=prefix,
            services=("crm", "scheduler", "mailer", "gateway"),
            environment={
                "AGENT_ID": str(agent_id),
                "SENDGRID_WEBHOOK_PUBLIC_KEY": sendgrid.public_key,
                "COMMAND_TIMEOUT_SECONDS": "15",
            },
        ) as running,
        api_of(running.api[0], kafka, prefix, agent_id) as api,
        httpx2.AsyncClient(base_url=running.api[0], timeout=30, trust_env=False) as browser,
    ):
        yield Office(api, running, agent_id, sendgrid, browser)
        assert running.errors() == []


def event(kind: str, client: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return SendGrid's event about an email to the client."""
    followup = uuid4()
    ids = {"agent_id": client["agent_id"], "client_id": client["_id"]}
    mail = {"followup_id": str(followup), "email_id": str(email_id(followup))}
    return {"event": kind, "timestamp": 1, "email": client["email"], **ids, **mail} | fields


@pytest.mark.parametrize(
    "form",
    [
        {"data": ONE_CLICK},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"data": {}},
        {"content": b""},
        {"content": b"{}", "headers": {"Content-Type": "application/json"}},
    ],
    ids=["urlencoded", "multipart", "the page's button", "nothing", "anything"],
)
async def test_a_post_opts_out_without_a_log_in_and_all_say_so(
    office: Office, form: dict[str, Any]
) -> None:
    client = await office.client()
    answers = [await office.browser.post(office.link(client), **form) for _ in range(3)]
    for answer in answers:
        assert (answer.status_code, answer.history) == (200, []), answer.text
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
        assert client["email"] not in answer.text
    [suppression] = await office.suppressions(client)
    assert (suppression["reason"], suppression["source"]) == ("unsubscribed", "link")
    assert suppression["confirmed_at"]
    assert suppression["client_id"] == client["_id"]
    assert (await office.shown(client, "unsubscribed"))["unsubscribed_at"]
    await office.tasks(client, "cancelled")
    words = await office.words(client)
    assert words.count("No more emails to this address: the client opted out") == 1
    assert "Follow-up Day 1 was cancelled: the client opted out" in words


async def test_the_page_has_one_button_and_changes_nothing(office: Office) -> None:
    client = await office.client()
    path = office.link(client)
    page = await office.browser.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.text.count("<button") == page.text.count("<form") == 1
    assert '<form method="post">' in page.text
    assert "<input" not in page.text
    assert client["email"] not in page.text
    assert (await office.browser.head(path)).status_code == 200
    # What is handled in the order of its partition has not been preceded by anything.
    assert (await office.browser.post(office.link(await office.client()))).status_code == 200
    assert await office.suppressions(client) == []


async def test_every_bad_token_is_the_same_page(office: Office) -> None:
    client = await office.client()
    good = office.link(client)
    bad = [
        *("/u", "/u/", "/u/x", f"{good[:-1]}", f"{good}=", f"{good}A", f"{good}/", f"{good}/x"),
        *(f"{good}%00", f"{good[:9]}%20{good[9:]}", "/u/" + "A" * 3000, f"/u//{good[3:]}"),
        *(f"/u/{good[3:].swapcase()}", office.link(client, "preview"), "/u/..%2fu", "/u/é"),
    ]
    pages = {(await office.browser.get(path)).text for path in bad}
    for path in bad:
        for method in ("GET", "POST"):
            answer = await office.browser.request(method, path)
            assert answer.status_code == 404, (method, path)
            assert answer.headers["content-type"].startswith("text/html")
            pages.add(answer.text)
    assert len(pages) == 1
    assert await office.suppressions(client) == []


async def test_while_the_mailer_is_away_an_opt_out_is_durable(office: Office) -> None:
    client = await office.client()
    await office.running.stop("mailer")
    try:
        async with httpx2.AsyncClient(
            base_url=office.running.api[0], timeout=60, trust_env=False
        ) as patient:
            answer = await patient.post(office.link(client), data=ONE_CLICK)
        assert answer.status_code == 202
        assert answer.headers["content-type"].startswith("text/html")
    finally:
        await office.running.start("mailer")
    await office.shown(client, "unsubscribed")


async def test_a_client_who_resubscribes_may_be_written_to_and_may_opt_out_again(
    office: Office,
) -> None:
    client = await office.client()
    assert (await office.browser.post(office.link(client))).status_code == 200
    later = {"timestamp": None}
    assert await office.report(event("group_resubscribe", client, **later)) == 200
    await office.shown(client, None)
    assert await office.suppressions(client) == []
    assert "The client wants emails again" in await office.words(client)
    assert (await office.browser.post(office.link(client))).status_code == 200
    assert len(await office.suppressions(client)) == 1


async def test_an_unsubscribe_that_sendgrid_reports_is_told_too(office: Office) -> None:
    client = await office.client()
    report = event("group_unsubscribe", client)
    for _ in range(3):
        assert await office.report(report, report) == 200
    [suppression] = await office.suppressions(client)
    assert (suppression["source"], suppression["reason"]) == ("provider", "unsubscribed")
    await office.shown(client, "unsubscribed")
    await office.tasks(client, "cancelled")


async def test_a_bounce_pauses_the_plan_until_it_is_released(office: Office) -> None:
    client = await office.client()
    assert await office.report(event("bounce", client, status="5.1.1", type="bounce")) == 200
    shown = await office.shown(client, "bounced")
    assert shown["unsubscribed_at"] is None
    path = f"/api/clients/{client['_id']}"
    await office.api.get_until(path, lambda r: bool(r.json()["plan_paused"]))
    paused = "The follow-ups were paused: the client's address does not take emails"
    assert paused in await office.words(client)
    [suppression] = await office.suppressions(client)
    release = f"/api/suppressions/{suppression['_id']}/release"
    assert (await office.api.http.post(release, json={})).status_code == 204
    await office.shown(client, None)
    await office.api.get_until(path, lambda r: not r.json()["plan_paused"])
    problem(await office.api.http.post(release, json={}), 404)


async def test_an_agent_records_an_opt_out_and_lifts_it_only_for_a_reason(office: Office) -> None:
    client = await office.client()
    for _ in range(2):
        said_no = await office.api.http.post(f"/api/clients/{client['_id']}/unsubscribe")
        assert said_no.status_code == 200, said_no.text
        assert said_no.json()["email_status"] == "unsubscribed"
    [suppression] = await office.suppressions(client)
    assert suppression["source"] == "agent"
    of_bounces = await office.api.http.get("/api/suppressions?reason=bounced")
    assert suppression not in of_bounces.json()
    release = f"/api/suppressions/{suppression['_id']}/release"
    problem(await office.api.http.post(release, json={}), 409, "reason")
    problem(await office.api.http.post(release, json={"reason": " "}), 422, "reason")
    why = {"reason": f"{client['email']} asked by phone"}
    assert (await office.api.http.post(release, json=why)).status_code == 204
    await office.shown(client, None)
    told = "This address may be written to again: <address> asked by phone"
    assert told in await office.words(client)


async def test_reports_that_cannot_be_placed_are_in_quarantine(office: Office) -> None:
    lost = {"event": "unsubscribe", "timestamp": 1, "email": f"{uuid4().hex}@mail.example"}
    for _ in range(2):
        assert await office.report(lost, "odd") == 200
    path = "/api/admin/quarantine"
    async with asyncio.timeout(60):
        while True:
            found = (await office.api.http.get(path)).json()
            reasons = sorted(one["reason"] for one in found)
            if len(reasons) == 2:
                break
            await asyncio.sleep(0.1)
    assert reasons == ["not an object", "unsubscribed: of an email that is not known"]
    assert all(one["name"].startswith("gateway/sendgrid-0-") for one in found)
