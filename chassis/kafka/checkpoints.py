"""Checkpoints in topics, stored in a service's database, that show when either was replaced.

Kafka stores a group's offsets, but not with the data that they speak of: after a database was put
back to an older copy, what came since would never be read again. And a topic that was lost and
created again has other records at the same offsets; a checkpoint is a record's offset and time.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from aiokafka import TopicPartition
from beanie import Document
from pymongo import UpdateOne, WriteConcern
from pymongo.errors import PyMongoError

from chassis.kafka.topic_reader import Offsets, TopicReader
from chassis.mongo.client import Database, Raw

FLUSH_SECONDS = 1.0
# No partition begins here: a stored `begin` is void.
VOID_BEGIN = -1
# Replicas put their own times on records, by clocks that differ, and not in the records' order.
SKEW_MS = 500

# The offset of a record, and its own time in milliseconds.
Checkpoint = tuple[int, int]


class CheckpointDocument(Document):
    """The checkpoint of a partition; the id is `<topic>/<partition>`.

    `begin` is the partition's first offset when all of it was last read.
    """

    id: str  # type: ignore[assignment]
    offset: int
    time: int
    begin: int = 0


class PublishedDocument(CheckpointDocument):
    """Up to here the log holds the records of an own topic."""

    class Settings:
        name = "published"
        indexes: ClassVar[list[Any]] = []


class ComparedDocument(CheckpointDocument):
    """Up to here the records of an own topic were compared with the log."""

    class Settings:
        name = "compared"
        indexes: ClassVar[list[Any]] = []


class ConsumedDocument(CheckpointDocument):
    """Up to here the effects of the records are stored."""

    class Settings:
        name = "consumed"
        indexes: ClassVar[list[Any]] = []


class Checkpoints:
    """The checkpoints of one kind. Records after the stored one may be processed again."""

    def __init__(self, database: Database, document: type[CheckpointDocument]) -> None:
        settings: Any = document.Settings
        self._collection = database.get_collection(settings.name, write_concern=WriteConcern(w=1))
        # By partition the first checkpoint since the last flush, and the last.
        self._pending: dict[TopicPartition, tuple[Checkpoint, Checkpoint]] = {}
        self._stored: set[TopicPartition] = set()
        self._flushed_at = 0.0

    def advance(self, partition: TopicPartition, checkpoint: Checkpoint) -> None:
        """Move the partition's checkpoint; the next `flush` stores it."""
        first, last = self._pending.get(partition, (checkpoint, checkpoint))
        if _shows_recreation(checkpoint, last):
            first = (VOID_BEGIN, checkpoint[1])
        self._pending[partition] = (first, checkpoint)

    async def flush(self, *, now: bool = False) -> None:
        """Store what has advanced: at once if a partition is new, else once a second, or `now`.

        Raises PyMongoError.
        """
        due = now or time.monotonic() >= self._flushed_at + FLUSH_SECONDS
        if self._pending and (due or not self._pending.keys() <= self._stored):
            flushed, self._pending = self._pending, {}
            try:
                await self._write(
                    {p: _advanced(first, last) for p, (first, last) in flushed.items()}
                )
            except PyMongoError:
                # Only the first checkpoint shows whether the topic was created again.
                firsts = {partition: first for partition, (first, _) in flushed.items()}
                since = {p: (firsts.get(p, f), last) for p, (f, last) in self._pending.items()}
                self._pending = flushed | since
                raise
            self._stored |= flushed.keys()
            self._flushed_at = time.monotonic()

    async def put(
        self,
        checkpoints: Mapping[TopicPartition, Checkpoint],
        begins: Mapping[TopicPartition, int],
    ) -> None:
        """Store checkpoints, and where their partitions begin."""
        await self._write({p: _fields(at) | {"begin": begins[p]} for p, at in checkpoints.items()})

    async def _write(self, updates: Mapping[TopicPartition, Raw]) -> None:
        writes = [
            UpdateOne({"_id": _id(p)}, [{"$set": raw}], upsert=True) for p, raw in updates.items()
        ]
        if writes:
            await self._collection.bulk_write(writes, ordered=False)

    async def find(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Raw]:
        """Return the stored checkpoints of the partitions."""
        wanted = {_id(partition): partition for partition in partitions}
        found = self._collection.find({"_id": {"$in": list(wanted)}})
        return {wanted[raw["_id"]]: raw async for raw in found}

    async def delete(self, partitions: Iterable[TopicPartition]) -> None:
        """Delete the checkpoints of the partitions."""
        await self._collection.delete_many({"_id": {"$in": [_id(p) for p in partitions]}})


async def continued_partitions(
    reader: TopicReader, checkpoints: Mapping[TopicPartition, Raw], begins: Offsets, ends: Offsets
) -> set[TopicPartition]:
    """Return the partitions that still hold the record of their checkpoint: the topic is the same.

    A record that has expired since counts as held.
    """
    offsets = {p: raw["offset"] for p, raw in checkpoints.items() if raw["offset"] < ends[p]}
    continued = {partition for partition, offset in offsets.items() if offset < begins[partition]}
    starts = {p: offset for p, offset in offsets.items() if p not in continued}
    stops = {partition: offset + 1 for partition, offset in starts.items()}
    async for records, _ in reader.batches(starts, stops, len(starts)):
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            checkpoint = checkpoints[partition]
            if (record.offset, record.timestamp) == (checkpoint["offset"], checkpoint["time"]):
                continued.add(partition)
    return continued


def _id(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"


def _fields(checkpoint: Checkpoint) -> Raw:
    return {"offset": checkpoint[0], "time": checkpoint[1]}


def _shows_recreation(checkpoint: Checkpoint, before: Checkpoint) -> bool:
    """Return whether the topic must have been created again between the two."""
    if checkpoint[0] == before[0]:
        return checkpoint[1] != before[1]
    return checkpoint[0] < before[0] and checkpoint[1] > before[1] + SKEW_MS


def _advanced(first: Checkpoint, last: Checkpoint) -> Raw:
    """Return the fields after the stored ones: `begin` is void if `first` shows a recreation."""
    same = {"$and": [{"$eq": [first[0], "$offset"]}, {"$ne": [first[1], "$time"]}]}
    earlier = {"$and": [{"$lt": [first[0], "$offset"]}, {"$gt": [first[1] - SKEW_MS, "$time"]}]}
    recreated = {"$or": [same, earlier]}
    begin = {"$cond": [recreated, VOID_BEGIN, {"$ifNull": ["$begin", 0]}]}
    return _fields(last) | {"begin": begin}
