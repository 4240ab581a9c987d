"""How many connections there may be, of one network and in all, and which make room."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from chassis.process import connections
from chassis.process.connections import Connections, network_of
from tests.chassis.process.http_server import (
    GET,
    PROXY,
    Served,
    refused,
    serving,
    settings_with,
)


@pytest.fixture(autouse=True)
def _checked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CHECK_SECONDS", 0.05)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(request_timeout_seconds=30) as served:
        yield served


async def test_one_address_has_only_so_many_connections(served: Served) -> None:
    with refused("connections_of_address", 3):
        peers = [await served.connect() for _ in range(4)]
        more = [await served.connect() for _ in range(3)]
        for peer in more:
            assert (await peer.rest()).startswith(b"HTTP/1.1 503 ")
        other = await served.connect("127.0.0.2")
        await other.send(GET)
        await other.response()
    for peer in [*peers, other]:
        peer.writer.close()


async def test_a_trusted_proxy_has_any_number_and_all_together_only_so_many(
    served: Served,
) -> None:
    with refused("connections"):
        peers = [await served.connect(PROXY) for _ in range(6)]
        refused_one = await served.connect("127.0.0.3")
        assert (await refused_one.rest()).startswith(b"HTTP/1.1 503 ")
    peers[0].writer.close()
    await until_served(served)
    for peer in peers:
        peer.writer.close()


async def until_served(served: Served) -> None:
    async with asyncio.timeout(10):
        while True:
            peer = await served.connect("127.0.0.3")
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await peer.send(GET)
                if (await peer.response()).startswith(b"HTTP/1.1 200 "):
                    peer.writer.close()
                    return


async def test_who_waits_for_nothing_makes_room_the_longest_waiting_first(served: Served) -> None:
    idle = [await served.connect() for _ in range(3)]
    for peer in idle:
        await peer.send(GET)
        await peer.response()
    busy = await served.connect()
    await busy.send(b"GET /hold HTTP/1.1\r\nhost: x\r\n\r\n")
    # The first one is used again, so that the second has waited for longest.
    await idle[0].send(GET)
    await idle[0].response()
    newest = await served.connect()
    await newest.send(GET)
    await newest.response()
    assert await idle[1].rest() == b""
    for peer in (idle[0], idle[2]):
        await peer.send(GET)
        await peer.response()
    served.release.set()
    await busy.response()
    for peer in (*idle, busy, newest):
        peer.writer.close()


def test_there_are_as_many_as_the_system_allows() -> None:
    of_process = Connections(settings_with(max_connections=10**9), lambda _: False)
    of_process.start()
    assert of_process._most < 10**9


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_an_ipv6_network_counts_as_one_address(host: str, network: str) -> None:
    assert network_of(host) == network
