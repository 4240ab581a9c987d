"""Swap under load: every service's replay is swapped in while follow-ups go on."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from chassis.mongo.client import connect
from contracts.services import SERVICES
from tests import servers
from tests.bench import clients
from tests.bench.drain import accepted_at
from tests.bench.results import InvalidRun, seconds_between
from tests.bench.steady import MONTH, RATE, all_due, settings_of
from tests.bench.timed_process import run_timed
from tests.providers.running import provider
from tests.system import system

_SECONDS = timedelta(seconds=45)
_DELAY_MS = 50


async def replay_live(console: Console, folder: Path) -> None:
    """Swap all services in, one after the other, while 30 follow-ups a second fall due.

    Raises InvalidRun when one is missing or was sent twice, or a digest differs at the end.
    """
    rate = RATE / clients.FOLLOWUPS_EACH
    count = int(rate * (_SECONDS + MONTH).total_seconds())
    async with (
        servers.kafka() as kafka,
        servers.mongodb() as mongodb,
        provider("openai", folder, delay_ms=_DELAY_MS) as openai,
        provider("sendgrid", folder, delay_ms=_DELAY_MS) as sendgrid,
        connect(mongodb.address) as client,
    ):
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.address,
            "KAFKA_TOPIC_PREFIX": clients.PREFIX,
            "MONGODB_URI": mongodb.address,
        }

        async def swap_all() -> list[float]:
            begin = datetime.now(UTC) + MONTH
            await asyncio.sleep(seconds_between(datetime.now(UTC), begin))
            return [
                (
                    await run_timed("ops.cli", "replay", name, "--swap", environment=environment)
                ).seconds
                for name in SERVICES
            ]

        async with system(
            folder / "live",
            kafka,
            mongodb,
            prefix=clients.PREFIX,
            environment=settings_of(openai, sendgrid),
        ):
            ordering = clients.create_steadily(kafka.address, count, rate)
            _, seconds = await asyncio.gather(ordering, swap_all())
            due = await all_due(client, count)
            accepted = accepted_at(sendgrid.ledger())
            if accepted.keys() != due.keys():
                raise InvalidRun(f"{len(accepted)} of {len(due)} follow-ups were accepted")
            for name in SERVICES:
                # Its exit code is 1, and this raises, when a digest differs.
                await run_timed("ops.cli", "replay", name, "--verify", environment=environment)
    swap_times = ", ".join(f"{name} {s:.1f} s" for name, s in zip(SERVICES, seconds, strict=True))
    console.print(
        f"swapped in while {RATE} follow-ups/s went on ({swap_times}):"
        f" {len(accepted):,} sent, none lost, none twice; digests equal once idle"
    )
