"""The timeline over HTTP: every event of a client's story, once, in words, for its agent only."""

import asyncio
import re
from typing import Any
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient

from contracts.message import rfc3339
from services.gateway.commands.sendgrid_reports import without_addresses
from services.gateway.read_models.timeline import TimelineEntry
from tests.servers import Server
from tests.services.gateway.client_events import NOON, Story
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.system import AGENT

OF_THE_SECOND = (
    *("A link in the email was clicked", "Email was opened", "Email was delivered"),
    *("Email was sent", "Email is being sent", "Email is ready to be sent"),
    *("Follow-up Day 3 was written", "Follow-up Day 3 is being written"),
    *("Follow-up Day 3 is due", "Follow-up Day 1 was cancelled: you decided so"),
    "5 follow-ups were planned",
)


@pytest.mark.parametrize(
    ("reason", "stored"),
    [
        (
            "550 5.1.1 <Jane.Doe+x@mail.example.com>: no such user",
            "550 5.1.1 <<address>>: no such user",
        ),
        ("jane@mail.example.com, bo@x.example refused", "<address>, <address> refused"),
        ('mailbox "jané@mail.example.com" is full', 'mailbox "<address>" is full'),
        ("550 mailbox unavailable", "550 mailbox unavailable"),
        ("mailto:jane@mail.example.com", "mailto:<address>"),
        # Quick, whatever a server writes.
        pytest.param("a" * 1_000_000, "a" * 1_000_000, id="long"),
        pytest.param("@" * 1_000_000, "<address>", id="many"),
    ],
)
def test_the_reason_of_a_bounce_is_stored_without_the_address(reason: str, stored: str) -> None:
    assert without_addresses(reason) == stored


@pytest.fixture(scope="module")
async def story(api: Api) -> Story:
    """A client whose second follow-up went all its way."""
    story = Story(AGENT, await api.add(name="Maria López"))
    await api.publish(
        *(story.planned(), story.cancelled(0, 1), story.due(1, 3), story.requested(1, 3)),
        *(story.composed(1, 3), story.queued(1, 3), story.started(1, 3), story.sent(1, 3)),
        *(story.delivered(1, 3), story.opened(1, 4), story.clicked(1, 4)),
    )
    await api.get_until(f"/api/clients/{story.client}/timeline", lambda r: len(r.json()) == 12)
    return story


async def test_a_clients_timeline_is_complete_and_newest_first(api: Api, story: Story) -> None:
    response = await api.http.get(f"/api/clients/{story.client}/timeline")
    assert response.headers["x-total-count"] == "12"
    entries = response.json()
    assert [entry["words"] for entry in entries] == [*OF_THE_SECOND, "Client was added"]
    assert [entry["at"] for entry in entries] == sorted((e["at"] for e in entries), reverse=True)
    assert {entry["client_id"] for entry in entries} == {str(story.client)}
    assert {entry["client_name"] for entry in entries} == {"Maria López"}
    assert {entry["subject"] for entry in entries if "email_id" in entry["data"]} == {"Hello"}
    sent = entries[3]
    assert sent.keys() == TimelineEntry.model_fields.keys()
    assert sent["type"] == "EmailSent"
    assert sent["data"] == {
        "email_id": str(story.emails[1]),
        "followup_id": str(story.ids[1]),
        "attempt": 1,
        "provider_message_id": "m1",
        "sent_at": rfc3339(story.sent(1, 3).sent_at),
    }


async def test_it_comes_page_by_page(api: Api, story: Story) -> None:
    path, found = f"/api/clients/{story.client}/timeline?limit=5", []
    while path:
        response = await api.http.get(path)
        assert response.headers["x-total-count"] == "12"
        found += [entry["id"] for entry in response.json()]
        following = re.search(r'<([^>]*)>; rel="next"', response.headers["link"])
        path = following[1] if following else ""
    assert len(set(found)) == len(found) == 12
    problem(await api.http.get(f"/api/clients/{story.client}/timeline?limit=0"), 422, "limit")


async def test_the_dashboard_tells_of_all_clients_also_of_one_that_is_gone(
    api: Api, story: Story
) -> None:
    gone = await api.add(name="Bo")
    assert (await api.http.delete(f"/api/clients/{gone}")).is_success
    entries = (await api.http.get("/api/dashboard/activity?limit=100")).json()
    assert [entry["at"] for entry in entries] == sorted((e["at"] for e in entries), reverse=True)
    assert [e["words"] for e in entries if e["client_id"] == str(story.client)][:3] == [
        *OF_THE_SECOND[:3]
    ]
    of_gone = [(e["type"], e["client_name"]) for e in entries if e["client_id"] == gone]
    assert of_gone == [("ClientDeleted", None), ("ClientCreated", None)]
    problem(await api.http.get(f"/api/clients/{gone}/timeline"), 404)


async def test_what_is_another_agent_s_is_in_no_list(api: Api, mongodb_server: Server) -> None:
    foreign = Story(uuid4(), uuid4())
    await api.publish(foreign.planned(), foreign.due(0, 1))
    own = await api.add()
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        mongodb_server.address, uuidRepresentation="standard"
    )
    async with client:
        timeline = client["realtoros_gateway"]["timeline"]
        async with asyncio.timeout(30):
            while await timeline.count_documents({"client_id": foreign.client}) < 2:
                await asyncio.sleep(0.05)
    problem(await api.http.get(f"/api/clients/{foreign.client}/timeline"), 404)
    entries = (await api.http.get("/api/dashboard/activity?limit=100")).json()
    assert own in {entry["client_id"] for entry in entries}
    assert str(foreign.client) not in {entry["client_id"] for entry in entries}
    problem(await api.http.get(f"/api/clients/{uuid4()}/timeline"), 404)


async def test_nothing_personal_is_stored_in_it(
    api: Api, story: Story, mongodb_server: Server
) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        mongodb_server.address, uuidRepresentation="standard", tz_aware=True
    )
    async with client:
        lines = client["realtoros_gateway"]["timeline"].find({"client_id": story.client})
        stored = [raw async for raw in lines]
    assert len(stored) == 12
    for raw in stored:
        assert raw.keys() == {
            *("_id", "agent_id", "client_id", "type", "stream", "version", "at", "data")
        }
        assert raw["agent_id"] == AGENT
        assert not {"personal", "agent_id", "client_id"} & raw["data"].keys()
        for text in ("Maria", "maria@mail.example", "Hello"):
            assert text not in str(raw)
    assert next(raw["data"]["planned_at"] for raw in stored if "planned_at" in raw["data"]) == NOON
