"""How the calls follow a model's provider: one that allows 20 a second, one that becomes slow."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
from rich.console import Console

from chassis.mongo.client import connect
from ops.servers.ports import LOOPBACK, free_port
from tests import servers
from tests.bench import clients
from tests.bench.results import InvalidRun, seconds_between
from tests.providers.running import FakeProvider, provider
from tests.system import Running, provider_settings, system

ALLOWED, COUNT = 20, 2000
TARGET_ACCEPTED, TARGET_REFUSED = 19.0, 0.02
_DELAY_MS, _SLOW_SECONDS = 200, 4.8
_SLOW_COUNT = 3000
# All fall due at once, and none of the second dates before the first are done.
_DAY = timedelta(seconds=180)
_LOOK_SECONDS = 1.0
_PHASES = ((10, False), (20, True), (10, False))
_METRIC = re.compile(r'^realtoros_calls_(\w+)(?:{outcome="(\w+)"})? ([0-9.]+)$', re.MULTILINE)


async def limits(console: Console, folder: Path) -> None:
    """Print what was accepted and refused; then the limit, second by second.

    Raises InvalidRun when a letter failed, or an attempt was counted.
    """
    await _refusing(console, folder / "refusing")
    await _slow(console, folder / "slow")


async def _refusing(console: Console, folder: Path) -> None:
    """The model's provider answers 429 beyond 20 requests in any second."""
    async with _running(folder, COUNT) as (running, openai):
        await openai.inject_faults({"status": 429, "beyond": ALLOWED, "times": None})
        accepted = await _accepted(openai, COUNT)
        refused = (await _metrics(running))["total{throttled}"]
        await _check(running)
    rate = (COUNT - 1) / seconds_between(accepted[0], accepted[-1])
    share = refused / (COUNT + refused)
    console.print(
        f"allowed {ALLOWED}/s: {rate:.1f}/s accepted, {refused:.0f} of {COUNT + refused:.0f} calls"
        f" refused ({share:.1%}), no attempt counted"
    )
    if rate < TARGET_ACCEPTED or share >= TARGET_REFUSED:
        console.print(f"MISSED: {TARGET_ACCEPTED:.0f}/s and less than {TARGET_REFUSED:.0%} refused")


async def _slow(console: Console, folder: Path) -> None:
    """The model takes 0.2 s, then 5 s, then 0.2 s again."""
    async with _running(folder, _SLOW_COUNT) as (running, openai):
        await _accepted(openai, 1)
        for seconds, slow in _PHASES:
            if slow:
                await openai.inject_faults({"delay": _SLOW_SECONDS, "times": None})
            else:
                await openai.clear_faults()
            sizes = []
            for _ in range(seconds):
                before = len(openai.ledger())
                await asyncio.sleep(_LOOK_SECONDS)
                now = await _metrics(running)
                begun = len(openai.ledger()) - before
                sizes.append(f"{now['limit']:.0f} ({now['in_flight']:.0f}, {begun})")
            console.print(f"{'5' if slow else '0.2'} s: {', '.join(sizes)}")
        console.print("each: limit (in flight, calls begun in that second)")
        await _check(running)


@contextlib.asynccontextmanager
async def _running(folder: Path, count: int) -> AsyncIterator[tuple[Running, FakeProvider]]:
    """Run all with so many follow-ups that are about to fall due."""
    async with (
        servers.kafka() as kafka,
        servers.mongodb() as mongodb,
        provider("openai", folder, delay_ms=_DELAY_MS) as openai,
        provider("sendgrid", folder) as sendgrid,
        connect(mongodb.address) as client,
        system(
            folder / "services",
            kafka,
            mongodb,
            prefix=clients.PREFIX,
            environment=provider_settings(openai, sendgrid)
            | {"FOLLOWUP_DAY_SECONDS": str(_DAY.total_seconds()), "LETTERS_PER_DAY": "0"},
            service_environments={"composer": {"METRICS_PORT": str(free_port())}},
        ) as running,
    ):
        await clients.create(kafka.address, count)
        await clients.planned(client, count, _DAY)
        yield running, openai


async def _accepted(openai: FakeProvider, count: int) -> list[datetime]:
    """Wait until so many letters are written; return when each was asked for."""
    async with asyncio.timeout(_DAY.total_seconds() * 2):
        while len(openai.ledger()) < count:
            await asyncio.sleep(_LOOK_SECONDS)
    return sorted(datetime.fromisoformat(entry["at"]) for entry in openai.ledger()[:count])


async def _metrics(running: Running) -> dict[str, float]:
    [composer] = running.processes["composer"]
    async with httpx2.AsyncClient(trust_env=False) as http:
        url = f"http://{LOOPBACK}:{composer.environment['METRICS_PORT']}/metrics"
        text = (await http.get(url)).text
    return {
        f"{name}{{{outcome}}}" if outcome else name: float(value)
        for name, outcome, value in _METRIC.findall(text)
    }


async def _check(running: Running) -> None:
    """Raise InvalidRun if an attempt was counted: composer logs each."""
    [composer] = running.processes["composer"]
    failed = composer.log.read_text().count('"composition_attempt_failed"')
    if failed or running.errors():
        raise InvalidRun(f"{failed} attempts failed; errors: {running.errors()}")
