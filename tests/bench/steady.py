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
from tests.bench.results import Drained, Wrong, seconds_between, show
from tests.providers.running import Fake, provider
from tests.system import provided_by, system

TARGET_P95 = 2.0
RATE = 30
_DAY = timedelta(seconds=1)
# The last of a client's five dates: from then on as many fall due as were planned a second.
MONTH = 30 * _DAY
_DELAY_MS = 50
_LOOK_SECONDS = 1.0
_LATE = timedelta(seconds=60)


async def steady(console: Console, folder: Path) -> None:
    """Let 30 follow-ups a second fall due for SECONDS (180) on the embedded servers; print waits.

    Raises Wrong when a follow-up is missing or was sent twice.
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
            ordering = clients.order_steadily(kafka.address, count, rate)
            used = await asyncio.gather(ordering, _used(begin, begin + seconds))
            due = await all_due(client, count)
    accepted = accepted_at(sendgrid.ledger())
    if accepted.keys() != due.keys():
        raise Wrong(f"{len(accepted)} of {len(due)} follow-ups were accepted")
    waits = [
        seconds_between(at, accepted[id_])
        for id_, at in due.items()
        if begin <= at < begin + seconds
    ]
    run = Drained("RealtorOS", len(waits), seconds.total_seconds(), used[1], waits)
    show(console, [run])
    if run.wait(95) > TARGET_P95:
        console.print(f"MISSED: the target is a p95 under {TARGET_P95:.0f} s")


def settings_of(openai: Fake, sendgrid: Fake) -> dict[str, str]:
    """Give the settings of a calendar whose days are seconds."""
    day = {"FOLLOWUP_DAY_SECONDS": str(_DAY.total_seconds())}
    return provided_by(openai, sendgrid) | day


async def _used(begin: datetime, end: datetime) -> dict[str, float]:
    """Give the CPU seconds that are used between the two times."""
    await asyncio.sleep(seconds_between(datetime.now(UTC), begin))
    before = cpu.seconds()
    await asyncio.sleep(seconds_between(datetime.now(UTC), end))
    return cpu.between(before, cpu.seconds())


async def all_due(client: AsyncMongoClient[Raw], count: int) -> dict[str, datetime]:
    """Give by id when each follow-up was due, once all have been planned and sent."""
    tasks = client["realtoros_gateway"]["tasks"]
    wanted = {"agent_id": clients.AGENT, "status": "sent"}
    latest = datetime.now(UTC) + MONTH + _LATE
    while (number := await tasks.count_documents(wanted)) < count * clients.FOLLOWUPS_EACH:
        if datetime.now(UTC) > latest:
            raise Wrong(f"only {number} of {count * clients.FOLLOWUPS_EACH} were sent")
        await asyncio.sleep(_LOOK_SECONDS)
    return {str(raw["_id"]): raw["scheduled_for"] async for raw in tasks.find(wanted)}
