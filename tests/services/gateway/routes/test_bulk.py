"""The same change to many clients or follow-ups: each once, with an outcome for each."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.servers import Server
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import Person, person
from tests.system import drop_databases, new_prefix, system
from tests.writes import carried_out

MANY = 1_234
Json = dict[str, Any]


@pytest.fixture(scope="module")
async def url(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """A gateway over crm and scheduler: nothing is sent."""
    await drop_databases(mongodb_server)
    async with system(
        tmp_path_factory.mktemp("bulk"),
        kafka,
        mongodb_server,
        prefix=new_prefix(),
        services=("crm", "scheduler", "gateway"),
        environment={"REGISTRATION": "true"},
    ) as running:
        yield running.api[0]


@pytest.fixture
async def agent(url: str) -> AsyncIterator[Person]:
    async with person(url) as agent:
        yield agent


async def add(agent: Person, *stages: str, **fields: Any) -> list[str]:
    """Add a client at each stage; return the ids."""
    found = []
    for stage in stages:
        email = f"{uuid4().hex[:12]}@mail.example.com"
        body = {"name": "Ana", "email": email, "stage": stage} | fields
        found.append((await carried_out(agent.http, "/api/clients", body)).json()["client_id"])
    return found


async def change(agent: Person, of: str, body: Json, key: str | None = None) -> Json:
    headers = {"Idempotency-Key": key} if key else {}
    answer = await agent.http.post(f"/api/{of}/bulk", json=body, headers=headers, timeout=90)
    assert answer.status_code == 200, answer.text
    report: Json = answer.json()
    counts = Counter(one["outcome"] for one in report["outcomes"])
    kinds = ("done", "unchanged", "refused", "pending")
    assert {kind: report[kind] for kind in kinds} == {kind: counts[kind] for kind in kinds}
    return report


async def counts(agent: Person) -> Json:
    by_stage: Json = (await agent.http.get("/api/clients/counts")).json()["by_stage"]
    return {stage: count for stage, count in by_stage.items() if count}


async def test_all_that_a_filter_finds_are_changed_and_a_repetition_changes_nothing(
    agent: Person,
) -> None:
    lines = (f"Ana {n},ana.{n}@mail.example.com,lead" for n in range(MANY))
    file = "\n".join(("name,email,stage", *lines))
    headers = {"Content-Type": "text/csv"}
    answer = await agent.http.post("/api/clients/import", content=file, headers=headers, timeout=90)
    assert answer.json()["imported"] == MANY
    await add(agent, "lost")
    body: Json = {
        "selection": {"filter": {"stage": ["lead"]}},
        "action": {"kind": "stage", "stage": "negotiating"},
        "expected_count": MANY,
    }
    report = await change(agent, "clients", body, key=uuid4().hex)
    assert report["done"] == MANY
    assert await counts(agent) == {"negotiating": MANY, "lost": 1}
    # As after an answer that was lost: none of them is a lead any more.
    problem(await agent.http.post("/api/clients/bulk", json=body), 409)
    some = [one["id"] for one in report["outcomes"]][:1_000]
    again = body | {"selection": {"ids": some}, "expected_count": 1_000}
    assert (await change(agent, "clients", again))["unchanged"] == 1_000
    assert await counts(agent) == {"negotiating": MANY, "lost": 1}


async def test_other_than_expected_nothing_is_done(agent: Person) -> None:
    ids = await add(agent, "lead", "lead")
    action = {"kind": "stage", "stage": "closed"}
    selections: list[Json] = [{"filter": {}}, {"filter": {"q": "ana"}}, {"ids": ids}]
    for selection in selections:
        for expected in (1, 3):
            body = {"selection": selection, "action": action, "expected_count": expected}
            answer = await agent.http.post("/api/clients/bulk", json=body)
            problem(answer, 409)
            assert answer.json()["detail"].startswith(f"2 are selected now, not {expected}")
    assert await counts(agent) == {"lead": 2}


async def test_plans_are_paused_resumed_and_begun_where_that_is_possible(agent: Person) -> None:
    lead, closed = await add(agent, "lead", "closed")
    unknown, other = str(uuid4()), {}
    ids = [lead, closed, unknown]

    async def outcomes(kind: str, **fields: Any) -> list[str]:
        action = {"kind": kind} | fields
        body = {"selection": {"ids": ids}, "action": action, "expected_count": 3}
        report = await change(agent, "clients", body)
        assert [one["id"] for one in report["outcomes"]] == ids
        other.update({one["id"]: one["reason"] for one in report["outcomes"]})
        return [one["outcome"] for one in report["outcomes"]]

    assert await outcomes("pause") == ["done", "done", "refused"]
    assert await outcomes("pause") == ["unchanged", "unchanged", "refused"]
    paused = await agent.http.get("/api/clients?plan_paused=true")
    assert {client["_id"] for client in paused.json()} == {lead, closed}
    assert await outcomes("resume") == ["done", "done", "refused"]
    assert (await outcomes("plan"))[0] == "refused"
    assert "pending" in other[lead]
    assert (await agent.http.post(f"/api/clients/{lead}/plan/cancel")).is_success
    assert (await outcomes("plan"))[0] == "done"
    assert len((await agent.http.get(f"/api/tasks?client_id={lead}&status=pending")).json()) == 5
    assert await outcomes("plan", sequence="No such") == ["refused"] * 3


async def test_another_agent_s_are_not_found(url: str, agent: Person) -> None:
    [client] = await add(agent, "lead")
    task = (await agent.http.get("/api/tasks")).json()[0]["_id"]
    async with person(url) as other:
        for of, id_, kind in (("clients", client, "pause"), ("tasks", task, "cancel")):
            body = {"selection": {"ids": [id_]}, "action": {"kind": kind}, "expected_count": 1}
            report = await change(other, of, body)
            assert (report["refused"], report["done"]) == (1, 0)
            none = body | {"selection": {"filter": {}}, "expected_count": 0}
            assert (await change(other, of, none))["outcomes"] == []
    assert (await agent.http.get("/api/tasks?status=pending")).headers["x-total-count"] == "5"


async def test_followups_are_cancelled_and_given_another_priority(agent: Person) -> None:
    first, second = await add(agent, "lead", "lead")
    await add(agent, "lead", name="Bo")
    key = uuid4().hex
    body: Json = {
        "selection": {"filter": {"q": "ana", "priority": ["high", "low"]}},
        "action": {"kind": "priority", "priority": "low"},
        "expected_count": 6,
    }
    report = await change(agent, "tasks", body, key)
    assert (report["done"], report["unchanged"]) == (2, 4)
    # The response is stored under the key.
    assert await change(agent, "tasks", body, key) == report
    cancel = {
        "selection": {"filter": {"client_id": first, "status": ["pending"]}},
        "action": {"kind": "cancel"},
        "expected_count": 5,
    }
    assert (await change(agent, "tasks", cancel))["done"] == 5
    ids = [task["_id"] for task in (await agent.http.get(f"/api/clients/{first}/tasks")).json()]
    again = cancel | {"selection": {"ids": ids}}
    assert (await change(agent, "tasks", again))["unchanged"] == 5
    left = await agent.http.get(f"/api/tasks?status=pending&client_id={second}")
    assert left.headers["x-total-count"] == "5"


async def test_what_is_on_its_way_is_pending_until_it_is_stopped(agent: Person) -> None:
    # Nobody writes letters here: what is due stays so, and whether it is stopped is not known.
    [client] = await add(agent, "lead")
    task = (await agent.http.get(f"/api/clients/{client}/tasks")).json()[0]["_id"]
    await agent.http.patch(f"/api/tasks/{task}", json={"send_now": True})
    shown = f"/api/tasks/{task}"
    while (await agent.http.get(shown)).json()["status"] != "due":
        pass
    body = {"selection": {"ids": [task]}, "action": {"kind": "cancel"}, "expected_count": 1}
    [one] = (await change(agent, "tasks", body))["outcomes"]
    assert one["outcome"] == "pending"
    status = await agent.http.get(f"/api/commands/{one['command_id']}")
    assert status.json()["status"] == "accepted"


ONE = [str(uuid4())]


@pytest.mark.parametrize(
    ("of", "changes", "field"),
    [
        ("clients", {"selection": {}}, "selection"),
        ("clients", {"selection": {"ids": ONE, "filter": {}}}, "selection"),
        ("clients", {"selection": {"ids": []}}, "selection.ids"),
        ("clients", {"selection": {"ids": ONE * 1_001}}, "selection.ids"),
        ("clients", {"selection": {"filter": {"stage": ["castle"]}}}, "selection.filter.stage.0"),
        ("clients", {"selection": {"filter": {"name": "Ana"}}}, "selection.filter.name"),
        ("clients", {"action": {"kind": "delete"}}, "action.kind"),
        ("clients", {"action": {"kind": "stage"}}, "action"),
        ("clients", {"action": {"kind": "pause", "stage": "lead"}}, "action"),
        ("clients", {"expected_count": -1}, "expected_count"),
        ("clients", {"expected_count": None}, "expected_count"),
        ("tasks", {"action": {"kind": "priority"}}, "action"),
        ("tasks", {"selection": {"filter": {"due_before": "soon"}}}, "selection.filter.due_before"),
    ],
)
async def test_what_is_wrong_is_named(agent: Person, of: str, changes: Json, field: str) -> None:
    kind = "pause" if of == "clients" else "cancel"
    body: Json = {"selection": {"ids": ONE}, "action": {"kind": kind}, "expected_count": 1}
    answer = await agent.http.post(f"/api/{of}/bulk", json=body | changes)
    problem(answer, 422, field)
