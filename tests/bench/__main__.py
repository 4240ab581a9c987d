"""`python -m tests.bench`: drain due follow-ups at 0 and 50 ms, next to a floor of bare clients.

`--idle`: CPU of an idle `realtoros up`. `--steady`: how long a follow-up takes under a steady load,
on the embedded servers (`SECONDS`). `--replay`: how fast state is rebuilt.
`--pauses`: how soon all sending stops when it is paused.
`--attacks`: an honest agent's requests while another attacks (`SECONDS`, `ATTACK`).
`--api`: rates and times of the REST API over `COUNT` (100,000) clients, by wrk.
`--optout`: opt-outs at a steady rate (`SECONDS`), SendGrid's reports as fast as one gateway can.
`COUNT` (2000) in the environment sets how many follow-ups, or events to replay (500,000);
`BENCH_KAFKA=embedded` does not use Apache Kafka; `DELAYS` (0,50) in ms.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console

from tests import servers
from tests.bench.api import api
from tests.bench.attacks import attacks
from tests.bench.drain import BenchSetup, drain
from tests.bench.floor import drain_bare
from tests.bench.idle import idle
from tests.bench.optout import optout
from tests.bench.pauses import pauses
from tests.bench.replay import replay
from tests.bench.replay_live import replay_live
from tests.bench.results import Drained, InvalidRun, show
from tests.bench.steady import steady
from tests.providers.running import provider
from tests.servers.apache_kafka import NotAvailable, jars

TARGET_RATE = 100


async def main(console: Console) -> None:
    """Run the benchmark of the command line. Raises InvalidRun when a run proves nothing."""
    with tempfile.TemporaryDirectory(prefix="realtoros-bench-") as folder:
        if "--idle" in sys.argv:
            await idle(console, Path(folder))
            return
        if "--steady" in sys.argv:
            await steady(console, Path(folder))
            return
        if "--attacks" in sys.argv:
            await attacks(console, Path(folder))
            return
        if "--pauses" in sys.argv:
            await pauses(console, Path(folder))
            return
        if "--api" in sys.argv:
            await api(console, Path(folder))
            return
        if "--optout" in sys.argv:
            await optout(console, Path(folder))
            return
        await _choose_kafka(console)
        if "--replay" in sys.argv:
            await replay(console, Path(folder))
            await replay_live(console, Path(folder))
            return
        runs: list[Drained] = []
        for delay in map(int, os.environ.get("DELAYS", "0,50").split(",")):
            async with _set_up(console, Path(folder) / str(delay), delay) as setup:
                system, floor = await drain(setup), await drain_bare(setup)
            runs += [system, floor]
            console.print(
                f"{delay} ms: {system.rate:.0f}/s of the floor's {floor.rate:.0f}/s"
                f" ({system.rate / floor.rate:.2f}), CPU {system.cost() / floor.cost():.2f} times"
                " the floor's"
            )
        show(console, runs)
        if runs[-2].rate < TARGET_RATE:
            console.print(f"MISSED: the target is {TARGET_RATE} follow-ups/s")


@contextlib.asynccontextmanager
async def _set_up(console: Console, folder: Path, delay: int) -> AsyncIterator[BenchSetup]:
    """Start fresh servers and providers."""
    async with (
        servers.kafka() as kafka,
        servers.mongodb() as mongodb,
        provider("openai", folder, delay_ms=delay) as openai,
        provider("sendgrid", folder, delay_ms=delay) as sendgrid,
    ):
        count = int(os.environ.get("COUNT") or 2000)
        console.print(
            f"{count} follow-ups, providers answer in {delay} ms; {kafka.name}, {mongodb.name};"
            f" {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at {time.strftime('%H:%M:%S')}"
        )
        yield BenchSetup(kafka, mongodb, openai, sendgrid, folder, count, delay)


async def _choose_kafka(console: Console) -> None:
    """Use Apache Kafka if available, unless BENCH_KAFKA is `embedded`."""
    if os.environ.get("BENCH_KAFKA") == "embedded":
        os.environ.pop("TEST_KAFKA", None)
        return
    try:
        await jars()
    except NotAvailable as reason:
        console.print(f"no Apache Kafka: {str(reason).splitlines()[0]}")
    else:
        os.environ["TEST_KAFKA"] = "apache"


if __name__ == "__main__":
    try:
        asyncio.run(main(Console()))
    except InvalidRun as error:
        sys.exit(f"bench: {error}")
