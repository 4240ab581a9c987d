"""`python -m tests.bench`: drain due follow-ups at 0 and 50 ms, next to a floor of bare clients.

`--peer`: next to Celery, Redis and MongoDB, which do the same. `--idle`: CPU of an idle
`realtoros up`. `--steady`: how long a follow-up takes under a steady load, on the embedded servers
(`SECONDS`). `--replay`: how fast state is rebuilt.
`--pauses`: how soon all sending stops when it is paused.
`--limits`: what a provider that allows 20 a second accepts and refuses, and how the limit of calls
follows a model that becomes slow.
`--attacks`: an honest agent's requests while another attacks (`SECONDS`, `ATTACK`).
`--api`: rates and times of the REST API over `COUNT` (100,000) clients, by wrk.
`--pages`: how soon the dashboard shows what, in Chromium on a slow line and CPU (`MINUTES`).
`--optout`: opt-outs at a steady rate (`SECONDS`), SendGrid's reports as fast as one gateway can.
`COUNT` (2000) in the environment sets how many follow-ups, or events to replay (500,000);
`BENCH_KAFKA=embedded` does not use Apache Kafka. `DELAYS` (0,50; of `--peer` 0,50,2000/150) is how
long the providers take to answer, in ms: both, or the model and the mail provider.
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
from tests.bench.drain import BenchSetup, Delay, drain
from tests.bench.floor import drain_bare
from tests.bench.idle import idle
from tests.bench.limits import limits
from tests.bench.optout import optout
from tests.bench.pages import pages
from tests.bench.pauses import pauses
from tests.bench.peer.run import compare, missing
from tests.bench.replay import replay
from tests.bench.replay_live import replay_live
from tests.bench.results import Drained, InvalidRun, show
from tests.bench.steady import steady
from tests.providers.running import provider
from tests.servers.apache_kafka import NotAvailable, jars

TARGET_RATE = 100
# Each runs on servers of its own.
_ALONE = {
    "--idle": idle,
    "--steady": steady,
    "--attacks": attacks,
    "--pauses": pauses,
    "--limits": limits,
    "--api": api,
    "--optout": optout,
    "--pages": pages,
}


async def main(console: Console) -> None:
    """Run the benchmark of the command line. Raises InvalidRun when a run proves nothing."""
    with tempfile.TemporaryDirectory(prefix="realtoros-bench-") as folder:
        for option, run in _ALONE.items():
            if option in sys.argv:
                await run(console, Path(folder))
                return
        if "--peer" in sys.argv and (reason := missing()):
            console.print(f"no comparison with Celery: {reason}")
            return
        await _choose_kafka(console)
        if "--replay" in sys.argv:
            await replay(console, Path(folder))
            await replay_live(console, Path(folder))
        elif "--peer" in sys.argv:
            for delay in _delays("0,50,2000/150"):
                async with _set_up(console, Path(folder), delay) as setup:
                    await compare(console, setup)
        else:
            await _drain_beside_floor(console, Path(folder))


async def _drain_beside_floor(console: Console, folder: Path) -> None:
    runs: list[Drained] = []
    for delay in _delays("0,50"):
        async with _set_up(console, folder, delay) as setup:
            system, floor = await drain(setup), await drain_bare(setup)
        runs += [system, floor]
        console.print(
            f"{delay}: {system.rate:.0f}/s of the floor's {floor.rate:.0f}/s"
            f" ({system.rate / floor.rate:.2f}), CPU {system.cost() / floor.cost():.2f} times"
            " the floor's"
        )
    show(console, runs)
    if runs[-2].rate < TARGET_RATE:
        console.print(f"MISSED: the target is {TARGET_RATE} follow-ups/s")


def _delays(default: str) -> list[Delay]:
    return [Delay.of(text) for text in os.environ.get("DELAYS", default).split(",")]


@contextlib.asynccontextmanager
async def _set_up(console: Console, parent: Path, delay: Delay) -> AsyncIterator[BenchSetup]:
    """Start fresh servers and providers."""
    folder = parent / f"{delay.model_ms}-{delay.mail_ms}"
    async with (
        servers.kafka() as kafka,
        servers.mongodb() as mongodb,
        provider("openai", folder, delay_ms=delay.model_ms) as openai,
        provider("sendgrid", folder, delay_ms=delay.mail_ms) as sendgrid,
    ):
        count = int(os.environ.get("COUNT") or 2000)
        console.print(
            f"{count} follow-ups, providers answer in {delay}; {kafka.name}, {mongodb.name};"
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
