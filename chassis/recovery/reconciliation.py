"""Reconciliation: at its start a service compares its topics with its log, and repairs either.

What only a topic has is restored to the log: the database was put back to an older copy. What only
the log has is published again: the topic was lost, or cut. Normally one record of each partition
shows that neither has happened.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import structlog
from aiokafka import TopicPartition
from pymongo.errors import PyMongoError

from chassis.eventlog.event_store import BY_CAUSE, BY_ID, CommitDocument
from chassis.kafka.checkpoints import (
    Checkpoint,
    Checkpoints,
    PublishedDocument,
    continued_partitions,
)
from chassis.kafka.topic_reader import Offsets, TopicReader
from chassis.mongo.client import Database, Raw, duplicate_index, in_transaction
from chassis.recovery.forks import Forks
from chassis.recovery.persistence import Store
from chassis.recovery.restore import OwnEvent, Restorer, own_topics, own_types, read_own_event

BATCH_RECORDS = 1000
# How often a batch is retried because another replica restored the same events.
MAX_RACES = 50

# Called with the number of records that are done, and of all.
OnProgress = Callable[[int, int], None]

log = structlog.get_logger(__name__)


class UniqueIndexConflict(Exception):
    """A unique index refuses the states of the topic's events."""

    def __init__(self, streams: Iterable[str]) -> None:
        super().__init__(
            f"a unique index refuses the topic's events of {min(streams)}, for example; if states"
            " are missing or older than their commits, rebuild them with `realtoros replay --swap`"
        )


class MissingEvents(Exception):
    """Neither topic nor log holds events before later ones of the same streams."""

    def __init__(self, streams: Mapping[str, int]) -> None:
        stream, version = next(iter(streams.items()))
        super().__init__(
            f"events of {len(streams)} streams are lost: what precedes {stream}@{version}, for"
            " example, is neither in the topic nor in the log; restore a backup of either that has"
            " it (docs/operations.md, “When a server lost its data”)"
        )


class ReconciliationResult(NamedTuple):
    """How many commits were restored to the log, and how many marked to be published again."""

    restored: int
    to_publish: int


