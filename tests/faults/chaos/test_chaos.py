"""The chaos run, short: everything breaks, and nothing is lost, doubled, early or stuck."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ops.servers.ports import LOOPBACK
from tests.faults.chaos.chaos_run import Profile, report, run
from tests.faults.chaos.fault_schedule import counts, forecast
from tests.faults.chaos.fleet import RECOVERY_SECONDS
from tests.faults.tcp_proxy import Proxy, proxy
from tests.servers import apache_kafka

SHORT = Profile(seed=9, seconds=45, followups=400, apache=os.environ.get("TEST_KAFKA") == "apache")


@pytest.mark.alone
@pytest.mark.journey
@pytest.mark.timeout(300)
async def test_nothing_is_lost_doubled_early_or_stuck_in_bad_weather(tmp_path: Path) -> None:
    said: list[str] = []
    try:
        outcome = await run(SHORT, tmp_path, said.append)
    except apache_kafka.NotAvailable as reason:
        pytest.skip(str(reason))
    assert outcome.passed, "\n".join(report(SHORT, outcome))
    assert sorted(outcome.weather.carried_out) == SHORT.faults
    counted = counts(outcome.weather.carried_out)
    assert counted["SIGKILL"] >= 10
    assert counted["SIGSTOP beyond the claim"] >= 3
    assert counted["outages"] >= 2
    recoveries = outcome.weather.recoveries
    assert len(recoveries) == counted["outages"]
    assert max(recoveries.values()) <= RECOVERY_SECONDS
    # The load was real: nearly all that was asked for was promised and planned, most of it sent.
    assert len(outcome.acknowledged.clients) >= 0.9 * SHORT.clients
    assert outcome.verdict.ends.total() >= 0.9 * SHORT.followups
    assert outcome.verdict.ends["sent"] >= 0.6 * SHORT.followups
    assert outcome.acknowledged.deleted
    assert outcome.acknowledged.opt_outs


def test_a_seed_draws_the_same_schedule_every_time() -> None:
    one, other = (forecast(7, 180, replicas=2, kafka_has_proxy=True) for _ in range(2))
    assert one == other
    assert one != forecast(8, 180, replicas=2, kafka_has_proxy=True)
    assert one == sorted(one)
    assert all(0 <= fault.at <= 180 for fault in one)


def test_without_a_proxy_kafka_is_only_frozen() -> None:
    faults = forecast(7, 600, replicas=1, kafka_has_proxy=False)
    assert {f.kind for f in faults if f.target == "kafka"} == {"frozen"}
    assert {f.target for f in faults if f.kind == "kill"} == {
        f"{name}-0" for name in ("crm", "scheduler", "composer", "mailer", "gateway")
    }


@pytest.fixture
async def between() -> AsyncIterator[Proxy]:
    """A proxy in front of a server that gives back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1024):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, LOOPBACK)
    async with server, proxy(server.sockets[0].getsockname()[1]) as standing:
        yield standing


Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connected(between: Proxy) -> Line:
    return await asyncio.open_connection(LOOPBACK, between.port)


async def echoed(line: Line, text: bytes) -> bytes:
    reader, writer = line
    writer.write(text)
    return await asyncio.wait_for(reader.readexactly(len(text)), 5)


async def test_a_proxy_passes_bytes_on_both_ways(between: Proxy) -> None:
    assert await echoed(await connected(between), b"hello" * 50_000) == b"hello" * 50_000


async def test_a_paused_proxy_takes_bytes_and_gives_them_when_it_goes_on(between: Proxy) -> None:
    line = await connected(between)
    assert await echoed(line, b"one") == b"one"
    between.pause()
    answer = asyncio.create_task(echoed(line, b"two"))
    late = await connected(between)
    done, _ = await asyncio.wait([answer], timeout=0.3)
    assert not done
    between.resume()
    assert await answer == b"two"
    assert await echoed(late, b"three") == b"three"


async def test_a_slow_proxy_delays_each_way(between: Proxy) -> None:
    line = await connected(between)
    assert await echoed(line, b"one") == b"one"
    between.delay = 0.1
    begin = asyncio.get_running_loop().time()
    assert await echoed(line, b"two") == b"two"
    assert asyncio.get_running_loop().time() - begin >= 0.2


async def test_a_cut_resets_what_is_connected_and_lets_others_in(between: Proxy) -> None:
    line = await connected(between)
    assert await echoed(line, b"one") == b"one"
    between.cut()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await echoed(line, b"two")
    assert await echoed(await connected(between), b"three") == b"three"


async def test_a_proxy_that_refuses_lets_nobody_in(between: Proxy) -> None:
    between.refuses = True
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await echoed(await connected(between), b"one")
    between.refuses = False
    assert await echoed(await connected(between), b"two") == b"two"


async def test_who_is_away_behind_a_proxy_is_away_before_it() -> None:
    async with proxy(1) as standing:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await echoed(await connected(standing), b"one")
