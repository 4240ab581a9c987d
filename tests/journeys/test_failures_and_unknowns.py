"""Failed and unknown emails: the admin is alerted once; a report or a person resolves them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from ops.api_client.retry import retry_failed
from tests.journeys.agent_user import FINAL_STATUSES, until
from tests.journeys.conftest import Providers
from tests.journeys.faulty_provider_system import FaultyProviderSystem, faulty_provider_system
from tests.providers.webhook import PATH, event
from tests.servers import Server
from tests.system import KEY, drop_databases, topic_prefix

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
async def shared(
    tmp_path_factory: pytest.TempPathFactory,
    kafka: Server,
    mongodb_server: Server,
    providers: Providers,
) -> AsyncIterator[FaultyProviderSystem]:
    """One system for all tests that need no settings of their own."""
    await drop_databases(mongodb_server)
    folder = tmp_path_factory.mktemp("settling")
    async with (
        topic_prefix(kafka) as prefix,
        faulty_provider_system(folder, kafka, mongodb_server, prefix, providers) as shared,
    ):
        yield shared


@pytest.fixture
async def system(shared: FaultyProviderSystem) -> AsyncIterator[FaultyProviderSystem]:
    """The shared system; afterwards the faults and its clients' follow-ups are over."""
    yield shared
    await shared.clear_faults()
    for client in await shared.agent.rows("/api/clients"):
        await shared.agent.http.patch(f"/api/clients/{client['_id']}", json={"stage": "lost"})

    async def quiet() -> bool:
        return (await shared.agent.statuses()).keys() <= FINAL_STATUSES

    await until(quiet, "no follow-up is left to meet the next test's faults")


async def test_a_final_failure_is_alerted_once_and_sent_when_the_agent_retries(
    system: FaultyProviderSystem, providers: Providers
) -> None:
    await providers.openai.inject_faults({"malformed": True, "times": 3, "containing": "Unwritten"})
    unwritten = await system.agent.task(await system.agent.add("Unwritten"), "failed")
    assert "malformed" in unwritten["error_message"]
    alert = await system.alerted(unwritten)
    assert "Client: Unwritten (" in alert
    assert "/retry" in alert
    await providers.sendgrid.inject_faults({"status": 400, "containing": "unsent@example.com"})
    unsent = await system.agent.task(await system.agent.add("Unsent"), "failed")
    assert "answered 400" in unsent["error_message"]
    assert (
        f"https://realtoros.example/api/admin/tasks/{unsent['_id']}/retry"
        in await system.alerted(unsent)
    )
    assert system.mails(unwritten) == system.mails(unsent) == []
    for task in (unwritten, unsent):
        path = f"/api/tasks/{task['_id']}"
        response = await system.agent.post(f"{path}/retry")
        assert (response.status_code, response.json()["_id"]) == (200, task["_id"])
        await system.agent.task(task["client_id"], "sent")
        refused = await system.agent.post(f"{path}/retry")
        assert refused.status_code == 409
        assert "sent" in refused.json()["detail"]
        assert len(system.mails(task)) == len(system.alerts(task)) == 1
    assert (await system.agent.post(f"/api/tasks/{unsent['client_id']}/retry")).status_code == 404


