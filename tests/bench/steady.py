"""A steady load without faults: how long a follow-up takes from its date to its acceptance."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pymongo import AsyncMongoClient
from rich.console import Console

from chassis.mongo.client import Raw, connect
from tests import servers
from tests.bench import clients, cpu
from tests.bench.drain import accepted_at
from tests.bench.results import Drained, InvalidRun, seconds_between, show
from tests.providers.running import FakeProvider, provider
from tests.system import provider_settings, system

TARGET_P95 = 2.0
RATE = 30
_DAY = timedelta(seconds=1)
# The last of a client's five dates: from then on the rate of due follow-ups is constant.
MONTH = 30 * _DAY
_DELAY_MS = 50
_LOOK_SECONDS = 1.0
_LATE = timedelta(seconds=60)


async def steady(console: Console, folder: Path) -> None:
    """Print the waits of 30 follow-ups a second for SECONDS (180) on the embedded servers.

    Raises InvalidRun when a follow-up is missing or was sent twice.
    """
    seconds = timedelta(seconds=int(os.environ.get("SECONDS") or 180))
    rate = RATE / clients.FOLLOWUPS_EACH
    count = int(rate * (seconds + MONTH).total_seconds())
    async with (
        servers.kafka() as kafka,
        servers.mongodb() as mongodb,
        provider("openai", folder, delay_ms=_DELAY_MS) as openai,
        provider("sendgrid", folder, delay_ms=_DELAY_MS) as sendgrid,
        connect(mongodb.address) as client,
    ):
        console.print(
            f"{RATE} follow-ups/s for {seconds.total_seconds():.0f} s, providers answer in"
            f" {_DELAY_MS} ms; {kafka.name}, {mongodb.name}; {os.cpu_count()} cores,"
            f" load {os.getloadavg()[0]:.1f}"
        )
        async with system(
            folder / "services",
            kafka,
            mongodb,
            prefix=clients.PREFIX,
            environment=settings_of(openai, sendgrid),
        ):
            begin = datetime.now(UTC) + MONTH
            ordering = clients.create_steadily(kafka.address, count, rate)
            used = await asyncio.gather(ordering, _cpu_between(begin, begin + seconds))
            due = await all_due(client, count)
    accepted = accepted_at(sendgrid.ledger())
    if accepted.keys() != due.keys():
        raise InvalidRun(f"{len(accepted)} of {len(due)} follow-ups were accepted")
    waits = [
        seconds_between(at, accepted[id_])
        for id_, at in due.items()
        if begin <= at < begin + seconds
    ]
    run = Drained("RealtorOS", len(waits), seconds.total_seconds(), used[1], waits)
    show(console, [run])
    if run.wait(95) > TARGET_P95:
        console.print(f"MISSED: the target is a p95 under {TARGET_P95:.0f} s")


def settings_of(openai: FakeProvider, sendgrid: FakeProvider) -> dict[str, str]:
    """Return the settings of a calendar with days of one second, for one agent's clients."""
    day = {"FOLLOWUP_DAY_SECONDS": str(_DAY.total_seconds()), "LETTERS_PER_DAY": "0"}
    return provider_settings(openai, sendgrid) | day


async def _cpu_between(begin: datetime, end: datetime) -> dict[str, float]:
    """Wait for both times; return the CPU seconds used between them."""
    await asyncio.sleep(seconds_between(datetime.now(UTC), begin))
    before = cpu.seconds()
    await asyncio.sleep(seconds_between(datetime.now(UTC), end))
    return cpu.between(before, cpu.seconds())


async def all_due(client: AsyncMongoClient[Raw], count: int) -> dict[str, datetime]:
    """Wait until all follow-ups are sent; return when each was due, by id."""
    tasks = client["realtoros_gateway"]["tasks"]
    wanted = {"agent_id": clients.AGENT, "status": "sent"}
    latest = datetime.now(UTC) + MONTH + _LATE
    while (number := await tasks.count_documents(wanted)) < count * clients.FOLLOWUPS_EACH:
        if datetime.now(UTC) > latest:
            raise InvalidRun(f"only {number} of {count * clients.FOLLOWUPS_EACH} were sent")
        await asyncio.sleep(_LOOK_SECONDS)
    return {str(raw["_id"]): raw["scheduled_for"] async for raw in tasks.find(wanted)}
