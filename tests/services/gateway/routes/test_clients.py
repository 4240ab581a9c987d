"""Clients over HTTP: added, shown, changed, deleted, and what is refused."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.system import AGENT
from tests.writes import carried_out

WHOLE = {
    "name": "María López",
    "email": "Maria.Lopez@mail.example.com",
    "phone": "+1 555 0100",
    "property_address": "12 Elm Street, Springfield",
    "property_type": "commercial",
    "stage": "negotiating",
    "notes": "Prefers mornings.",
    "custom_fields": {"budget": 450000, "areas": ["North"], "loan": {"approved": True, "by": "X"}},
    "greeting": "Ms López",
    "language": "es-US",
    "time_zone": "America/Chicago",
    "source": "Open House",
    "lead_since": "2019-05-31",
    "review": "approve",
}


async def test_a_new_client_is_answered_with_its_id_and_shown_at_its_location(api: Api) -> None:
    response = await carried_out(api.http, "/api/clients", WHOLE)
    assert response.status_code == 201
    client_id = response.json()["client_id"]
    assert response.json() == {"client_id": client_id, "status": "ok"}
    assert response.headers["location"] == f"/api/clients/{client_id}"
    shown = (await api.http.get(response.headers["location"])).json()
    assert shown.pop("created_at") == shown.pop("updated_at")
    assert (shown.pop("last_contacted"), shown.pop("plan_paused")) == (None, False)
    assert (shown.pop("email_status"), shown.pop("unsubscribed_at")) == (None, None)
    assert shown.pop("replied_at") is None
    assert shown == WHOLE | {"_id": client_id, "agent_id": str(AGENT)}


async def test_name_and_email_are_all_that_a_client_needs(api: Api) -> None:
    client = await api.add(name="  Bo  ")
    shown = (await api.http.get(f"/api/clients/{client}")).json()
    assert (shown["name"], shown["stage"], shown["property_type"]) == ("Bo", "lead", "residential")
    assert shown["custom_fields"] == {}
    assert shown["phone"] is shown["greeting"] is shown["language"] is shown["time_zone"] is None
    assert shown["created_at"].endswith("Z")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": None}, "name"),
        ({"email": "nobody"}, "email"),
        ({"phone": "1" * 41}, "phone"),
        ({"property_address": "x" * 201}, "property_address"),
        ({"property_type": "castle"}, "property_type"),
        ({"stage": "Lead"}, "stage"),
        ({"notes": "x" * 1001}, "notes"),
        ({"custom_fields": {str(n): n for n in range(51)}}, "custom_fields"),
        ({"custom_fields": [1]}, "custom_fields"),
        ({"greeting": "x" * 101}, "greeting"),
        ({"language": "Spanish"}, "language"),
        ({"time_zone": "America/Springfield"}, "time_zone"),
        ({"custom_fields": {"a": 2**63}}, "custom_fields"),
        ({"color": "red"}, "color"),
        ({"_id": str(uuid4())}, "_id"),
        ({"agent_id": str(uuid4())}, "agent_id"),
    ],
)
async def test_a_wrong_or_unknown_field_is_named(
    api: Api, fields: dict[str, Any], wrong: str
) -> None:
    body = {"name": "Bo", "email": "bo@mail.example.com"} | fields
    assert wrong in problem(await api.http.post("/api/clients", json=body), 422, wrong)
    client = await api.add()
    problem(await api.http.patch(f"/api/clients/{client}", json=fields), 422, wrong)


async def test_every_field_that_is_wrong_is_named(api: Api) -> None:
    response = await api.http.post("/api/clients", json={"phone": "1" * 50, "x": 1})
    problem(response, 422, "email", "name", "phone", "x")


@pytest.mark.parametrize(
    "body", [b"{", b"", b"[]", b"null", b'"text"', b"\xff", b'{"name":"\xe9"}', b"[" * 5000]
)
async def test_a_body_that_is_no_json_object_is_refused(api: Api, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    response = await api.http.post("/api/clients", content=body, headers=headers)
    assert response.status_code == 422, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    assert response.json()["detail"]


async def test_a_body_that_is_too_large_is_refused(api: Api) -> None:
    body = {"name": "Bo", "email": "bo@mail.example.com", "notes": "x" * 100_000}
    problem(await api.http.post("/api/clients", json=body), 413)


async def test_an_email_is_an_agent_s_only_once_whatever_its_case(api: Api) -> None:
    number = uuid4().hex[:8]
    first = await api.add(email=f"bo.{number}@mail.example.com")
    again = {"name": "Bo", "email": f"BO.{number}@Mail.Example.COM"}
    refused = await api.http.post("/api/clients", json=again)
    assert "email" in problem(refused, 409, "email")
    other = await api.add()
    changed = await api.http.patch(f"/api/clients/{other}", json={"email": again["email"]})
    problem(changed, 409, "email")
    for response in (refused, changed):
        body = response.json()
        assert (body["code"], body["client_id"]) == ("duplicate_email", first)
    assert (await api.http.delete(f"/api/clients/{first}")).status_code == 204
    assert (await carried_out(api.http, "/api/clients", again)).status_code == 201


async def test_a_change_is_answered_with_the_whole_client_as_it_is_now(api: Api) -> None:
    client = (
        await carried_out(api.http, "/api/clients", WHOLE | {"email": "w1@mail.example.com"})
    ).json()
    path = f"/api/clients/{client['client_id']}"
    before = (await api.http.get(path)).json()
    response = await api.http.patch(path, json={"stage": "closed", "name": "Mia"})
    assert response.status_code == 200
    after = response.json()
    assert after == (await api.http.get(path)).json()
    assert after.pop("updated_at") > before.pop("updated_at")
    assert after == before | {"stage": "closed", "name": "Mia"}


async def test_a_patch_is_merged_as_rfc_7396_says(api: Api) -> None:
    client = (
        await carried_out(api.http, "/api/clients", WHOLE | {"email": "w2@mail.example.com"})
    ).json()
    path = f"/api/clients/{client['client_id']}"
    patch = {
        "phone": None,
        "custom_fields": {"areas": None, "loan": {"by": None, "sum": 1}, "new": [None]},
    }
    after = (await api.http.patch(path, json=patch)).json()
    assert after["phone"] is None
    assert after["notes"] == WHOLE["notes"]
    assert after["custom_fields"] == {
        "budget": 450000,
        "loan": {"approved": True, "sum": 1},
        "new": [None],
    }
    unchanged = await api.http.patch(path, json={})
    assert unchanged.json() == after


@pytest.mark.parametrize("field", ["name", "email", "stage", "property_type"])
async def test_null_does_not_empty_what_may_not_be_empty(api: Api, field: str) -> None:
    client = await api.add()
    problem(await api.http.patch(f"/api/clients/{client}", json={field: None}), 422, field)


async def test_null_empties_the_custom_fields(api: Api) -> None:
    client = await api.add(custom_fields={"a": 1})
    response = await api.http.patch(f"/api/clients/{client}", json={"custom_fields": None})
    assert response.status_code == 200, response.text
    assert response.json()["custom_fields"] == {}


async def test_custom_fields_may_not_grow_beyond_their_limit_patch_by_patch(api: Api) -> None:
    client = await api.add(custom_fields={str(n): n for n in range(50)})
    response = await api.http.patch(f"/api/clients/{client}", json={"custom_fields": {"more": 1}})
    problem(response, 422, "custom_fields")


async def test_a_deleted_client_is_gone(api: Api) -> None:
    client = await api.add()
    would = await api.http.get(f"/api/clients/{client}/deletion")
    nothing_yet = {"client_id": client, "tasks_cancelled": 0, "emails_erased": 0}
    assert (would.status_code, would.json()) == (200, nothing_yet)
    response = await api.http.delete(f"/api/clients/{client}")
    assert (response.status_code, response.content) == (204, b"")
    path = f"/api/clients/{client}"
    problem(await api.http.get(path), 404)
    problem(await api.http.patch(path, json={"stage": "lost"}), 404)
    problem(await api.http.delete(path), 404)
    problem(await api.http.get(f"{path}/tasks"), 404)
    problem(await api.http.get(f"{path}/deletion"), 404)


@pytest.mark.parametrize("client", [UUID(int=0), "nonsense", "1"])
async def test_what_is_unknown_is_not_found(api: Api, client: UUID | str) -> None:
    for path in (f"/api/clients/{client}", f"/api/tasks/{client}", f"/api/emails/{client}"):
        problem(await api.http.get(path), 404)
    problem(await api.http.get(f"/api/commands/{client}"), 404)


async def test_a_method_that_a_path_does_not_know_is_named_so(api: Api) -> None:
    for method, path in (("PUT", "/api/clients"), ("DELETE", "/api/tasks"), ("POST", "/schema")):
        response = await api.http.request(method, path)
        problem(response, 405)
        assert "GET" in response.headers["allow"]