async def test_many_that_failed_are_settled_by_one_request(
    system: FaultyProviderSystem, providers: Providers
) -> None:
    await providers.openai.inject_faults({"refusal": True, "times": None})
    began = datetime.now(UTC)
    clients = [await system.agent.add(f"Many{number}") for number in range(6)]
    failed = [await system.agent.task(client, "failed") for client in clients]
    await providers.openai.clear_faults()
    [first, second, *others] = [task["_id"] for task in failed]
    unknown = str(uuid4())
    named = await system.agent.post("/api/tasks/retry", {"ids": [first, unknown]})
    assert named.status_code == 200, named.text
    outcomes = {task["task_id"]: task["outcome"] for task in named.json()["tasks"]}
    assert outcomes == {first: "retried", unknown: "refused"}
    again = await system.agent.post("/api/tasks/retry", {"ids": [first]})
    assert (again.json()["retried"], again.json()["refused"]) == (0, 1)
    one = await system.agent.post("/api/tasks/retry", {"client_id": clients[1]})
    # Its next one may have fallen due, and failed, meanwhile.
    assert second in [task["task_id"] for task in one.json()["tasks"]]
    assert first not in [task["task_id"] for task in one.json()["tasks"]]
    later = {"failed_since": datetime.now(UTC).isoformat()}
    assert (await system.agent.post("/api/tasks/retry", later)).json()["tasks"] == []
    said: list[str] = []
    url = str(system.agent.http.base_url)
    assert await retry_failed(url, KEY, began, said.append) == 0
    # Those of other clients that fell due meanwhile are among them.
    [retried] = said
    assert int(retried.removesuffix(" retried")) >= len(others)
    for client in clients:
        await system.agent.task(client, "sent")
    assert [len(system.mails(task)) for task in failed] == [1] * len(failed)
    assert await retry_failed(url, KEY, began, said.append) == 0
    assert said[1:] == ["nothing failed"]
    wrong = await system.agent.post("/api/tasks/retry", {"since": "yesterday"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "since")


async def test_an_unknown_outcome_is_resolved_by_the_provider_s_report_or_held_for_a_person(
    system: FaultyProviderSystem, providers: Providers
) -> None:
    names = ("Reported", "Resolved", "Resent")
    await providers.sendgrid.inject_faults(
        *({"drop": "after", "containing": f"{name.lower()}@example.com"} for name in names)
    )
    clients = await asyncio.gather(*(system.agent.add(name) for name in names))
    reported, resolved, resent = await asyncio.gather(
        *(system.agent.task(client, "unknown") for client in clients)
    )
    [entry] = system.mails(reported)
    assert await system.report(event("delivered", entry)) == 200
    await system.agent.task(reported["client_id"], "sent")
    emails = {row["task_id"]: row for row in await system.agent.rows("/api/emails")}
    path = f"/api/emails/{emails[resent['_id']]['_id']}/resolve"
    early = await system.agent.post(path, {"resolution": "resend"})
    assert early.status_code == 409
    assert "may still report" in early.json()["detail"]
    assert "/resolve" in await system.alerted(resent)
    assert "/resolve" in await system.alerted(resolved)
    response = await system.agent.post(
        f"/api/emails/{emails[resolved['_id']]['_id']}/resolve", {"resolution": "sent"}
    )
    assert (response.status_code, response.json()["status"]) == (200, "sent")
    wrong = await system.agent.post(path, {"resolution": "maybe"})
    assert wrong.status_code == 422
    assert (await system.agent.post(path, {"resolution": "resend"})).status_code == 200
    await system.agent.task(resent["client_id"], "sent")
    first, second = (entry["custom_args"] for entry in system.mails(resent))
    assert (first["send_attempt"], second["send_attempt"]) == ("1", "2")
    assert first["email_id"] == second["email_id"]
    assert [len(system.mails(task)) for task in (reported, resolved)] == [1, 1]
    assert [len(system.alerts(task)) for task in (reported, resolved, resent)] == [0, 1, 1]


async def test_an_opt_out_is_acknowledged_once_no_email_is_in_flight_and_then_nothing_is_sent(
    system: FaultyProviderSystem, providers: Providers
) -> None:
    # The email is in flight for longer than it takes to suppress the address.
    await providers.sendgrid.inject_faults({"delay": 1.5, "containing": "leaving@example.com"})
    client = await system.agent.add("Leaving")
    first = await system.agent.task(client, "composed")

    async def accepted() -> bool:
        return bool(system.mails(first))

    await until(accepted, "the email is accepted, but not answered")
    [entry] = system.mails(first)
    # Told of another client: this one's plan goes on, so it is the address that counts.
    about = {"client_id": str(uuid4())}
    opt_out = event("unsubscribe", entry, email="Leaving@Example.com", **about)
    assert await system.report(opt_out, event("open", entry), {"no": "email of ours"}, 7) == 200
    assert (await system.agent.task(client, "sent"))["_id"] == first["_id"]
    next_one = await system.agent.task(client, "withheld", "Day 3")
    assert next_one["error_message"] == "address_suppressed"
    assert await system.report(opt_out) == 200
    assert system.mails(next_one) == []
    body, headers = system.webhook.request([opt_out])
    forged = await system.agent.http.post(PATH, content=body + b" ", headers=headers)
    assert forged.status_code == 403
    unsigned = await system.agent.http.post(PATH, content=body)
    assert unsigned.status_code == 403
    assert (await system.report("not", "of", "ours")) == 200
    body, headers = system.webhook.request({"not": "a list"})  # type: ignore[arg-type]
    assert (await system.agent.http.post(PATH, content=body, headers=headers)).status_code == 422


async def test_an_opt_out_for_one_spelling_of_an_address_withholds_mail_to_the_other(
    system: FaultyProviderSystem,
) -> None:
    wire = "jo{}@xn--bcher-kva.example.com"
    for number, (client_of, reported) in enumerate(
        (
            (wire, "jo{}@bücher.example.com"),
            ("jo{}@bücher.example.com", " JO{}@XN--BCHER-KVA.example.com "),
        )
    ):
        client = await system.agent.add(f"Jo {number}", client_of.format(number))
        first = await system.agent.task(client, "sent")
        [entry] = system.mails(first)
        assert entry["to"] == [wire.format(number)]
        about = {"client_id": str(uuid4())}
        opt_out = event("unsubscribe", entry, email=reported.format(number), **about)
        assert await system.report(opt_out) == 200
        next_one = await system.agent.task(client, "withheld", "Day 3")
        assert next_one["error_message"] == "address_suppressed"
        assert system.mails(next_one) == []
        body, headers = system.webhook.request([opt_out], timestamp="1700000000")
        stale = await system.agent.http.post(PATH, content=body, headers=headers)
        assert stale.status_code == 403


async def test_emails_are_signed_with_the_agent_s_changed_profile(
    system: FaultyProviderSystem,
) -> None:
    change = {"signature": "Warmly,\nAna", "reply_to": "ana@reed.example.com"}
    before = (await system.agent.http.get("/api/agents/me")).json()
    assert (await system.agent.http.patch("/api/agents/me", json=change)).is_success
    task = await system.agent.task(await system.agent.add("Signed"), "sent")
    [mail] = system.mails(task)
    assert mail["request"]["reply_to"] == {"email": "ana@reed.example.com"}
    assert "Warmly,\nAna" in mail["request"]["content"][0]["value"]
    await system.agent.http.patch("/api/agents/me", json={name: before[name] for name in change})
