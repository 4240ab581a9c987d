"""Sequences over HTTP: defined whole, replaced, retired, and given to clients."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts.sequences import BUILT_IN
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem

PAST = "Past client"


def body(**changes: Any) -> dict[str, Any]:
    steps = [
        {
            "name": "After the viewing",
            "days": 2,
            "priority": "high",
            "goal": "What did they like?",
        },
        {"name": "A month later", "days": 30},
    ]
    return {"name": f"Buyers {uuid4().hex[:6]}", "stages": [], "steps": steps} | changes


async def defined(api: Api, **changes: Any) -> dict[str, Any]:
    made = await api.http.post("/api/sequences", json=body(**changes))
    assert made.status_code == 201, made.text
    shown: dict[str, Any] = made.json()
    assert (await api.http.get(made.headers["location"])).json() == shown
    return shown


async def add(api: Api, **fields: Any) -> tuple[str, list[dict[str, Any]]]:
    path = f"/api/clients/{await api.add(**fields)}"
    return path, (await api.http.get(f"{path}/tasks")).json()


async def test_it_is_listed_replaced_whole_and_retired(planning: Api) -> None:
    shown = await defined(planning)
    path = f"/api/sequences/{shown['sequence_id']}"
    listed = (await planning.http.get("/api/sequences")).json()
    assert shown in listed
    assert [one["name"] for one in listed[-3:]] == [one.name for one in BUILT_IN]
    tag = (await planning.http.get(path)).headers["etag"]
    changed = body(name=shown["name"], steps=[{"name": "Only one", "years": 1}])
    replaced = await planning.http.put(path, json=changed, headers={"If-Match": tag})
    assert replaced.status_code == 200, replaced.text
    assert [step["name"] for step in replaced.json()["steps"]] == ["Only one"]
    problem(await planning.http.put(path, json=body(), headers={"If-Match": tag}), 412)
    assert (await planning.http.delete(path)).status_code == 204
    problem(await planning.http.get(path), 404)
    problem(await planning.http.put(path, json=body()), 404)
    problem(await planning.http.delete(path), 404)
    # Its name is free again.
    await defined(planning, name=shown["name"])


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"steps": []}, "steps"),
        ({"steps": [{"name": "a", "days": 3}, {"name": "b", "days": 3}]}, "steps.1.days"),
        ({"steps": [{"name": "a", "days": 9}, {"name": "b", "days": 3}]}, "steps.1.days"),
        ({"steps": [{"name": "a"}]}, "steps.0.days"),
        ({"steps": [{"name": "", "days": 1}]}, "steps.0.name"),
        ({"steps": [{"name": "a", "days": 1, "weeks": 2}]}, "steps.0.weeks"),
        ({"steps": [{"name": "a", "days": 1, "goal": "x" * 1001}]}, "steps.0.goal"),
        ({"stages": ["lost"]}, "stages"),
        ({"stages": ["won"]}, "stages.0"),
        ({"name": " "}, "name"),
    ],
)
async def test_a_wrong_sequence_is_refused_by_its_field(
    planning: Api,
    changes: dict[str, Any],
    wrong: str,
) -> None:
    problem(await planning.http.post("/api/sequences", json=body(**changes)), 422, wrong)


async def test_a_name_is_taken_once(planning: Api) -> None:
    shown = await defined(planning)
    taken = body(name=f"  {shown['name'].upper()} ")
    problem(await planning.http.post("/api/sequences", json=taken), 409, "name")
    problem(await planning.http.post("/api/sequences", json=body(name="new LEAD")), 409, "name")


async def test_a_new_client_gets_what_its_stage_suggests_or_what_is_named(
    planning: Api,
) -> None:
    path, tasks = await add(planning, stage="negotiating")
    assert [task["step"] for task in tasks][:2] == ["First week", "Third week"]
    assert tasks[0]["goal"]
    plan = (await planning.http.get(f"{path}/plan")).json()
    assert plan == {"sequence": "Working together", "pending": 4, "paused": False, "offered": None}
    own = await defined(planning)
    path, tasks = await add(planning, sequence=own["name"].lower())
    assert [(t["step"], t["goal"], t["priority"]) for t in tasks] == [
        ("After the viewing", "What did they like?", "high"),
        ("A month later", None, "medium"),
    ]
    plan = (await planning.http.get(f"{path}/plan")).json()
    assert (plan["sequence"], plan["offered"]) == (own["name"], "New lead")
    unknown = {"name": "Bo", "email": f"{uuid4().hex}@mail.example.com", "sequence": "No such"}
    problem(await planning.http.post("/api/clients", json=unknown), 422, "sequence")
    closed = unknown | {"sequence": own["name"], "stage": "closed"}
    problem(await planning.http.post("/api/clients", json=closed), 422, "sequence")


async def test_an_agent_s_own_sequence_is_offered_instead_of_the_built_in_one(
    planning: Api,
) -> None:
    own = await defined(planning, stages=["under_contract"])
    _, tasks = await add(planning, stage="under_contract")
    assert [task["step"] for task in tasks] == ["After the viewing", "A month later"]
    assert (await planning.http.delete(f"/api/sequences/{own['sequence_id']}")).is_success
    _, tasks = await add(planning, stage="under_contract")
    assert len(tasks) == 4


async def test_a_client_that_closes_is_offered_the_anniversaries_and_keeps_them(
    planning: Api,
) -> None:
    path, _ = await add(planning)
    problem(await planning.http.post(f"{path}/plan", json={"sequence": PAST}), 409)
    assert (await planning.http.patch(path, json={"stage": "closed"})).is_success
    await planning.get_until(f"{path}/plan", lambda r: r.json()["pending"] == 0)
    plan = (await planning.http.get(f"{path}/plan")).json()
    assert plan == {"sequence": "New lead", "pending": 0, "paused": False, "offered": PAST}
    problem(
        await planning.http.post(f"{path}/plan", json={"sequence": "New lead"}), 422, "sequence"
    )
    began = datetime.now(UTC)
    begun = await planning.http.post(f"{path}/plan")
    assert begun.status_code == 201, begun.text
    assert [task["step"] for task in begun.json()] == [f"Year {n}" for n in range(1, 6)]
    first = datetime.fromisoformat(begun.json()[0]["scheduled_for"])
    expected = began.replace(year=began.year + 1)
    assert abs(first - expected) < timedelta(minutes=5)
    # Each change of a closed client says its stage once more.
    noted = await planning.http.patch(path, json={"notes": "Moved in."})
    assert noted.status_code == 200
    later = await planning.http.post(f"{path}/tasks", json={"send_now": True})
    problem(later, 409)
    plan = (await planning.http.get(f"{path}/plan")).json()
    assert plan == {"sequence": PAST, "pending": 5, "paused": False, "offered": None}
    assert (await planning.http.patch(path, json={"stage": "lost"})).is_success
    await planning.get_until(f"{path}/plan", lambda r: r.json()["pending"] == 0)
    assert (await planning.http.get(f"{path}/plan")).json()["offered"] is None


async def test_a_file_says_which_sequence_each_client_gets(planning: Api) -> None:
    own = await defined(planning)
    tag = uuid4().hex[:8]
    lines = [
        "name,email,stage,sequence",
        f"Ann,ann.{tag}@mail.example.com,lead,{own['name']}",
        f"Ben,ben.{tag}@mail.example.com,closed,",
        f"Cy,cy.{tag}@mail.example.com,lead,Nurture 2019",
        f"Di,di.{tag}@mail.example.com,lost,{PAST}",
    ]
    response = await planning.http.post(
        "/api/clients/import", content="\n".join(lines), headers={"content-type": "text/csv"}
    )
    report = response.json()
    assert (response.status_code, report["imported"]) == (200, 4), report
    warned = {line["line"]: [w["field"] for w in line["warnings"]] for line in report["lines"]}
    assert warned == {2: [], 3: [], 4: ["sequence"], 5: ["sequence"]}
    ann, ben, cy, _ = (f"/api/clients/{line['client_id']}" for line in report["lines"])
    for path, sequence in ((ann, own["name"]), (ben, PAST), (cy, "New lead")):
        await planning.get_until(f"{path}/plan", lambda r: r.json()["pending"] > 0)
        assert (await planning.http.get(f"{path}/plan")).json()["sequence"] == sequence
    kept = (await planning.http.get(cy)).json()["custom_fields"]
    assert kept == {"sequence": "Nurture 2019"}
