"""The relay (transactional outbox): publishes the log, each stream in order, at least once."""

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
from chassis.observability.causes import cause_of
from chassis.process.dependency_health import DependencyHealth
from chassis.process.pacing import PACE_SECONDS, Pace
from contracts import cloudevents
from contracts.cloudevents import EventEnvelope

SWEEP_SECONDS = 5.0
BATCH_COMMITS = 500
REMEMBERED_STREAMS = 50_000

log = structlog.get_logger(__name__)


class OutgoingCommit(NamedTuple):
    """What is published of a commit."""

    stream: str
    first: int
    last: int
    topic: str
    key: UUID
    records: Sequence[tuple[EventEnvelope, str]]


def appended(commit: Commit) -> OutgoingCommit:
    """Return a commit that this process has just appended."""
    records = [(e.envelope, e.json) for e in commit.events]
    return OutgoingCommit(
        commit.stream, commit.first, commit.last, commit.topic, commit.key, records
    )


def stored(raw: Raw, source: str) -> OutgoingCommit:
    """Return a commit as the log holds it; its records are the same to the byte."""
    records = [
        (
            EventEnvelope(
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
    return OutgoingCommit(
        raw["stream"], raw["first"], raw["last"], raw["topic"], raw["key"], records
    )


class Relay:
    """Publishes commits: those of this process at once, those of one that died by a sweep."""

    def __init__(
        self,
        event_log: EventLog,
        producer: AIOKafkaProducer,
        source: str,
        prefix: str,
        pace: float = PACE_SECONDS,
    ) -> None:
        self._log = event_log
        self._commits = event_log.commits.with_options(write_concern=WriteConcern(w=1))
        self._checkpoints = Checkpoints(event_log.database, PublishedDocument)
        self._producer = producer
        self._source = source
        self._prefix = prefix
        self._offered: list[OutgoingCommit] = []
        self._wake = asyncio.Event()
        self._pace = Pace(pace)
        self._last_published: dict[str, int] = {}
        self.dependency = DependencyHealth()
        event_log.listeners.append(self._offer)

    def _offer(self, changes: Sequence[Change[Any]]) -> None:
        self._offered.extend(appended(change.commit) for change in changes)
        self._wake.set()

    async def run(self) -> None:
        """Publish until cancelled; first all that is unpublished, of any process."""
        loop = asyncio.get_running_loop()
        next_sweep, age = loop.time(), timedelta(0)
        while True:
            try:
                if loop.time() >= next_sweep:
                    await self.sweep(age)
                    next_sweep, age = loop.time() + SWEEP_SECONDS, timedelta(seconds=SWEEP_SECONDS)
                async with asyncio.timeout(max(0, next_sweep - loop.time())):
                    await self._wake.wait()
            except TimeoutError:
                continue
            except (KafkaError, PyMongoError) as error:
                self._fail(error)
                next_sweep = loop.time() + SWEEP_SECONDS
                continue
            await self._pace.turn()
            await self.flush()

    async def flush(self) -> None:
        """Publish what this process has appended since; the sweep retries what fails."""
        offered, self._offered = self._offered, []
        self._pace.took(len(offered))
        self._wake.clear()
        try:
            await self._publish(await self._with_earlier(offered))
        except (KafkaError, PyMongoError) as error:
            self._fail(error)

    async def finish(self) -> None:
        """Publish what this process has appended, and write the checkpoints."""
        await self.flush()
        try:
            await self._checkpoints.flush(now=True)
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
                self.dependency.succeeded()
                return
            log.info("swept", commits=len(found))
            # A clock that ran ahead may have given an earlier commit a later time.
            await self._publish(
                await self._with_earlier([stored(raw, self._source) for raw in found])
            )
            if self.dependency.reason or len(found) < BATCH_COMMITS:
                return

    async def _with_earlier(self, offered: Sequence[OutgoingCommit]) -> list[OutgoingCommit]:
        """Add the earlier commits of the same streams that are unpublished, in order."""
        # By stream, the version that the topic has once the commits before are sent. Between two
        # commits of this process there may be another replica's.
        reached: dict[str, int] = {}
        incomplete: set[str] = set()
        for commit in offered:
            stream = commit.stream
            before = reached.get(stream, self._last_published.get(stream, 0))
            if commit.first not in (1, before + 1):
                incomplete.add(stream)
            reached[stream] = commit.last
        if not incomplete:
            return list(offered)
        found = self._log.commits.find(
            {"published": False, "stream": {"$in": list(incomplete)}}
        ).hint(UNPUBLISHED)
        by_version = {(c.stream, c.first): c for c in offered}
        async for raw in found:
            by_version.setdefault((raw["stream"], raw["first"]), stored(raw, self._source))
        return sorted(by_version.values(), key=lambda c: (c.stream, c.first))

    async def _publish(self, commits: Iterable[OutgoingCommit]) -> None:
        """Send in rounds: a record goes only when Kafka has the one before it of its stream."""
        queues: dict[str, deque[tuple[OutgoingCommit, int]]] = {}
        for commit in commits:
            queue = queues.setdefault(commit.stream, deque())
            queue.extend((commit, number) for number in range(len(commit.records)))
        published: list[tuple[OutgoingCommit, RecordMetadata]] = []
        while queues:
            heads = [queue.popleft() for queue in queues.values()]
            for (commit, number), sent in zip(heads, await self._send(heads), strict=True):
                if sent is None:
                    del queues[commit.stream]
                    continue
                if number == len(commit.records) - 1:
                    published.append((commit, sent))
                if not queues[commit.stream]:
                    del queues[commit.stream]
        await self._mark(published)

    async def _send(
        self, heads: Sequence[tuple[OutgoingCommit, int]]
    ) -> list[RecordMetadata | None]:
        """Send one record of each stream; return the metadata of each, None where it failed."""
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
        sent: list[RecordMetadata | None] = []
        for task in tasks:
            if not task.done():
                task.cancel()
                self._fail(KafkaTimeoutError())
                sent.append(None)
            elif error := task.exception():
                self._fail(error)
                sent.append(None)
            else:
                self.dependency.succeeded()
                sent.append(task.result())
        return sent

    async def _mark(self, published: Sequence[tuple[OutgoingCommit, RecordMetadata]]) -> None:
        """Mark commits as published. A mark that is lost only means that one is published again."""
        if not published:
            return
        if len(self._last_published) > REMEMBERED_STREAMS:
            self._last_published.clear()
        marks = []
        for commit, sent in published:
            self._last_published[commit.stream] = commit.last
            mark = {"partition": sent.partition, "offset": sent.offset}
            marks.append(
                UpdateOne(
                    {"_id": commit_id(commit.stream, commit.first)}, {"$set": {"published": mark}}
                )
            )
            self._checkpoints.advance(
                TopicPartition(sent.topic, sent.partition), (sent.offset, sent.timestamp or 0)
            )
        await self._commits.bulk_write(marks, ordered=False)
        await self._checkpoints.flush()

    def _fail(self, error: BaseException) -> None:
        reason = type(error).__name__
        self.dependency.failed(reason)
        log.warning("publishing_failed", error=reason, cause=cause_of(error))