class Reconciliation:
    """Compares a service's own topics with its log."""

    def __init__(
        self, service: str, store: Store, database: Database, reader: TopicReader, prefix: str
    ) -> None:
        self._service = service
        self._types = own_types(service)
        self._prefix = prefix
        self._database = database
        self._commits = database[CommitDocument.Settings.name]
        self._published = Checkpoints(database, PublishedDocument)
        self._forks = Forks(service, database, prefix)
        self._restorer = Restorer(database, store.aggregates)
        self._reader = reader
        # By stream the last version that its topic holds after all versions before it, in order.
        self._reached: dict[str, int] = {}
        self._deferred: list[OwnEvent] = []

    async def run(
        self, *, full: bool = False, on_progress: OnProgress = lambda *_: None
    ) -> ReconciliationResult:
        """Repair the log, and mark what the relay has to publish; `full`: read the whole topics.

        Raises Fork, MissingEvents, KafkaError, PyMongoError.
        """
        # What was found to be forged must not be restored as if the log had lost it.
        await self._forks.require_none(self._reader)
        begins, ends = await self._reader.bounds(own_topics(self._service, self._prefix))
        checkpoints = await self._published.find(ends)
        continued: set[TopicPartition] = set()
        if not full:
            unmoved = {p: raw for p, raw in checkpoints.items() if raw.get("begin", 0) == begins[p]}
            continued = await continued_partitions(self._reader, unmoved, begins, ends)
        changed = {p for p in ends if p in checkpoints or begins[p] < ends[p]} - continued
        before = await self._commits.estimated_document_count()
        starts = {p: checkpoints[p]["offset"] + 1 for p in continued}
        last = await self._restore_topics(
            starts | {p: begins[p] for p in changed}, changed, begins, ends, on_progress
        )
        unpublished = await self._unpublish(changed) if changed else 0
        # Only now: if interrupted before, the partitions have to be read again.
        await self._published.put(last, begins)
        if empty := [p for p in changed if begins[p] == ends[p]]:
            await self._published.delete(empty)
        found = ReconciliationResult(
            await self._commits.estimated_document_count() - before, unpublished
        )
        if any(found):
            log.warning("reconciled", taken_in=found.restored, to_publish=found.to_publish)
        return found

    async def _restore_topics(
        self,
        starts: Offsets,
        changed: Collection[TopicPartition],
        begins: Offsets,
        ends: Offsets,
        on_progress: OnProgress,
    ) -> dict[TopicPartition, Checkpoint]:
        """Restore the topics' events; return the last record of each of the changed partitions."""
        last: dict[TopicPartition, Checkpoint] = {}
        done, total = 0, sum(ends[p] - start for p, start in starts.items())
        within = {p: ends[p] for p in starts}
        async for records, _ in self._reader.batches(starts, within, BATCH_RECORDS):
            events = [
                event
                for record in records
                if (event := read_own_event(record, self._types, self._prefix))
            ]
            for event in events:
                if event.version == self._reached.get(event.stream, 0) + 1:
                    self._reached[event.stream] = event.version
            await self._restore(events)
            for record in records:
                partition = TopicPartition(record.topic, record.partition)
                last[partition] = (record.offset, record.timestamp)
            if not self._deferred:
                await self._published.put(
                    {p: at for p, at in last.items() if p not in changed}, begins
                )
            done += len(records)
            on_progress(done, total)
        if self._deferred:
            raise UniqueIndexConflict({event.stream for event in self._deferred})
        if self._restorer.missing:
            raise MissingEvents(self._restorer.missing)
        return {p: at for p, at in last.items() if p in changed}

    async def _restore(self, events: Sequence[OwnEvent]) -> None:
        """Restore events; those that a unique index of a state refuses wait for the next batch.

        Another stream that has the value may release it in a partition that is read later.
        """
        waiting, self._deferred = [*self._deferred, *events], []
        if await self._try_restore(waiting):
            return
        streams: dict[str, list[OwnEvent]] = {}
        for event in waiting:
            streams.setdefault(event.stream, []).append(event)
        for of_stream in streams.values():
            if not await self._try_restore(of_stream):
                self._deferred += of_stream

    async def _try_restore(self, events: Sequence[OwnEvent]) -> bool:
        for _ in range(MAX_RACES):
            try:
                await in_transaction(self._database, lambda s: self._restorer.restore(s, events))
            except PyMongoError as error:
                index = duplicate_index(error)
                if index is None:
                    raise
                if index not in (BY_ID, BY_CAUSE):
                    return False
                # Another replica was first: what it restored is known at the next try.
                continue
            return True
        raise UniqueIndexConflict({event.stream for event in events})

    async def _unpublish(self, changed: Collection[TopicPartition]) -> int:
        """Mark as unpublished the commits that the partitions lack, or have out of order."""
        numbers: dict[str, set[int]] = {}
        for topic, number in changed:
            numbers.setdefault(topic.removeprefix(self._prefix), set()).add(number)
        found = self._commits.find(
            {"$or": [_in(topic, partitions) for topic, partitions in numbers.items()]},
            {"stream": 1, "last": 1},
        ).sort("_id")
        lost: list[str] = []
        count = 0
        async for raw in found:
            if raw["last"] > self._reached.get(raw["stream"], 0):
                lost.append(raw["_id"])
                count += 1
            if len(lost) >= BATCH_RECORDS:
                await self._mark(lost)
        await self._mark(lost)
        return count

    async def _mark(self, lost: list[str]) -> None:
        if lost:
            await self._commits.update_many(
                {"_id": {"$in": list(lost)}}, {"$set": {"published": False}}
            )
            lost.clear()


def _in(topic: str, partitions: set[int]) -> Raw:
    return {"topic": topic, "published.partition": {"$in": sorted(partitions)}}
