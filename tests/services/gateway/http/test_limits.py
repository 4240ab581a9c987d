"""Limits, and the headers of every answer."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx2
import pytest

from contracts.crm import AgentProfile
from services.gateway.http.own_pages import CSRF_HEADER
from tests.servers import Server
from tests.services.gateway.conftest import Api, api_of
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import PASSWORD, add_account
from tests.system import system

ORIGIN = "https://app.realtoros.example"


@pytest.fixture(scope="module")
async def strict(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Api]:
    """An API with narrow limits, reached by https."""
    prefix, agent_id = f"limits-{uuid4().hex[:8]}.", uuid4()
    environment = {
        "AGENT_ID": str(agent_id),
        "REQUESTS_PER_SECOND": "2",
        "LOGINS_PER_ADDRESS": "3",
        "FORWARDED_ALLOW_IPS": "127.0.0.1",
        "MAX_HEADER_BYTES": "2000",
        "CORS_ORIGINS": ORIGIN,
        "PUBLIC_URL": "https://api.realtoros.example",
    }
    async with (
        system(
            tmp_path_factory.mktemp("limits"),
            kafka,
            mongodb_server,
            prefix=prefix,
            services=("crm", "gateway"),
            environment=environment,
        ) as running,
        api_of(running.api[0], kafka, prefix, agent_id) as api,
    ):
        yield api


async def test_who_asks_too_often_is_told_when_to_come_back(strict: Api) -> None:
    answers = [await strict.http.get("/api/clients") for _ in range(30)]
    statuses = [answer.status_code for answer in answers]
    # Five seconds' worth may come at once.
    assert statuses[:10] == [200] * 10
    refused = answers[-1]
    problem(refused, 429)
    await asyncio.sleep(int(refused.headers["retry-after"]))
    assert (await strict.http.get("/api/clients")).status_code == 200
    # What watches the process is not limited.
    assert {(await strict.http.get("/health/live")).status_code for _ in range(30)} == {200}


async def test_guessing_is_limited_by_address_whatever_the_account(strict: Api) -> None:
    # As a proxy on this machine tells it. A network of this test's own: attempts are counted in the
    # database, which other tests' gateways share.
    digits = uuid4().hex
    there = {"X-Forwarded-For": f"2001:db8:{digits[:4]}:{digits[4:8]}::1"}
    statuses = []
    while 429 not in statuses:
        body = {"email": f"{uuid4().hex}@agents.example.com", "password": "wrong"}
        answer = await strict.http.post("/api/auth/login", json=body, headers=there)
        statuses.append(answer.status_code)
    # Twice as many where a span of time ends between them.
    assert statuses[:-1] in ([401] * number for number in range(3, 7))


async def test_the_cookie_of_a_browser_s_session_is_for_this_host_and_https_alone(
    strict: Api,
) -> None:
    email = f"{uuid4().hex}@agents.example.com"
    await add_account(str(strict.http.base_url).rstrip("/"), AgentProfile(name="Ana", email=email))
    there = {"X-Forwarded-For": f"2001:db8:{uuid4().hex[:4]}:2::1", CSRF_HEADER: "1"}
    login = {"email": email, "password": PASSWORD}
    answer = await strict.http.post(
        "/api/auth/session", json=login, headers=there | {"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 204, answer.text
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert cookie.startswith("__Host-realtoros=bs_")
    # What a browser wants for that name.
    assert {"Secure", "Path=/"} < set(attributes)
    assert not any(one.startswith("Domain") for one in attributes)


async def test_guessing_tokens_is_limited_by_the_network_it_comes_from(strict: Api) -> None:
    network = f"2001:db8:{uuid4().hex[:4]}:1"
    statuses: list[int] = []
    async with httpx2.AsyncClient(base_url=strict.http.base_url, trust_env=False) as http:
        for number in range(40):
            guess = {
                "Authorization": f"Bearer rk_{uuid4().hex}_x",
                "X-Forwarded-For": f"{network}::{number:x}",
            }
            statuses.append((await http.get("/api/clients", headers=guess)).status_code)
    assert statuses[:10] == [401] * 10
    assert set(statuses[10:]) >= {429}


async def test_registration_is_closed_unless_it_is_opened(strict: Api) -> None:
    new = {"email": "new@agents.example.com", "password": "correct horse battery", "name": "New"}
    problem(await strict.http.post("/api/auth/register", json=new), 403)


@pytest.mark.parametrize("is_whole", [True, False])
async def test_a_head_that_is_too_large_is_refused_even_before_it_is_whole(
    strict: Api, is_whole: bool
) -> None:
    url = strict.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    for _ in range(20):
        writer.write(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
    writer.write(b"GET /api/clients HTTP/1.1\r\nhost: x\r\nx-long: ")
    for _ in range(19):
        writer.write(b"y" * 100)
        await writer.drain()
    # Only this goes beyond it: nothing is on its way when the connection is closed.
    writer.write(b"y" * 100 + (b"\r\n\r\n" if is_whole else b""))
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 431 "), answer
    writer.close()


async def test_pages_of_the_origins_that_are_set_may_call_and_no_others(strict: Api) -> None:
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "if-match"}
    allowed = await strict.http.options("/api/clients", headers=asked | {"Origin": ORIGIN})
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "if-match" in allowed.headers["access-control-allow-headers"].lower()
    other = {"Origin": "https://evil.example"}
    refused = await strict.http.options("/api/clients", headers=asked | other)
    assert "access-control-allow-origin" not in refused.headers
    answered = await strict.http.get("/health/live", headers={"Origin": ORIGIN})
    assert "etag" in answered.headers["access-control-expose-headers"].lower()


async def test_every_answer_has_the_headers_that_protect_it(strict: Api) -> None:
    anonymous = httpx2.AsyncClient(base_url=strict.http.base_url, trust_env=False)
    async with anonymous:
        for path in ("/api/clients", "/health/live", "/nothing", "/schema"):
            answer = await anonymous.get(path)
            assert answer.headers["x-content-type-options"] == "nosniff", path
            assert answer.headers["x-frame-options"] == "DENY"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["cache-control"] == "private, no-cache"
            assert "max-age" in answer.headers["strict-transport-security"]
            assert "server" not in answer.headers
        for path in ("/api/auth/login", "/api/keys"):
            assert (await anonymous.post(path)).headers["cache-control"] == "no-store"
