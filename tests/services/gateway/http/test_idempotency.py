"""Idempotency-Key: what is posted again is done once and answered the same."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient

from services.gateway.http.idempotency import final_response
from services.gateway.http.idempotency_share import MAX_STORED_BYTES
from tests.servers import Server
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import PASSWORD, person
from tests.writes import carried_out


def bo() -> dict[str, str]:
    return {"name": "Bo", "email": f"{uuid4().hex}@clients.example.com"}


async def test_a_post_that_comes_again_is_answered_the_same_and_done_once(api: Api) -> None:
    headers, body = {"Idempotency-Key": str(uuid4())}, bo()
    first = await carried_out(api.http, "/api/clients", body, key=headers["Idempotency-Key"])
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    again = await api.http.post("/api/clients", json=body, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    found = await api.http.get("/api/clients", params={"q": body["email"]})
    assert found.headers["x-total-count"] == "1"
    # Without a key it is another request, and refused.
    problem(await api.http.post("/api/clients", json=body), 409, "email")


async def test_two_at_the_same_moment_are_one(api: Api) -> None:
    headers, body = {"Idempotency-Key": str(uuid4())}, bo()
    key = headers["Idempotency-Key"]
    posts = (carried_out(api.http, "/api/clients", body, key=key) for _ in range(8))
    answers = {(r.status_code, r.content) for r in await asyncio.gather(*posts)}
    assert len(answers) == 1
    assert next(iter(answers))[0] == 201


async def test_a_key_is_good_for_one_request_only(api: Api) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    first = await carried_out(api.http, "/api/clients", bo(), key=headers["Idempotency-Key"])
    assert first.status_code == 201
    other = await api.http.post("/api/clients", json=bo(), headers=headers)
    problem(other, 422, "Idempotency-Key")
    elsewhere = await api.http.post(f"/api/tasks/{uuid4()}/retry", headers=headers)
    problem(elsewhere, 422, "Idempotency-Key")


async def test_a_refusal_is_answered_the_same_whatever_happened_since(api: Api) -> None:
    body = bo()
    first = await carried_out(api.http, "/api/clients", body)
    headers = {"Idempotency-Key": str(uuid4())}
    refused = await api.http.post("/api/clients", json=body, headers=headers)
    problem(refused, 409, "email")
    assert (await api.http.delete(first.headers["location"])).status_code == 204
    again = await api.http.post("/api/clients", json=body, headers=headers)
    assert (again.status_code, again.content) == (409, refused.content)


async def test_keys_of_two_agents_have_nothing_to_do_with_each_other(api: Api) -> None:
    key, body = str(uuid4()), bo()
    first = await carried_out(api.http, "/api/clients", body, key=key)
    async with person(api.http.base_url) as ana:
        other = await carried_out(ana.http, "/api/clients", body, key=key)
    assert (first.status_code, other.status_code) == (201, 201)
    assert first.json() != other.json()


async def test_what_holds_a_secret_is_not_stored_to_be_answered_again(
    api: Api, mongodb_server: Server
) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    async with person(api.http.base_url) as ana:
        made = await ana.http.post(
            "/api/keys", json={"name": "CRM", "current_password": PASSWORD}, headers=headers
        )
        secret = made.json()["key"].split("_", 2)[2]
    async with AsyncMongoClient[dict[str, object]](mongodb_server.address) as client:
        stored = await client["realtoros_gateway"]["idempotency"].find().to_list()
    assert secret.encode() not in str(stored).encode()
    assert all(headers["Idempotency-Key"] not in str(row["_id"]) for row in stored)


@pytest.mark.parametrize("key", ["", "x" * 256, "two words"])
async def test_a_key_that_is_none_is_refused(api: Api, key: str) -> None:
    answer = await api.http.post("/api/clients", json=bo(), headers={"Idempotency-Key": key})
    problem(answer, 422, "Idempotency-Key")


@pytest.mark.parametrize(("more", "stored"), [(0, True), (1, False)])
def test_an_answer_of_more_than_64_kibibytes_is_not_stored(more: int, stored: bool) -> None:
    start: Any = {"type": "http.response.start", "status": 200, "headers": []}
    half = MAX_STORED_BYTES // 2
    bodies: list[Any] = [
        {"type": "http.response.body", "body": b"x" * half, "more_body": True},
        {"type": "http.response.body", "body": b"x" * (half + more), "more_body": False},
    ]
    assert (final_response([start, *bodies]) is not None) == stored
