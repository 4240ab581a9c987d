"""JSON goes compressed to who takes it so, and only JSON that holds no secret."""

import json
from uuid import uuid4

import httpx2
import pytest

from services.gateway.http.compression.json_answers import MIN_BYTES
from tests.services.gateway.conftest import Api
from tests.services.gateway.http.raw_requests import Answer, ask, unpacked
from tests.services.gateway.live_clients import EventStream
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import PASSWORD, person
from tests.system import AUTHORIZED, KEY

BROWSER = "gzip, deflate, br, zstd"


@pytest.fixture(scope="module")
async def path(api: Api) -> str:
    """The address of a list of more than 1 KB."""
    word = f"w{uuid4().hex[:10]}"
    for number in range(5):
        await api.add(name=f"Long {word} {number}", notes="Wants a garden. " * 20)
    return f"/api/clients?q={word}"


async def get(api: Api, target: str, **headers: str) -> Answer:
    return await ask(str(api.http.base_url), target, authorization=f"Bearer {KEY}", **headers)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (BROWSER, "zstd"),
        ("gzip", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("gzip;q=0", None),
        ("br", None),
        ("identity", None),
    ],
)
async def test_a_list_goes_as_the_caller_takes_it(
    api: Api, path: str, accepted: str, coding: str | None
) -> None:
    plain = await get(api, path)
    assert "content-encoding" not in plain.headers
    answer = await get(api, path, accept_encoding=accepted)
    assert answer.status == 200
    assert answer.headers.get("content-encoding") == coding
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert answer.headers["x-total-count"] == "5"
    assert unpacked(answer) == plain.body
    if coding:
        assert answer.headers["vary"] == "Accept-Encoding"
        assert len(answer.body) < len(plain.body) / 2


async def test_little_goes_as_it_is(api: Api) -> None:
    path = f"/api/clients/{await api.add()}"
    answer = await get(api, path, accept_encoding=BROWSER)
    assert len(answer.body) < MIN_BYTES
    assert json.loads(answer.body)
    assert "content-encoding" not in answer.headers


async def test_what_was_compressed_is_known_again(api: Api, path: str) -> None:
    plain, packed = await get(api, path), await get(api, path, accept_encoding=BROWSER)
    # The same content in other bytes: no strong tag may say that they are the same.
    assert packed.headers["etag"] == f"W/{plain.headers['etag']}"
    for tag in (plain.headers["etag"], packed.headers["etag"]):
        for accepted in (BROWSER, "identity"):
            again = await get(api, path, accept_encoding=accepted, if_none_match=tag)
            assert (again.status, again.body) == (304, b"")
            assert again.headers["etag"] == tag


async def test_a_change_may_name_the_tag_of_a_compressed_answer(api: Api) -> None:
    path = f"/api/clients/{await api.add(notes='Wants a garden. ' * 60)}"
    read = await get(api, path, accept_encoding=BROWSER)
    assert read.headers["content-encoding"] == "zstd"
    known = {"If-Match": read.headers["etag"]}
    assert (await api.http.patch(path, json={"notes": "1"}, headers=known)).status_code == 200
    assert (await api.http.patch(path, json={"notes": "2"}, headers=known)).status_code == 412


async def test_live_updates_are_neither_compressed_nor_held_back(api: Api) -> None:
    async with (
        httpx2.AsyncClient(base_url=api.http.base_url, trust_env=False, timeout=30) as http,
        http.stream(
            "GET", "/api/events", headers=AUTHORIZED | {"Accept-Encoding": BROWSER}
        ) as response,
    ):
        assert "content-encoding" not in response.headers
        assert response.headers["content-type"].startswith("text/event-stream")
        assert (await EventStream(response).next()).kind == "hello"


async def test_an_answer_of_a_route_that_gives_secrets_is_not_compressed(api: Api) -> None:
    packed = {"Accept-Encoding": "gzip"}
    async with person(api.http.base_url) as agent:
        key = {"name": "reader", "current_password": PASSWORD, "scopes": ["read"]}
        wrong = {f"field {number}": "" for number in range(50)}
        refused = await agent.http.post("/api/keys", json=key | wrong, headers=packed)
        assert refused.status_code == 422
        assert len(refused.content) > MIN_BYTES
        assert "content-encoding" not in refused.headers
        made = await agent.http.post("/api/keys", json=key, headers=packed)
        assert made.status_code == 201
        assert "content-encoding" not in made.headers


async def test_a_replayed_answer_is_compressed_as_this_caller_takes_it(api: Api) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    wrong = {f"field {number}": "" for number in range(50)}
    answers = [
        await api.http.post("/api/clients", json=wrong, headers=headers | {"Accept-Encoding": one})
        for one in ("gzip", "identity", "gzip")
    ]
    codings = [answer.headers.get("content-encoding") for answer in answers]
    assert codings == ["gzip", None, "gzip"]
    assert [problem(answer, 422, "name", "email", *wrong) for answer in answers]
    assert answers[1].headers["idempotency-replayed"] == "true"
