"""Leads over the REST API, against a scripted gateway."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from ops.api_client import client as api_module
from ops.api_client.client import ApiClient, ImportOptions, Task
from ops.api_client.lead_import import IN_FLIGHT, import_file, import_leads
from ops.errors import ApiUnavailable, OperatorError
from services.gateway.leads.parsing import Lead

Answer = Callable[[httpx2.Request], httpx2.Response]
LEADS = [Lead(line=i + 2, name=f"Client {i}", email=f"{i}@example.com") for i in range(40)]


def gateway(answer: Answer) -> ApiClient:
    return ApiClient("http://127.0.0.1:1", transport=httpx2.MockTransport(answer))


def number(request: httpx2.Request) -> int:
    return int(json.loads(request.content)["email"].partition("@")[0])


async def test_leads_are_added_duplicate_or_rejected_by_the_servers_answer() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        errors = [{"field": "phone", "reason": "too short"}]
        match number(request):
            case 0:
                return httpx2.Response(409, json={"detail": "there is one"})
            case 1:
                return httpx2.Response(422, json={"detail": "bad", "errors": errors})
            case 2:
                return httpx2.Response(202, headers={"Location": "/api/commands/1"})
            case 3:
                return httpx2.Response(422, text="no problem json")
        return httpx2.Response(201, json={"client_id": "1", "status": "ok"})

    async with gateway(answer) as api:
        imported = await import_leads(api, LEADS)
    assert (len(imported.added), len(imported.duplicates)) == (37, 1)
    told = [str(complaint) for complaint in imported.complaints]
    assert told == ["line 3: phone: too short", "line 5: Unprocessable Content"]
    assert imported.summary() == "37 imported, 1 already there, 2 rejected"
    assert [lead.line for lead in imported.present][:3] == [2, 4, 6]


async def test_no_more_than_a_few_are_under_way_at_once() -> None:
    under_way = most = 0

    class Slow(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.01)
            under_way -= 1
            return httpx2.Response(201)

    async with ApiClient("http://127.0.0.1:1", transport=Slow()) as api:
        await import_leads(api, LEADS)
    assert most == IN_FLIGHT


async def test_a_write_is_repeated_under_its_key_when_the_server_asks_to() -> None:
    keys: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            return httpx2.Response(503, headers={"Retry-After": "0"})
        return httpx2.Response(201)

    async with gateway(answer) as api:
        imported = await import_leads(api, LEADS[:1])
    assert imported.added == LEADS[:1]
    assert keys[0] == keys[1]


async def test_a_file_is_sent_again_under_its_key_when_the_server_asks_to() -> None:
    sent: list[tuple[str, bytes]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append((request.headers["Idempotency-Key"], request.content))
        if len(sent) == 1:
            return httpx2.Response(503, headers={"Retry-After": "0"})
        return httpx2.Response(200, json={"imported": 1})

    options = ImportOptions(mapping={"Post": "email"})
    async with gateway(answer) as api:
        report = await api.import_clients("leads.csv", b"Post\na@x.example\n", options)
    assert report == {"imported": 1}
    assert sent[0][0] == sent[1][0]
    assert all(b"a@x.example" in body and b"Post" in body for _, body in sent)


async def test_retries_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_module, "RETRY_SECONDS", 0.05)
    problem = {"title": "Service Unavailable", "detail": "Kafka is away"}
    async with gateway(lambda _: httpx2.Response(503, json=problem)) as api:
        with pytest.raises(ApiUnavailable, match="is not accepting clients: Kafka is away"):
            await import_leads(api, LEADS)


async def test_lists_are_read_to_their_last_page() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        page = int(request.url.params.get("page", "1"))
        task = {"_id": str(page), "client_id": "c", "followup_type": "Day 1", "status": "due"}
        link = {"Link": f'</api/tasks?limit=100&page={page + 1}>; rel="next"'} if page < 3 else {}
        return httpx2.Response(200, json=[task], headers=link)

    async with gateway(answer) as api:
        tasks = await api.tasks()
    assert tasks == [Task(str(page), "c", "Day 1", "due", "") for page in (1, 2, 3)]


async def test_a_server_in_trouble_is_away_and_one_that_refuses_is_not() -> None:
    async with gateway(lambda _: httpx2.Response(502)) as api:
        with pytest.raises(ApiUnavailable, match="answered 502: Bad Gateway"):
            await api.tasks()
    async with gateway(lambda _: httpx2.Response(401, json={"detail": "log in"})) as api:
        with pytest.raises(OperatorError, match="set REALTOROS_API_KEY") as refused:
            await api.tasks()
    assert not isinstance(refused.value, ApiUnavailable)


async def test_importing_into_nothing_fails_at_once(tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text("name,email\nAnn,ann@example.com\n")
    with pytest.raises(ApiUnavailable, match="is `realtoros up` running"):
        await import_file(file, "http://127.0.0.1:1", None, print, ImportOptions())


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://example.com", "http://"])
def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(OperatorError, match="is not a URL"):
        ApiClient(url)
