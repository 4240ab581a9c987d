"""Checkpoints in topics that a database remembers, to notice when either of the two was replaced.

Kafka keeps a group's offsets, but not beside the data that they speak of: a database put back to
an older copy would never hear again of what came since. And a topic that was lost and begun anew
has other records at the same offsets; a record is known again by its offset and time.
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

KEEP_SECONDS = 1.0
# No partition begins here: what is known of one is void.
BEFORE_ALL = -1
# Replicas put their own times on records, by clocks that differ, and not in the records' order.
SKEW_MS = 500

# The offset of a record, and its own time in milliseconds.
Checkpoint = tuple[int, int]


class CheckpointDocument(Document):
    """A record's place; the id is `<topic>/<partition>`.

    `begin` is the partition's first offset when the whole of it was last looked through.
    """

    id: str  # type: ignore[assignment]
    offset: int
    time: int
    begin: int = 0


class PublishedDocument(CheckpointDocument):
    """A record of an own topic that the log holds, as it does all before it."""

    class Settings:
        name = "published"
        indexes: ClassVar[list[Any]] = []


class ConsumedDocument(CheckpointDocument):
    """A record whose effects are stored, as are those of all before it."""

    class Settings:
        name = "consumed"
        indexes: ClassVar[list[Any]] = []


class Checkpoints:
    """The places of one kind. What is not written yet when the process dies is done once more."""

    def __init__(self, database: Database, document: type[CheckpointDocument]) -> None:
        settings: Any = document.Settings
        self._collection = database.get_collection(settings.name, write_concern=WriteConcern(w=1))
        # By partition the first place since the last writing, and the last.
        self._noted: dict[TopicPartition, tuple[Checkpoint, Checkpoint]] = {}
        self._kept: set[TopicPartition] = set()
        self._kept_at = 0.0

    def note(self, partition: TopicPartition, place: Checkpoint) -> None:
        """Let the next `keep` write this."""
        first, last = self._noted.get(partition, (place, place))
        if _is_anew(place, last):
            first = (BEFORE_ALL, place[1])
        self._noted[partition] = (first, place)

    async def keep(self, *, now: bool = False) -> None:
        """Write what was noted: at once of a new partition, else once a second, or `now`.

        Raises PyMongoError.
        """
        due = now or time.monotonic() >= self._kept_at + KEEP_SECONDS
        if self._noted and (due or not self._noted.keys() <= self._kept):
            noted, self._noted = self._noted, {}
            try:
                await self._write({p: _moved(first, last) for p, (first, last) in noted.items()})
            except PyMongoError:
                # Whether a topic was begun anew is known from the first place only.
                firsts = {place: first for place, (first, _) in noted.items()}
                since = {p: (firsts.get(p, f), last) for p, (f, last) in self._noted.items()}
                self._noted = noted | since
                raise
            self._kept |= noted.keys()
            self._kept_at = time.monotonic()

    async def put(
        self, places: Mapping[TopicPartition, Checkpoint], begins: Mapping[TopicPartition, int]
    ) -> None:
        """Write places, and where their partitions begin."""
        await self._write({p: _found(at) | {"begin": begins[p]} for p, at in places.items()})

    async def _write(self, found: Mapping[TopicPartition, Raw]) -> None:
        writes = [
            UpdateOne({"_id": _id(p)}, [{"$set": raw}], upsert=True) for p, raw in found.items()
        ]
        if writes:
            await self._collection.bulk_write(writes, ordered=False)

    async def find(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Raw]:
        """Give what is kept of the partitions."""
        wanted = {_id(partition): partition for partition in partitions}
        found = self._collection.find({"_id": {"$in": list(wanted)}})
        return {wanted[raw["_id"]]: raw async for raw in found}

    async def forget(self, partitions: Iterable[TopicPartition]) -> None:
        """Know nothing of the partitions any more."""
        await self._collection.delete_many({"_id": {"$in": [_id(p) for p in partitions]}})


async def unchanged_partitions(
    reader: TopicReader, places: Mapping[TopicPartition, Raw], begins: Offsets, ends: Offsets
) -> set[TopicPartition]:
    """Give the partitions in which the record that is remembered still stands at its place.

    One that has expired meanwhile counts as standing.
    """
    there = {place: raw["offset"] for place, raw in places.items() if raw["offset"] < ends[place]}
    found = {place for place, offset in there.items() if offset < begins[place]}
    looked_up = {place: offset for place, offset in there.items() if place not in found}
    nexts = {place: offset + 1 for place, offset in looked_up.items()}
    async for records, _ in reader.batches(looked_up, nexts, len(looked_up)):
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            if (record.offset, record.timestamp) == (
                places[place]["offset"],
                places[place]["time"],
            ):
                found.add(place)
    return found


def _id(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"


def _found(place: Checkpoint) -> Raw:
    return {"offset": place[0], "time": place[1]}


def _is_anew(place: Checkpoint, before: Checkpoint) -> bool:
    """Tell whether a place that is noted later shows that the topic was begun anew meanwhile."""
    if place[0] == before[0]:
        return place[1] != before[1]
    return place[0] < before[0] and place[1] > before[1] + SKEW_MS


def _moved(first: Checkpoint, last: Checkpoint) -> Raw:
    """Give the places that follow the stored one; its `begin` is void if the first is before it."""
    same = {"$and": [{"$eq": [first[0], "$offset"]}, {"$ne": [first[1], "$time"]}]}
    earlier = {"$and": [{"$lt": [first[0], "$offset"]}, {"$gt": [first[1] - SKEW_MS, "$time"]}]}
    anew = {"$or": [same, earlier]}
    return _found(last) | {"begin": {"$cond": [anew, BEFORE_ALL, {"$ifNull": ["$begin", 0]}]}}
