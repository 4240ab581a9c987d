"""One agent or address does not take from the others: streams, webhooks, metrics, WebSockets."""

import asyncio
import contextlib
import os
import re
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from ops.servers.ports import free_port
from services.gateway.live.feed import MAX_STREAMS
from services.gateway.live.listener import CloseCode
from tests.providers.webhook import PATH, Webhook
from tests.servers import Server
from tests.services.gateway.conftest import Api, api_of
from tests.services.gateway.problem_checks import problem
from tests.system import Running, authorized, create_admin, key_of, system

AGENT, OTHER = uuid4(), uuid4()
SECONDS = 60


@dataclass
class Shared:
    """An API for two agents, and its metrics."""

    api: Api
    running: Running
    metrics_url: str
    webhook: Webhook

    @property
    def url(self) -> httpx2.URL:
        return self.api.http.base_url

    async def refused(self, reason: str) -> float:
        """Return how often something was refused for the reason."""
        async with httpx2.AsyncClient(trust_env=False) as http:
            text = (await http.get(self.metrics_url)).text
        found = re.search(rf'realtoros_refusals_total{{reason="{reason}"}} (.*)', text)
        return float(found[1]) if found else 0

    def logged(self, reason: str) -> int:
        """Return how many lines of the log say so."""
        [gateway] = self.running.processes["gateway"]
        return gateway.log.read_text().count(f'"reason": "{reason}"')


@pytest.fixture(scope="module")
async def shared(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shared]:
    prefix, webhook, port = f"shares-{uuid4().hex[:8]}.", Webhook(), free_port()
    environment = {
        "AGENT_ID": str(AGENT),
        "WEBHOOKS_PER_SECOND": "2",
        "SENDGRID_WEBHOOK_PUBLIC_KEY": webhook.public_key,
        "FORWARDED_ALLOW_IPS": "127.0.0.1",
        # Not of this test.
        "MAX_CONNECTIONS": "10000",
    }
    async with (
        system(
            tmp_path_factory.mktemp("shares"),
            kafka,
            mongodb_server,
            prefix=prefix,
            services=("crm", "gateway"),
            environment=environment,
            service_environments={"gateway": {"METRICS_PORT": str(port)}},
        ) as running,
        api_of(running.api[0], kafka, prefix, AGENT) as api,
    ):
        await create_admin(kafka, mongodb_server, prefix, {"AGENT_ID": str(OTHER)})
        yield Shared(api, running, f"http://127.0.0.1:{port}/metrics", webhook)
        assert running.errors() == []


@contextlib.asynccontextmanager
async def stream(shared: Shared, agent_id: UUID) -> AsyncIterator[httpx2.Response]:
    async with (
        httpx2.AsyncClient(base_url=shared.url, trust_env=False, timeout=SECONDS) as http,
        http.stream("GET", "/api/events", headers=authorized(agent_id)) as response,
    ):
        if not response.is_success:
            await response.aread()
        yield response


@contextlib.asynccontextmanager
async def socket(shared: Shared, agent_id: UUID) -> AsyncIterator[ClientConnection]:
    async with connect(
        f"ws://{shared.url.host}:{shared.url.port}/api/ws",
        subprotocols=[Subprotocol("realtoros"), Subprotocol(f"bearer.{key_of(agent_id)}")],
        proxy=None,
    ) as connection:
        yield connection


