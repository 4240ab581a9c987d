"""How fast state is rebuilt from its topics, in how much memory, and whether it is the same."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from contracts.catalogue import EVENTS
from contracts.services import SERVICES, Service
from ops.servers.stores import apply_topics
from ops.topics.export import export
from ops.topics.restore import import_
from tests import servers
from tests.bench.history_topics import produce
from tests.bench.results import InvalidRun
from tests.bench.timed_process import TimedRun, run_timed
from tests.journeys.topic_damage import wipe_topics
from tests.servers import Server

TARGET_SECONDS, TARGET_EVENTS = 300, 500_000
TARGET_SHARE = 0.5
TARGET_MEMORY = 500
# Flat: the most MB that memory grows by in the second half.
TARGET_GROWTH = 50
PREFIX, SECOND_PREFIX = "bench.", "bench-imported."
_QUARTERS = (25, 50, 75, 100)


@dataclass
class Runs:
    """The measurements, by service."""

    replays: dict[Service, TimedRun] = field(default_factory=dict)
    floors: dict[Service, TimedRun] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """The seconds of all replays in sequence."""
        return sum(run.seconds for run in self.replays.values())

    @property
    def digests(self) -> float:
        """The seconds of all digests."""
        return sum(run.digests for run in self.replays.values())

    def records(self, service: Service) -> int:
        """How many records the service's replay reads."""
        return int(self.floors[service].lines[0])

    def share(self, service: Service) -> float:
        """How much of the floor's rate the replay reaches."""
        return self.floors[service].seconds / self.replays[service].seconds


async def replay(console: Console, folder: Path) -> None:
    """Fill topics with COUNT (500,000) events, replay all services from them, and print figures.

    Raises InvalidRun when digests of two replays differ. The embedded broker keeps everything in
    memory and in one JSON file: so many events need Apache Kafka.
    """
    count = int(os.environ.get("COUNT") or TARGET_EVENTS)
    async with servers.kafka() as kafka, servers.mongodb() as mongodb:
        console.print(
            f"{count:,} events; {kafka.name}, {mongodb.name}; {os.cpu_count()} cores,"
            f" load {os.getloadavg()[0]:.1f} at {time.strftime('%H:%M:%S')}"
        )
        await apply_topics(kafka.servers, PREFIX)
        started = time.monotonic()
        count = await produce(kafka.address, PREFIX, count)
        console.print(f"{count:,} events produced in {time.monotonic() - started:.0f} s")
        environment = {"KAFKA_BOOTSTRAP_SERVERS": kafka.address, "MONGODB_URI": mongodb.address}
        runs = Runs()
        for service in SERVICES:
            runs.replays[service] = await _replayed(service, environment, PREFIX)
            runs.floors[service] = await run_timed(
                "tests.bench.bare_replay",
                service,
                environment=environment | {"KAFKA_TOPIC_PREFIX": PREFIX},
            )
        _show(console, runs, count)
        await _compare(console, runs, environment, PREFIX, "a second replay")
        started = time.monotonic()
        names = [topic.name for topic in EVENTS]
        await export(kafka.servers, PREFIX, names, folder / "export", lambda *_: None)
        exported = time.monotonic()
        await import_(kafka.servers, SECOND_PREFIX, folder / "export", lambda *_: None)
        console.print(
            f"exported in {exported - started:.0f} s,"
            f" imported in {time.monotonic() - exported:.0f} s"
        )
        await _compare(console, runs, environment, SECOND_PREFIX, "export, import, replay")
        await _wipe_and_republish(console, kafka, environment | {"KAFKA_TOPIC_PREFIX": PREFIX})
        await _compare(
            console, runs, environment, PREFIX, "broker's data deleted, republish, replay"
        )


async def _wipe_and_republish(
    console: Console, kafka: Server, environment: Mapping[str, str]
) -> None:
    """Swap the replayed state in, wipe the topics, and republish everything."""
    for service in SERVICES:
        await run_timed("ops.cli", "replay", service, "--swap", environment=environment)
    lost = await wipe_topics(kafka, PREFIX)
    started = time.monotonic()
    for owner in {topic.writer for topic in EVENTS}:
        await run_timed("ops.cli", "republish", owner, environment=environment)
    console.print(f"{lost:,} records lost and republished in {time.monotonic() - started:.0f} s")


async def _replayed(service: Service, environment: Mapping[str, str], prefix: str) -> TimedRun:
    return await run_timed(
        "ops.cli", "replay", service, environment={**environment, "KAFKA_TOPIC_PREFIX": prefix}
    )


async def _compare(
    console: Console, runs: Runs, environment: Mapping[str, str], prefix: str, what: str
) -> None:
    """Replay all again. Raises InvalidRun when a digest differs."""
    seconds = 0.0
    for service, first in runs.replays.items():
        again = await _replayed(service, environment, prefix)
        seconds += again.seconds + again.digests
        pairs = zip(first.lines, again.lines, strict=True)
        if different := [f"{one} / {other}" for one, other in pairs if one != other]:
            raise InvalidRun(f"{what}: {len(different)} digests differ, {different[0]} for one")
    console.print(f"{what}: digests equal ({seconds:.0f} s)")


def _show(console: Console, runs: Runs, count: int) -> None:
    for run in runs.replays.values():
        console.print("\n".join(run.lines), highlight=False, soft_wrap=True)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for title in ("records", "s", "CPU+db", "floor", "CPU+db", "share", "digests", "MB"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("MB over time", justify="right", no_wrap=True)
    for service, run in runs.replays.items():
        floor = runs.floors[service]
        table.add_row(
            service,
            f"{runs.records(service):,}",
            *(f"{run.seconds:.1f}", f"{run.cpu:.0f}+{run.mongodb:.0f}"),
            *(f"{floor.seconds:.1f}", f"{floor.cpu:.0f}+{floor.mongodb:.0f}"),
            f"{runs.share(service):.2f}",
            f"{run.digests:.1f}",
            f"{run.peak:.0f}",
            " ".join(f"{run.memory_at(percent):.0f}" for percent in _QUARTERS),
        )
    console.print(table)
    read = sum(map(runs.records, SERVICES))
    console.print(
        f"replay of all: {runs.seconds:.0f} s, {read / runs.seconds:,.0f} records/s;"
        f" digests {runs.digests:.0f} s more; load {os.getloadavg()[0]:.1f}"
    )
    if runs.seconds + runs.digests > TARGET_SECONDS * count / TARGET_EVENTS:
        console.print(f"MISSED: the target is {TARGET_SECONDS} s for {TARGET_EVENTS:,} events")
    for service, run in runs.replays.items():
        if runs.share(service) < TARGET_SHARE:
            console.print(f"MISSED: {service} is under {TARGET_SHARE:.0%} of the floor")
        if run.peak > TARGET_MEMORY or run.memory_at(100) > run.memory_at(50) + TARGET_GROWTH:
            console.print(f"MISSED: {service} is over {TARGET_MEMORY} MB, or its memory grows")
