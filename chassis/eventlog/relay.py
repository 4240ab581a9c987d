"""The relay: what stands in the log reaches Kafka, a stream's events in order, at least once."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.structs import RecordMetadata
from pymongo import UpdateOne, WriteConcern
from pymongo.errors import PyMongoError

from chassis.eventlog.aggregate import Change, Commit, commit_id
from chassis.eventlog.event_store import UNPUBLISHED, EventLog
from chassis.kafka.checkpoints import Checkpoints, PublishedDocument
from chassis.kafka.client import PUBLISH_SECONDS
from chassis.mongo.client import Raw
from chassis.process.dependency_health import DependencyHealth
from chassis.process.pacing import PACE_SECONDS, Pace
from contracts import cloudevents
from contracts.cloudevents import Envelope

SWEEP_SECONDS = 5.0
BATCH_COMMITS = 500
REMEMBERED_STREAMS = 50_000

log = structlog.get_logger(__name__)


class Outgoing(NamedTuple):
    """A commit on its way: what the relay needs of it, fresh or read back from the log."""

    stream: str
    first: int
    last: int
    topic: str
    key: UUID
    records: Sequence[tuple[Envelope, str]]


def fresh(commit: Commit) -> Outgoing:
    """Take a commit that this process has just appended."""
    records = [(e.envelope, e.json) for e in commit.events]
    return Outgoing(commit.stream, commit.first, commit.last, commit.topic, commit.key, records)


def stored(raw: Raw, source: str) -> Outgoing:
    """Take a commit as the log holds it; its records are the same to the byte."""
    records = [
        (
            Envelope(
                id=event["id"],
                type=event["type"],
                source=source,
                subject=raw["stream"],
                time=raw["at"],
                correlation=raw["correlation"],
                cause=raw["cause"],
                version=version,
            ),
            event["data"],
        )
        for version, event in enumerate(raw["events"], raw["first"])
    ]
    return Outgoing(raw["stream"], raw["first"], raw["last"], raw["topic"], raw["key"], records)


class Relay:
    """Publishes commits: those of this process at once, those that a dead one left by a sweep."""

    def __init__(
        self,
        event_log: EventLog,
        producer: AIOKafkaProducer,
        source: str,
        prefix: str,
        pace: float = PACE_SECONDS,
    ) -> None:
        self._log = event_log
        self._marks = event_log.commits.with_options(write_concern=WriteConcern(w=1))
        self._places = Checkpoints(event_log.database, PublishedDocument)
        self._producer = producer
        self._source = source
        self._prefix = prefix
        self._offered: list[Outgoing] = []
        self._arrived = asyncio.Event()
        self._pace = Pace(pace)
        self._last_published: dict[str, int] = {}
        self.trouble = DependencyHealth()
        event_log.listeners.append(self._offer)

    def _offer(self, changes: Sequence[Change[Any]]) -> None:
        self._offered.extend(fresh(change.commit) for change in changes)
        self._arrived.set()

    async def run(self) -> None:
        """Publish until cancelled. Begins with all that is unpublished, whoever appended it."""
        loop = asyncio.get_running_loop()
        next_sweep, age = loop.time(), timedelta(0)
        while True:
            try:
                if loop.time() >= next_sweep:
                    await self.sweep(age)
                    next_sweep, age = loop.time() + SWEEP_SECONDS, timedelta(seconds=SWEEP_SECONDS)
                async with asyncio.timeout(max(0, next_sweep - loop.time())):
                    await self._arrived.wait()
            except TimeoutError:
                continue
            except (KafkaError, PyMongoError) as error:
                self._fail(error)
                next_sweep = loop.time() + SWEEP_SECONDS
                continue
            await self._pace.turn()
            await self.flush()

    async def flush(self) -> None:
        """Publish what this process has appended since; what fails is left to the sweep."""
        offered, self._offered = self._offered, []
        self._pace.took(len(offered))
        self._arrived.clear()
        try:
            await self._publish(await self._with_earlier(offered))
        except (KafkaError, PyMongoError) as error:
            self._fail(error)

    async def finish(self) -> None:
        """Publish what this process has appended, and remember how far the topics are known."""
        await self.flush()
        try:
            await self._places.keep(now=True)
        except PyMongoError as error:
            self._fail(error)

    async def sweep(self, age: timedelta) -> None:
        """Publish what has been unpublished for longer than `age`."""
        while True:
            found = await (
                self._log.commits.find(
                    {"published": False, "at": {"$lte": datetime.now(UTC) - age}}
                )
                .hint(UNPUBLISHED)
                .sort([("published", 1), ("stream", 1), ("first", 1)])
                .limit(BATCH_COMMITS)
                .to_list()
            )
            if not found:
                self.trouble.clear()
                return
            log.info("swept", commits=len(found))
            # A clock that ran ahead may have left an earlier commit that looks younger.
            await self._publish(
                await self._with_earlier([stored(raw, self._source) for raw in found])
            )
            if self.trouble.reason or len(found) < BATCH_COMMITS:
                return

    async def _with_earlier(self, offered: Sequence[Outgoing]) -> list[Outgoing]:
        """Put before each commit what is still unpublished of its stream."""
        # By stream, what stands in the topic, or will once the commits before are sent. Between two
        # of this process there may be one of another's.
        reached: dict[str, int] = {}
        unsure: set[str] = set()
        for commit in offered:
            stream = commit.stream
            before = reached.get(stream, self._last_published.get(stream, 0))
            if commit.first not in (1, before + 1):
                unsure.add(stream)
            reached[stream] = commit.last
        if not unsure:
            return list(offered)
        found = self._log.commits.find({"published": False, "stream": {"$in": list(unsure)}}).hint(
            UNPUBLISHED
        )
        all_ = {(c.stream, c.first): c for c in offered}
        async for raw in found:
            all_.setdefault((raw["stream"], raw["first"]), stored(raw, self._source))
        return sorted(all_.values(), key=lambda c: (c.stream, c.first))

    async def _publish(self, commits: Iterable[Outgoing]) -> None:
        """Send in rounds: a record goes only when the one before it of its stream is there."""
        lines: dict[str, deque[tuple[Outgoing, int]]] = {}
        for commit in commits:
            line = lines.setdefault(commit.stream, deque())
            line.extend((commit, number) for number in range(len(commit.records)))
        published: list[tuple[Outgoing, RecordMetadata]] = []
        while lines:
            heads = [line.popleft() for line in lines.values()]
            for (commit, number), place in zip(heads, await self._send(heads), strict=True):
                if place is None:
                    del lines[commit.stream]
                    continue
                if number == len(commit.records) - 1:
                    published.append((commit, place))
                if not lines[commit.stream]:
                    del lines[commit.stream]
        await self._mark(published)

    async def _send(self, heads: Sequence[tuple[Outgoing, int]]) -> list[RecordMetadata | None]:
        """Send one record of each stream; give where each stands now, or None where it failed."""
        tasks = [
            asyncio.create_task(
                self._producer.send_and_wait(
                    self._prefix + commit.topic,
                    value=commit.records[number][1].encode(),
                    key=str(commit.key).encode(),
                    headers=cloudevents.write(commit.records[number][0]),
                )
            )
            for commit, number in heads
        ]
        await asyncio.wait(tasks, timeout=PUBLISH_SECONDS)
        places: list[RecordMetadata | None] = []
        for task in tasks:
            if not task.done():
                task.cancel()
                self._fail(KafkaTimeoutError())
                places.append(None)
            elif error := task.exception():
                self._fail(error)
                places.append(None)
            else:
                self.trouble.clear()
                places.append(task.result())
        return places

    async def _mark(self, published: Sequence[tuple[Outgoing, RecordMetadata]]) -> None:
        """Record what Kafka has. A mark that is lost only means that it is published again."""
        if not published:
            return
        if len(self._last_published) > REMEMBERED_STREAMS:
            self._last_published.clear()
        marks = []
        for commit, place in published:
            self._last_published[commit.stream] = commit.last
            mark = {"partition": place.partition, "offset": place.offset}
            marks.append(
                UpdateOne(
                    {"_id": commit_id(commit.stream, commit.first)}, {"$set": {"published": mark}}
                )
            )
            self._places.note(
                TopicPartition(place.topic, place.partition), (place.offset, place.timestamp or 0)
            )
        await self._marks.bulk_write(marks, ordered=False)
        await self._places.keep()

    def _fail(self, error: BaseException) -> None:
        reason = type(error).__name__
        self.trouble.note(reason)
        log.warning("publishing_failed", error=reason)
