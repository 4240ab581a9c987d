"""What is decided after a letter was written still counts: each call asks before it is made."""

from functools import partial
from pathlib import Path

import pytest

from tests.journeys.agent_user import DAYS, Agent, Row, until
from tests.journeys.conftest import Providers
from tests.journeys.faulty_provider_system import faulty_provider_system
from tests.providers.webhook import event
from tests.servers import Server

pytestmark = pytest.mark.journey

NEW = "moved@new.example.com"


async def email_of(agent: Agent, client: str) -> Row:
    """Return the client's email, once it waits for another attempt."""
    found: list[Row] = []

    async def is_queued() -> bool:
        found[:] = await agent.rows("/api/emails", client_id=client)
        return bool(found)

    await until(is_queued, "the email is queued")
    return found[0]


async def changed(agent: Agent, client: str, **fields: str) -> None:
    response = await agent.http.patch(f"/api/clients/{client}", json=fields)
    assert response.status_code == 200, response.text


async def all_cancelled(agent: Agent, client: str) -> bool:
    """Return whether the client's five follow-ups are cancelled."""
    return await agent.statuses(client_id=client) == {"cancelled": len(DAYS)}


def times_asked(providers: Providers, name: str) -> int:
    """Return how many letters the language model was asked for, for the client of this name."""
    return sum(name in str(entry["messages"]) for entry in providers.openai.ledger())


async def turn(agent: Agent, action: str, state: str) -> None:
    """Pause or resume all sending, and wait for the state."""
    assert (await agent.post(f"/api/admin/sending/{action}")).is_success

    async def is_so() -> bool:
        return bool((await agent.http.get("/api/admin/sending")).json()["state"] == state)

    await until(is_so, f"sending is {state}")


@pytest.mark.timeout(240)
async def test_what_changes_while_the_provider_refuses_is_obeyed_when_it_accepts(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    # Each refusal is an attempt that counts.
    settings = {"RETRY_MAX_ATTEMPTS": "12", "PROVIDER_OUTAGE_GIVE_UP_SECONDS": "0"}
    names = ("Moved", "Lost", "Paused", "Cancelled", "Left", "Stays")
    async with faulty_provider_system(
        tmp_path, kafka, mongodb, prefix, providers, **settings
    ) as system:
        agent = system.agent
        await providers.sendgrid.inject_faults({"status": 503, "times": None})
        moved, lost, paused, cancelled, left, stays = clients = [
            await agent.add(name) for name in names
        ]
        emails = {client: await email_of(agent, client) for client in clients}
        await changed(agent, moved, email=NEW)
        await changed(agent, lost, stage="lost")
        assert (await agent.post(f"/api/clients/{paused}/plan/pause")).is_success
        ended = await agent.post(f"/api/emails/{emails[cancelled]['_id']}/cancel")
        assert ended.is_success, ended.text
        assert (await agent.post(f"/api/clients/{left}/unsubscribe")).is_success
        unwanted = [
            await agent.task(lost, "cancelled"),
            await agent.task(cancelled, "cancelled"),
            await agent.task(paused, "withheld"),
            await agent.task(left, "cancelled"),
        ]
        await until(partial(all_cancelled, agent, left), "the plan of who has opted out is over")
        asked_for_left = times_asked(providers, "Left")
        # All sending stops: what the provider would accept now waits, and loses nothing by it.
        await turn(agent, "pause", "paused")
        await providers.sendgrid.clear_faults()
        assert (await agent.task(stays, "composed"))["error_message"] is None
        await turn(agent, "resume", "active")
        sent = [await agent.task(client, "sent") for client in (moved, stays)]
        accepted = [entry for task in sent for entry in system.mails(task)]
        assert [entry["to"] for entry in accepted] == [[NEW], ["stays@example.com"]]
        assert [system.mails(task) for task in unwanted] == [[]] * len(unwanted)
        # For who has opted out, the model is not asked again: the plan is over.
        assert await all_cancelled(agent, left)
        assert times_asked(providers, "Left") == asked_for_left > 0
        # A report about the new address is of this email.
        assert await system.report(event("delivered", accepted[0])) == 200

        await providers.sendgrid.inject_faults({"status": 400, "times": None})
        mended = await agent.add("Mended")
        failed = await agent.task(mended, "failed")
        await providers.sendgrid.clear_faults()
        await changed(agent, mended, email="mended@new.example.com")
        assert (await agent.post(f"/api/tasks/{failed['_id']}/retry")).is_success
        await agent.task(mended, "sent")
        assert [entry["to"] for entry in system.mails(failed)] == [["mended@new.example.com"]]
        late = await agent.post(f"/api/tasks/{failed['_id']}/cancel")
        assert late.status_code == 409, late.text
