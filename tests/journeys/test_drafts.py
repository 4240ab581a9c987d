"""An agent reads letters before they are sent: nothing unapproved leaves, and exactly what was."""

from pathlib import Path

import httpx2
import pytest

from tests.journeys.agent_user import Agent, Row, agent_at, followups_in, until
from tests.journeys.conftest import Providers
from tests.ops.topics.recording import different
from tests.servers import Server
from tests.system import system

pytestmark = pytest.mark.journey

DAY_SECONDS = 3
# What mailer ends every letter with: who writes, and the way out.
_ENDING = "\n\nRealtorOS, 1 Main Street"
OWN_WORDS = "Hi,\n\nthese are my own words.\n\nAlex"


async def test_nothing_is_sent_that_the_agent_has_not_approved_as_it_is(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    environment = providers.settings | {"FOLLOWUP_DAY_SECONDS": str(DAY_SECONDS)}
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, environment=environment) as running,
        agent_at(running.api[0]) as agent,
    ):
        changed = await agent.http.patch("/api/agents/me", json={"review": "approve"})
        assert changed.status_code == 200, changed.text
        approved, revised, discarded, forgotten = [
            await agent.add(name) for name in ("Ann", "Ben", "Cleo", "Dan")
        ]
        tasks = {
            client: await agent.task(client, "written")
            for client in (approved, revised, discarded, forgotten)
        }
        listed = await agent.rows("/api/drafts")
        assert {draft["_id"] for draft in listed} >= {task["_id"] for task in tasks.values()}
        assert not providers.sendgrid.ledger()

        shown = await _draft(agent, tasks[approved])
        assert (await _post(agent, tasks[approved], "approve")).status_code == 428
        assert (await _post(agent, tasks[approved], "approve", "*")).status_code == 428
        assert (await _post(agent, tasks[approved], "approve", '"other"')).status_code == 412
        tag = shown.headers["etag"]
        assert (await _post(agent, tasks[approved], "approve", tag)).status_code == 204
        await agent.task(approved, "sent")

        seen = (await _draft(agent, tasks[revised])).headers["etag"]
        path = f"/api/tasks/{tasks[revised]['_id']}/draft"
        change = await agent.http.patch(path, json={"body": OWN_WORDS})
        assert (change.status_code, change.json()["body"]) == (200, OWN_WORDS)
        # What was read before is not what is there now.
        assert (await _post(agent, tasks[revised], "approve", seen)).status_code == 412
        assert (await _post(agent, tasks[revised], "test")).status_code == 204
        both = [
            {"task_id": tasks[revised]["_id"], "version": change.json()["version"]},
            {"task_id": tasks[discarded]["_id"], "version": 1},
        ]
        many = (await agent.http.post("/api/drafts/approve", json={"drafts": both})).json()
        assert (many["approved"], many["refused"]) == (1, 1)
        await agent.task(revised, "sent")

        assert (await _post(agent, tasks[discarded], "discard")).status_code == 204
        await agent.task(discarded, "cancelled")
        await agent.task(forgotten, "cancelled")

        bodies = _bodies(providers)
        assert bodies["ann@example.com"] == [shown.json()["body"]]
        assert bodies["ben@example.com"] == [OWN_WORDS]
        assert not bodies.keys() & {"cleo@example.com", "dan@example.com"}
        ledger = providers.sendgrid.ledger()
        tests = [entry for entry in ledger if "notice_id" in entry["custom_args"]]
        assert [OWN_WORDS in _text(entry) for entry in tests] == [True]
        letters = [entry for entry in ledger if "email_id" in entry["custom_args"]]
        assert set(followups_in(letters).values()) == {1}
        assert running.errors() == []
    assert await different(kafka, mongodb, prefix) == []


async def test_a_letter_made_ahead_is_sent_when_it_is_due(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    environment = providers.settings | {"FOLLOWUP_DAY_SECONDS": "60"}
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, environment=environment) as running,
        agent_at(running.api[0]) as agent,
    ):
        client = await agent.add("Eve")
        [task, *_] = await agent.rows("/api/tasks", client_id=client, status="pending")
        path = f"/api/tasks/{task['_id']}/draft"
        assert (await agent.http.get(path)).status_code == 404
        assert (await agent.post(path)).status_code in (201, 202)

        async def is_written() -> bool:
            draft = await agent.http.get(path)
            return draft.status_code == 200 and draft.json()["status"] == "waiting"

        await until(is_written, "the letter is written ahead")
        assert (await agent.post(path, {"instructions": "Shorter"})).status_code in (201, 202)
        await until(is_written, "another letter is written")
        before = (await agent.http.get(path)).json()
        assert not before["due"]
        assert (await agent.http.get(f"/api/tasks/{task['_id']}")).json()["status"] == "pending"
        moved = await agent.http.patch(f"/api/clients/{client}", json={"email": "new@example.com"})
        assert moved.status_code == 200
        tag = (await agent.http.get(path)).headers["etag"]
        assert (await _post(agent, task, "approve", tag)).status_code == 204
        sent_now = await agent.http.patch(f"/api/tasks/{task['_id']}", json={"send_now": True})
        assert sent_now.status_code == 200, sent_now.text
        await agent.task(client, "sent")
        assert _bodies(providers)["new@example.com"] == [before["body"]]
        assert running.errors() == []
    assert await different(kafka, mongodb, prefix) == []


async def _draft(agent: Agent, task: Row) -> httpx2.Response:
    response = await agent.http.get(f"/api/tasks/{task['_id']}/draft")
    assert response.status_code == 200, response.text
    return response


async def _post(agent: Agent, task: Row, action: str, tag: str | None = None) -> httpx2.Response:
    headers = {"If-Match": tag} if tag else {}
    return await agent.http.post(f"/api/tasks/{task['_id']}/draft/{action}", headers=headers)


def _text(entry: Row) -> str:
    return str(entry["request"]["content"][0]["value"])


def _bodies(providers: Providers) -> dict[str, list[str]]:
    """Return what the provider has got for clients, by address, without what ends every letter."""
    bodies: dict[str, list[str]] = {}
    for entry in providers.sendgrid.ledger():
        if "email_id" in entry["custom_args"]:
            text = _text(entry).partition(_ENDING)[0]
            bodies.setdefault(entry["to"][0], []).append(text)
    return bodies
