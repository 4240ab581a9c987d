"""Reconciliation: at its start a service compares its topics with its log, and mends either.

What only a topic has is taken into the log: the database was put back to an older copy. What only
the log has is published again: the topic was lost, or cut. Normally one record of each partition
tells that nothing of the kind has happened.
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
    unchanged_partitions,
)
from chassis.kafka.topic_reader import Offsets, TopicReader
from chassis.mongo.client import Database, Raw, duplicate_index, in_transaction
from chassis.recovery.persistence import Store
from chassis.recovery.restore import OwnEvent, Restorer, own_topics, own_types, read_own_event

BATCH_RECORDS = 1000
# How often another replica may be first with the same events.
TRIES = 50

# Is told how many records are done, of how many.
OnProgress = Callable[[int, int], None]

log = structlog.get_logger(__name__)


class UniqueIndexConflict(Exception):
    """Events of the topic cannot be taken in together: a unique index refuses their states."""

    def __init__(self, streams: Iterable[str]) -> None:
        super().__init__(
            f"a unique index refuses what the topic tells of {min(streams)}, for one; if states"
            " are gone or older than their commits, `realtoros replay --swap` builds them anew"
        )


class MissingEvents(Exception):
    """Neither topic nor log holds events that later ones follow."""

    def __init__(self, streams: Mapping[str, int]) -> None:
        stream, version = next(iter(streams.items()))
        super().__init__(
            f"events of {len(streams)} streams are lost: what comes before {stream}@{version},"
            " for one, is neither in the topic nor in the log; put back a copy of either that has"
            " it (docs/operations.md, “When a server lost its data”)"
        )


class ReconciliationResult(NamedTuple):
    """What a reconciliation did."""

    taken_in: int
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
        self._intake = Restorer(database, store.aggregates)
        self._reader = reader
        # By stream the last version that its topic holds with all before it, in order.
        self._reached: dict[str, int] = {}
        self._deferred: list[OwnEvent] = []

    async def run(
        self, *, whole: bool = False, show: OnProgress = lambda *_: None
    ) -> ReconciliationResult:
        """Mend the log at once, and mark what the relay has to publish; `whole`: read all of it.

        Raises Fork, MissingEvents, KafkaError, PyMongoError.
        """
        begins, ends = await self._reader.bounds(own_topics(self._service, self._prefix))
        places = await self._published.find(ends)
        continued: set[TopicPartition] = set()
        if not whole:
            unmoved = {p: raw for p, raw in places.items() if raw.get("begin", 0) == begins[p]}
            continued = await unchanged_partitions(self._reader, unmoved, begins, ends)
        suspects = {p for p in ends if p in places or begins[p] < ends[p]} - continued
        before = await self._commits.estimated_document_count()
        starts = {p: places[p]["offset"] + 1 for p in continued}
        known = await self._take_in(
            starts | {p: begins[p] for p in suspects}, suspects, begins, ends, show
        )
        unpublished = await self._unpublish(suspects) if suspects else 0
        # Only now: cut off before, all of it has to be looked through once more.
        await self._published.put(known, begins)
        if empty := [place for place in suspects if begins[place] == ends[place]]:
            await self._published.forget(empty)
        found = ReconciliationResult(
            await self._commits.estimated_document_count() - before, unpublished
        )
        if any(found):
            log.warning("reconciled", taken_in=found.taken_in, to_publish=found.to_publish)
        return found

    async def _take_in(
        self,
        starts: Offsets,
        suspects: Collection[TopicPartition],
        begins: Offsets,
        ends: Offsets,
        show: OnProgress,
    ) -> dict[TopicPartition, Checkpoint]:
        last: dict[TopicPartition, Checkpoint] = {}
        done, total = 0, sum(ends[place] - start for place, start in starts.items())
        within = {place: ends[place] for place in starts}
        async for records, _ in self._reader.batches(starts, within, BATCH_RECORDS):
            events = [
                event
                for record in records
                if (event := read_own_event(record, self._service, self._types))
            ]
            for event in events:
                envelope = event.envelope
                if envelope.version == self._reached.get(envelope.subject, 0) + 1:
                    self._reached[envelope.subject] = envelope.version
            await self._store(events)
            for record in records:
                place = TopicPartition(record.topic, record.partition)
                last[place] = (record.offset, record.timestamp)
            if not self._deferred:
                await self._published.put(
                    {p: at for p, at in last.items() if p not in suspects}, begins
                )
            done += len(records)
            show(done, total)
        if self._deferred:
            raise UniqueIndexConflict({told.envelope.subject for told in self._deferred})
        if self._intake.missing:
            raise MissingEvents(self._intake.missing)
        return {p: at for p, at in last.items() if p in suspects}

    async def _store(self, events: Sequence[OwnEvent]) -> None:
        """Take events in; those that a unique index of a state refuses wait for the next batch.

        Who had the value before may give it up in a partition that is read later.
        """
        waiting, self._deferred = [*self._deferred, *events], []
        if await self._stored(waiting):
            return
        streams: dict[str, list[OwnEvent]] = {}
        for one in waiting:
            streams.setdefault(one.envelope.subject, []).append(one)
        for of_stream in streams.values():
            if not await self._stored(of_stream):
                self._deferred += of_stream

    async def _stored(self, events: Sequence[OwnEvent]) -> bool:
        for _ in range(TRIES):
            try:
                await in_transaction(self._database, lambda s: self._intake.take(s, events))
            except PyMongoError as error:
                index = duplicate_index(error)
                if index is None:
                    raise
                if index not in (BY_ID, BY_CAUSE):
                    return False
                # Another replica was first: what it took in is no news.
                continue
            return True
        raise UniqueIndexConflict({told.envelope.subject for told in events})

    async def _unpublish(self, suspects: Collection[TopicPartition]) -> int:
        """Mark as unpublished what the log has, and the partitions have not, or not in order."""
        numbers: dict[str, set[int]] = {}
        for place in suspects:
            numbers.setdefault(place.topic.removeprefix(self._prefix), set()).add(place.partition)
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
