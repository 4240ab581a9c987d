"""Follow-ups over HTTP: changed, cancelled, paused, and what only a pending one allows."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem

SOON = datetime.now(UTC) + timedelta(days=400)


async def planned(api: Api) -> tuple[str, list[dict[str, Any]]]:
    """Add a client; give its path and follow-ups."""
    path = f"/api/clients/{await api.add()}"
    # The response to a new client comes when they can be read.
    tasks = (await api.http.get(f"{path}/tasks")).json()
    assert len(tasks) == 5
    return path, tasks


async def test_a_follow_up_is_moved_reprioritised_and_annotated(planning: Api) -> None:
    _, tasks = await planned(planning)
    path = f"/api/tasks/{tasks[1]['_id']}"
    when = SOON.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    change = {"scheduled_for": when, "priority": "high", "notes": "Ask about the roof."}
    response = await planning.http.patch(path, json=change)
    assert response.status_code == 200, response.text
    now = {"updated_at": response.json()["updated_at"], "flagged": None}
    assert response.json().items() >= (change | now).items()
    assert tasks[1].keys() - response.json().keys() == {"client_name", "subject", "email_status"}
    assert (await planning.http.get(path)).json() == response.json()
    emptied = await planning.http.patch(path, json={"notes": None})
    assert (emptied.json()["notes"], emptied.json()["priority"]) == (None, "high")
    same = await planning.http.patch(path, json={})
    assert same.json() == emptied.json()


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"scheduled_for": "soon"}, "scheduled_for"),
        ({"scheduled_for": "2027-01-01T00:00:00"}, "scheduled_for"),
        ({"scheduled_for": None}, "scheduled_for"),
        ({"priority": "urgent"}, "priority"),
        ({"notes": "x" * 1001}, "notes"),
        ({"status": "sent"}, "status"),
    ],
)
async def test_a_wrong_change_is_named(planning: Api, change: dict[str, Any], wrong: str) -> None:
    _, tasks = await planned(planning)
    problem(await planning.http.patch(f"/api/tasks/{tasks[0]['_id']}", json=change), 422, wrong)


async def test_only_what_was_read_is_changed(planning: Api) -> None:
    _, tasks = await planned(planning)
    path = f"/api/tasks/{tasks[0]['_id']}"
    read = {"If-Match": (await planning.http.get(path)).headers["etag"]}
    moved = await planning.http.patch(path, json={"priority": "low"}, headers=read)
    assert moved.status_code == 200
    problem(await planning.http.patch(path, json={"notes": "late"}, headers=read), 412)
    problem(await planning.http.post(f"{path}/cancel", headers=read), 412)
    now = {"If-Match": moved.headers["etag"]}
    assert (await planning.http.post(f"{path}/cancel", headers=now)).json()["status"] == "cancelled"


async def test_what_is_cancelled_stays_so_and_keeps_its_notes(planning: Api) -> None:
    _, tasks = await planned(planning)
    path = f"/api/tasks/{tasks[2]['_id']}"
    assert (await planning.http.post(f"{path}/cancel")).json()["status"] == "cancelled"
    problem(await planning.http.post(f"{path}/cancel"), 409)
    when = SOON.isoformat()
    problem(await planning.http.patch(path, json={"scheduled_for": when}), 409, "scheduled_for")
    noted = await planning.http.patch(path, json={"notes": "Bought elsewhere."})
    assert (noted.json()["status"], noted.json()["notes"]) == ("cancelled", "Bought elsewhere.")


async def test_a_reply_pauses_the_plan_and_is_told(planning: Api) -> None:
    path, _ = await planned(planning)
    assert (await planning.http.get(path)).json()["replied_at"] is None
    earlier = "2026-01-31T09:30:00.000Z"
    replied = await planning.http.post(f"{path}/replied", json={"replied_at": earlier})
    assert replied.status_code == 200
    assert (replied.json()["plan_paused"], replied.json()["replied_at"]) == (True, earlier)
    # Another one is told, and pauses nothing again; now, unless it says when.
    again = (await planning.http.post(f"{path}/replied")).json()
    assert again["replied_at"] > earlier
    told = (await planning.http.get(f"{path}/timeline")).json()
    assert [entry["words"] for entry in told][:3] == [
        "The client replied",
        "The follow-ups were paused: the client has replied",
        "The client replied",
    ]
    problem(await planning.http.post(f"{path}/replied", json={"at": earlier}), 422, "at")
    problem(await planning.http.post(f"/api/clients/{uuid4()}/replied"), 404)


async def test_a_plan_is_paused_resumed_and_cancelled(planning: Api) -> None:
    path, tasks = await planned(planning)
    assert (await planning.http.get(path)).json()["plan_paused"] is False
    paused = await planning.http.post(f"{path}/plan/pause")
    assert (paused.status_code, paused.json()["plan_paused"]) == (200, True)
    problem(await planning.http.post(f"{path}/plan/pause"), 409)
    # Its date has passed, but nothing falls due meanwhile.
    due = f"/api/tasks/{tasks[0]['_id']}"
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    past = {"scheduled_for": yesterday}
    problem(await planning.http.patch(due, json=past), 422, "scheduled_for")
    assert (await planning.http.patch(due, json=past | {"send_now": True})).is_success
    assert (await planning.http.get(due)).json()["status"] == "pending"
    resumed = await planning.http.post(f"{path}/plan/resume")
    assert resumed.json()["plan_paused"] is False
    await planning.get_until(due, lambda r: r.json()["status"] == "due")
    problem(await planning.http.post(f"{path}/plan/resume"), 409)
    # Composer, which has to stop the one that is due, does not run.
    assert (await planning.http.post(f"{path}/plan/cancel")).status_code == 202
    statuses = [t["status"] for t in (await planning.http.get(f"{path}/tasks")).json()]
    assert statuses == ["cancelled"] * 5
    problem(await planning.http.post(f"{path}/plan/cancel"), 409)


async def test_a_plan_starts_anew_when_nothing_is_pending_and_the_client_may_be_written_to(
    planning: Api,
) -> None:
    path, _ = await planned(planning)
    problem(await planning.http.post(f"{path}/plan"), 409)
    assert (await planning.http.patch(path, json={"stage": "lost"})).is_success
    statuses = {"cancelled"}
    await planning.get_until(
        f"{path}/tasks", lambda r: {task["status"] for task in r.json()} == statuses
    )
    problem(await planning.http.post(f"{path}/plan"), 409)
    assert (await planning.http.patch(path, json={"stage": "lead"})).is_success
    key = {"Idempotency-Key": str(uuid4())}
    started = await planning.http.post(f"{path}/plan", headers=key)
    assert started.status_code == 201, started.text
    steps = [(task["followup_type"], task["status"]) for task in started.json()]
    assert steps == [
        (step, "pending") for step in ("Day 1", "Day 3", "Week 1", "Week 2", "Month 1")
    ]
    again = await planning.http.post(f"{path}/plan", headers=key)
    assert again.json() == started.json()
    assert len((await planning.http.get(f"{path}/tasks")).json()) == 10
    timeline = (await planning.http.get(f"{path}/timeline")).json()
    assert "5 follow-ups were added" in [entry["words"] for entry in timeline]


async def test_one_follow_up_is_added_with_what_it_should_say(planning: Api) -> None:
    path, _ = await planned(planning)
    when = SOON.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    wish = {"scheduled_for": when, "instructions": "Say that the roof was mended."}
    added = await planning.http.post(f"{path}/tasks", json=wish)
    assert added.status_code == 201, added.text
    task = added.json()
    shown = {name: task[name] for name in ("followup_type", "status", "priority")}
    assert shown == {"followup_type": "Custom", "status": "pending", "priority": "medium"}
    assert (task["scheduled_for"], task["instructions"]) == (when, wish["instructions"])
    assert (await planning.http.get(added.headers["Location"])).json() == task | {"flagged": None}
    assert (await planning.http.post(f"/api/tasks/{task['_id']}/cancel")).is_success


async def test_a_stored_response_about_a_client_goes_with_the_client(planning: Api) -> None:
    path, _ = await planned(planning)
    key = {"Idempotency-Key": str(uuid4())}
    wish = {"scheduled_for": "2099-01-01T00:00:00Z", "instructions": "a secret"}

    async def post() -> httpx2.Response:
        return await planning.http.post(f"{path}/tasks", json=wish, headers=key)

    assert (await post()).status_code == 201
    assert (await post()).headers["idempotency-replayed"] == "true"
    assert (await planning.http.delete(path)).status_code == 204
    again = await post()
    problem(again, 404)
    assert "a secret" not in again.text


async def test_one_that_is_wanted_now_falls_due_at_once(planning: Api) -> None:
    path, _ = await planned(planning)
    added = await planning.http.post(f"{path}/tasks", json={"send_now": True, "priority": "high"})
    assert added.status_code == 201, added.text
    task = f"/api/tasks/{added.json()['_id']}"
    await planning.get_until(task, lambda r: r.json()["status"] == "due")


@pytest.mark.parametrize(
    ("wish", "wrong"),
    [
        ({}, "scheduled_for"),
        ({"scheduled_for": "2020-01-01T00:00:00Z"}, "scheduled_for"),
        ({"scheduled_for": "2027-01-01T00:00:00"}, "scheduled_for"),
        ({"send_now": True, "scheduled_for": "2099-01-01T00:00:00Z"}, "scheduled_for"),
        ({"send_now": True, "instructions": "x" * 1001}, "instructions"),
        ({"send_now": True, "followup_type": "Day 1"}, "followup_type"),
    ],
)
async def test_what_is_wrong_with_one_is_named(
    planning: Api, wish: dict[str, Any], wrong: str
) -> None:
    path, _ = await planned(planning)
    problem(await planning.http.post(f"{path}/tasks", json=wish), 422, wrong)


async def test_what_is_not_there_is_not_found(planning: Api) -> None:
    for path in (f"tasks/{uuid4()}/cancel", *(f"clients/{uuid4()}/plan/{x}" for x in ("pause",))):
        problem(await planning.http.post(f"/api/{path}"), 404)
    nobody = f"/api/clients/{uuid4()}"
    problem(await planning.http.post(f"{nobody}/plan"), 404)
    problem(await planning.http.post(f"{nobody}/tasks", json={"send_now": True}), 404)
    problem(await planning.http.patch(f"/api/tasks/{uuid4()}", json={"notes": "x"}), 404)
