"""What fails or stays unknown is told to the admin once, and settled by a report or a person."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.journeys.agent_user import ENDS, until
from tests.journeys.conftest import Providers
from tests.journeys.failing_providers import Scene, scene
from tests.providers.webhook import PATH, event
from tests.servers import Server
from tests.system import empty, prefix_on

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
async def shared(
    tmp_path_factory: pytest.TempPathFactory,
    kafka: Server,
    mongodb_server: Server,
    providers: Providers,
) -> AsyncIterator[Scene]:
    """One scene for all tests that need no settings of their own."""
    await empty(mongodb_server)
    folder = tmp_path_factory.mktemp("settling")
    async with (
        prefix_on(kafka) as prefix,
        scene(folder, kafka, mongodb_server, prefix, providers) as shared,
    ):
        yield shared


@pytest.fixture
async def here(shared: Scene) -> AsyncIterator[Scene]:
    """The shared scene; afterwards nothing more comes to its clients, and the providers behave."""
    yield shared
    await shared.behave()
    for client in await shared.agent.rows("/api/clients"):
        await shared.agent.http.patch(f"/api/clients/{client['_id']}", json={"stage": "lost"})

    async def quiet() -> bool:
        return (await shared.agent.statuses()).keys() <= ENDS

    await until(quiet, "nothing is under way that would meet the next test's faults")


async def test_what_failed_for_good_is_told_once_and_sent_when_a_person_tries_again(
    here: Scene, providers: Providers
) -> None:
    await providers.openai.order({"status": 500, "times": 3})
    unwritten = await here.agent.task(await here.agent.add("Unwritten"), "failed")
    assert "answered 500" in unwritten["error_message"]
    assert "/retry" in await here.alerted(unwritten)
    await providers.sendgrid.order({"status": 400})
    unsent = await here.agent.task(await here.agent.add("Unsent"), "failed")
    assert "answered 400" in unsent["error_message"]
    assert f"https://realtoros.example/api/admin/tasks/{unsent['_id']}/retry" in await here.alerted(
        unsent
    )
    assert here.mails(unwritten) == here.mails(unsent) == []
    for task in (unwritten, unsent):
        path = f"/api/tasks/{task['_id']}"
        response = await here.agent.post(f"{path}/retry")
        assert (response.status_code, response.json()["_id"]) == (200, task["_id"])
        await here.agent.task(task["client_id"], "sent")
        refused = await here.agent.post(f"{path}/retry")
        assert refused.status_code == 409
        assert "sent" in refused.json()["detail"]
        assert len(here.mails(task)) == len(here.alerts(task)) == 1
    assert (await here.agent.post(f"/api/tasks/{unsent['client_id']}/retry")).status_code == 404


async def test_an_unknown_outcome_is_settled_by_the_provider_s_report_or_held_for_a_person(
    here: Scene, providers: Providers
) -> None:
    await providers.sendgrid.order({"drop": "after", "times": 3})
    names = ("Reported", "Spoken", "Resent")
    clients = await asyncio.gather(*(here.agent.add(name) for name in names))
    reported, spoken, resent = await asyncio.gather(
        *(here.agent.task(client, "unknown") for client in clients)
    )
    [entry] = here.mails(reported)
    assert await here.report(event("delivered", entry)) == 200
    await here.agent.task(reported["client_id"], "sent")
    emails = {row["task_id"]: row for row in await here.agent.rows("/api/emails")}
    path = f"/api/emails/{emails[resent['_id']]['_id']}/resolve"
    early = await here.agent.post(path, {"resolution": "resend"})
    assert early.status_code == 409
    assert "may still report" in early.json()["detail"]
    assert "/resolve" in await here.alerted(resent)
    assert "/resolve" in await here.alerted(spoken)
    said = await here.agent.post(
        f"/api/emails/{emails[spoken['_id']]['_id']}/resolve", {"resolution": "sent"}
    )
    assert (said.status_code, said.json()["status"]) == (200, "sent")
    wrong = await here.agent.post(path, {"resolution": "maybe"})
    assert wrong.status_code == 422
    assert (await here.agent.post(path, {"resolution": "resend"})).status_code == 200
    await here.agent.task(resent["client_id"], "sent")
    first, second = (entry["custom_args"] for entry in here.mails(resent))
    assert (first["attempt"], second["attempt"]) == ("1", "2")
    assert first["email_id"] == second["email_id"]
    assert [len(here.mails(task)) for task in (reported, spoken)] == [1, 1]
    assert [len(here.alerts(task)) for task in (reported, spoken, resent)] == [0, 1, 1]


async def test_an_opt_out_is_acknowledged_once_nothing_is_under_way_and_then_nothing_is_sent(
    here: Scene, providers: Providers
) -> None:
    # The email is under way for longer than it takes to suppress the address.
    await providers.sendgrid.order({"delay": 1.5})
    client = await here.agent.add("Leaving")
    first = await here.agent.task(client, "composed")

    async def accepted() -> bool:
        return bool(here.mails(first))

    await until(accepted, "the email is accepted, but not answered")
    [entry] = here.mails(first)
    told = event("unsubscribe", entry, email="Leaving@Example.com")
    assert await here.report(told, event("open", entry), {"no": "email of ours"}, 7) == 200
    assert (await here.agent.task(client, "sent"))["_id"] == first["_id"]
    next_one = await here.agent.task(client, "withheld", "Day 3")
    assert next_one["error_message"] == "address_suppressed"
    assert await here.report(told) == 200
    assert here.mails(next_one) == []
    body, headers = here.webhook.request([told])
    forged = await here.agent.http.post(PATH, content=body + b" ", headers=headers)
    assert forged.status_code == 403
    unsigned = await here.agent.http.post(PATH, content=body)
    assert unsigned.status_code == 403
    assert (await here.report("not", "of", "ours")) == 200
    body, headers = here.webhook.request({"not": "a list"})  # type: ignore[arg-type]
    assert (await here.agent.http.post(PATH, content=body, headers=headers)).status_code == 422


async def test_letters_are_signed_with_the_profile_as_the_agent_has_changed_it(here: Scene) -> None:
    change = {"signature": "Warmly,\nAna", "reply_to": "ana@reed.example.com"}
    before = (await here.agent.http.get("/api/agents/me")).json()
    assert (await here.agent.http.patch("/api/agents/me", json=change)).is_success
    task = await here.agent.task(await here.agent.add("Signed"), "sent")
    [mail] = here.mails(task)
    assert mail["request"]["reply_to"] == {"email": "ana@reed.example.com"}
    assert "Warmly,\nAna" in mail["request"]["content"][0]["value"]
    await here.agent.http.patch("/api/agents/me", json={name: before[name] for name in change})
