"""A short chaos run: everything fails, and nothing is lost, duplicated, early or stuck."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ops.servers.ports import LOOPBACK
from tests.faults.chaos.chaos_run import Profile, report, run
from tests.faults.chaos.fault_schedule import counts, draw_schedule
from tests.faults.chaos.replica_supervisor import RECOVERY_SECONDS
from tests.faults.tcp_proxy import Proxy, proxy
from tests.servers import apache_kafka

SHORT = Profile(seed=9, seconds=45, followups=400, apache=os.environ.get("TEST_KAFKA") == "apache")


@pytest.mark.alone
@pytest.mark.journey
@pytest.mark.timeout(300)
async def test_nothing_is_lost_duplicated_early_or_stuck_under_faults(tmp_path: Path) -> None:
    output: list[str] = []
    try:
        result = await run(SHORT, tmp_path, output.append)
    except apache_kafka.NotAvailable as reason:
        pytest.skip(str(reason))
    assert result.passed, "\n".join(report(SHORT, result))
    assert sorted(result.injector.injected) == SHORT.faults
    counted = counts(result.injector.injected)
    assert counted["SIGKILL"] >= 10
    assert counted["SIGSTOP beyond the claim"] >= 3
    assert counted["outages"] >= 2
    recoveries = result.injector.recoveries
    assert len(recoveries) == counted["outages"]
    assert max(recoveries.values()) <= RECOVERY_SECONDS
    # The load was real: nearly all clients were acknowledged and planned, most emails sent.
    assert len(result.acknowledged.clients) >= 0.9 * SHORT.clients
    assert result.verdict.ends.total() >= 0.9 * SHORT.followups
    assert result.verdict.ends["sent"] >= 0.6 * SHORT.followups
    assert result.acknowledged.deleted
    assert result.acknowledged.opt_outs
    assert result.acknowledged.cancelled
    assert result.acknowledged.pauses


def test_a_seed_draws_the_same_schedule_every_time() -> None:
    one, other = (draw_schedule(7, 180, replicas=2, kafka_has_proxy=True) for _ in range(2))
    assert one == other
    assert one != draw_schedule(8, 180, replicas=2, kafka_has_proxy=True)
    assert one == sorted(one)
    assert all(0 <= fault.at <= 180 for fault in one)


def test_without_a_proxy_kafka_is_only_frozen() -> None:
    faults = draw_schedule(7, 600, replicas=1, kafka_has_proxy=False)
    assert {f.kind for f in faults if f.target == "kafka"} == {"frozen"}
    assert {f.target for f in faults if f.kind == "kill"} == {
        f"{name}-0" for name in ("crm", "scheduler", "composer", "mailer", "gateway")
    }


@pytest.fixture
async def echo_proxy() -> AsyncIterator[Proxy]:
    """A proxy in front of an echo server."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1024):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, LOOPBACK)
    async with server, proxy(server.sockets[0].getsockname()[1]) as echo_proxy:
        yield echo_proxy


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connected(through: Proxy) -> Connection:
    return await asyncio.open_connection(LOOPBACK, through.port)


async def echoed(line: Connection, text: bytes) -> bytes:
    reader, writer = line
    writer.write(text)
    return await asyncio.wait_for(reader.readexactly(len(text)), 5)


async def test_a_proxy_passes_bytes_on_both_ways(echo_proxy: Proxy) -> None:
    assert await echoed(await connected(echo_proxy), b"hello" * 50_000) == b"hello" * 50_000


async def test_a_paused_proxy_passes_bytes_on_when_resumed(echo_proxy: Proxy) -> None:
    line = await connected(echo_proxy)
    assert await echoed(line, b"one") == b"one"
    echo_proxy.pause()
    answer = asyncio.create_task(echoed(line, b"two"))
    late = await connected(echo_proxy)
    done, _ = await asyncio.wait([answer], timeout=0.3)
    assert not done
    echo_proxy.resume()
    assert await answer == b"two"
    assert await echoed(late, b"three") == b"three"


async def test_a_slow_proxy_delays_each_way(echo_proxy: Proxy) -> None:
    line = await connected(echo_proxy)
    assert await echoed(line, b"one") == b"one"
    echo_proxy.delay = 0.1
    begin = asyncio.get_running_loop().time()
    assert await echoed(line, b"two") == b"two"
    assert asyncio.get_running_loop().time() - begin >= 0.2


async def test_a_cut_resets_open_connections_and_accepts_new_ones(echo_proxy: Proxy) -> None:
    line = await connected(echo_proxy)
    assert await echoed(line, b"one") == b"one"
    echo_proxy.cut()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await echoed(line, b"two")
    assert await echoed(await connected(echo_proxy), b"three") == b"three"


async def test_a_refusing_proxy_resets_new_connections(echo_proxy: Proxy) -> None:
    echo_proxy.refuses = True
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await echoed(await connected(echo_proxy), b"one")
    echo_proxy.refuses = False
    assert await echoed(await connected(echo_proxy), b"two") == b"two"


async def test_an_unreachable_target_is_unreachable_through_the_proxy() -> None:
    async with proxy(1) as dead_end:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await echoed(await connected(dead_end), b"one")