async def test_an_agent_has_twenty_streams_and_others_have_theirs(shared: Shared) -> None:
    async with contextlib.AsyncExitStack() as open_:
        # All at the same moment, and more than there may be.
        opening = [open_.enter_async_context(stream(shared, AGENT)) for _ in range(MAX_STREAMS + 5)]
        answers = await asyncio.gather(*opening)
        # Some may be admitted and end at once, since others have taken the last places meanwhile.
        lines = [answer.aiter_lines() for answer in answers if answer.status_code == 200]
        first = await asyncio.gather(*(anext(each, None) for each in lines))
        assert len(first) - first.count(None) == MAX_STREAMS
        refused = await open_.enter_async_context(stream(shared, AGENT))
        problem(refused, 429)
        assert int(refused.headers["retry-after"]) > 0
        one_more = await open_.enter_async_context(socket(shared, AGENT))
        with pytest.raises(ConnectionClosed):
            await one_more.recv()
        assert one_more.close_code == CloseCode.TOO_SLOW
        assert (await open_.enter_async_context(stream(shared, OTHER))).status_code == 200
        other = await open_.enter_async_context(socket(shared, OTHER))
        assert "hello" in str(await other.recv())
    # All have ended, so there is room.
    async with asyncio.timeout(SECONDS):
        while True:
            async with stream(shared, AGENT) as again:
                if again.status_code == 200:
                    break


async def test_forged_reports_are_counted_and_limited_by_network(shared: Shared) -> None:
    body, headers = shared.webhook.request([])
    forged = headers | {"X-Twilio-Email-Event-Webhook-Signature": "AAAA"}
    counted = await shared.refused("webhook_forged")
    statuses = []
    async with httpx2.AsyncClient(base_url=shared.url, trust_env=False) as http:
        for _ in range(40):
            answer = await http.post(PATH, content=body, headers=forged)
            statuses.append(answer.status_code)
            if answer.status_code == 429:
                assert int(answer.headers["retry-after"]) > 0
        # Five seconds' worth may come at once.
        assert statuses[:10] == [403] * 10
        assert set(statuses) == {403, 429}
        forgeries = statuses.count(403)
        assert await shared.refused("webhook_forged") == counted + forgeries
        assert shared.logged("webhook_forged") <= 2
        # SendGrid comes from elsewhere.
        elsewhere = headers | {"X-Forwarded-For": "192.0.2.7"}
        answer = await http.post(PATH, content=body, headers=elsewhere)
        assert answer.status_code == 200


async def test_metrics_are_on_their_own_port_only(shared: Shared) -> None:
    problem(await shared.api.http.get("/metrics"), 404)
    async with httpx2.AsyncClient(trust_env=False) as http:
        answer = await http.get(shared.metrics_url)
        assert answer.status_code == 200
        assert "realtoros_connections" in answer.text
        elsewhere = shared.metrics_url.replace("/metrics", "/api/clients")
        assert (await http.get(elsewhere)).status_code == 404


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a client's final frame (RFC 6455, 5.2), masked with zeros."""
    assert len(payload) < 126
    return struct.pack("!BB4x", 0x80 | opcode, 0x80 | len(payload)) + payload


@contextlib.asynccontextmanager
async def upgraded(
    shared: Shared,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(shared.url.host, shared.url.port)
    key = os.urandom(16).hex()[:22] + "=="
    writer.write(
        f"GET /api/ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        f"sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n"
        f"sec-websocket-protocol: realtoros, bearer.{key_of(OTHER)}\r\n\r\n".encode()
    )
    try:
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        yield reader, writer
    finally:
        writer.transport.abort()


async def write_endlessly(writer: asyncio.StreamWriter, data: bytes) -> None:
    while True:
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0)


async def test_who_pings_and_never_reads_is_cut_off(shared: Shared) -> None:
    async with upgraded(shared) as (reader, writer), asyncio.timeout(SECONDS):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        pings = frame(0x9, b"x" * 125) * 1000
        with pytest.raises(ConnectionError):
            await write_endlessly(writer, pings)


async def test_what_is_sent_over_a_websocket_is_ignored_whatever_it_is(shared: Shared) -> None:
    async with upgraded(shared) as (reader, writer), asyncio.timeout(SECONDS):
        writer.write((frame(0x1, b"\xff\xfe") + frame(0x2, b"x" * 125)) * 1000)
        writer.write(frame(0x9, b"still there?"))
        await writer.drain()
        while b"still there?" not in await reader.read(65_536):
            pass
