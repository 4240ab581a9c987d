"""Forks: records in a service's own topics that claim a version of its streams it did not write."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from uuid import UUID

import pymongo
from aiokafka import TopicPartition
from beanie import Document
from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.read_concern import ReadConcern

from chassis.eventlog.event_store import BY_CAUSE, CommitDocument
from chassis.kafka.records import Record, parse
from chassis.kafka.topic_reader import TopicReader
from chassis.mongo.client import TRANSACTION_SECONDS, Database, Raw
from chassis.recovery.restore import Fork, own_topics, own_types
from contracts.cloudevents import EventEnvelope

# One is enough to stop a service; whoever writes thousands must not fill its database and log.
MOST_FORKS = 100

Claim = tuple[Record, EventEnvelope]


class ForkDocument(Document):
    """A record that the log does not hold; the id is `<topic>/<partition>/<offset>`.

    `time` is the record's own, in milliseconds; `event_id` the id that it claims.
    """

    id: str  # type: ignore[assignment]
    topic: str
    partition: int
    offset: int
    time: int
    stream: str
    version: int
    event_id: UUID

    class Settings:
        name = "forks"
        indexes: ClassVar[list[Any]] = []


class StandingFork(Fork):
    """A fork that was found before still stands in the topic, and still is not in the log."""

    def __init__(self, fork: Raw) -> None:
        Exception.__init__(
            self,
            f"a fork: {describe(fork)}; decide which is right (docs/operations.md, “When a server"
            " lost its data”)",
        )


def describe(fork: Raw) -> str:
    """Say where a fork stands and what it claims."""
    return (
        f"{fork['topic']}/{fork['partition']} has at offset {fork['offset']}"
        f" {fork['stream']}@{fork['version']} as {fork['event_id']}, which the log does not hold"
    )


class Forks:
    """Finds and stores the forks in a service's topics. Its methods raise PyMongoError."""

    def __init__(self, service: str, database: Database, prefix: str) -> None:
        self._topics = own_topics(service, prefix)
        self._types = own_types(service)
        self._prefix = prefix
        self._forks = database[ForkDocument.Settings.name]
        self._commits = database[CommitDocument.Settings.name]
        # A primary that was replaced may lack the latest commits, and not know that it was.
        self._latest_commits = self._commits.with_options(read_concern=ReadConcern("linearizable"))

    async def find(self, records: Iterable[Record]) -> list[Raw]:
        """Return the records that a reader takes for the service's own, but the log lacks."""
        claims = [(r, envelope) for r in records if (envelope := self._read_envelope(r))]
        missing = await self._missing(self._commits, claims)
        if missing:
            with pymongo.timeout(TRANSACTION_SECONDS):
                missing = await self._missing(self._latest_commits, missing)
        return [_fork(*claim) for claim in missing if self._is_valid(claim[0])]

    async def store(self, found: Sequence[Raw]) -> None:
        """Store forks, up to MOST_FORKS."""
        if found and await self._forks.estimated_document_count() < MOST_FORKS:
            writes = [
                UpdateOne({"_id": one["_id"]}, {"$setOnInsert": one}, upsert=True)
                for one in found[:MOST_FORKS]
            ]
            await self._forks.bulk_write(writes, ordered=False)

    async def stored(self) -> list[Raw]:
        """Return the forks that are stored."""
        # By its index: a service asks again and again.
        found = self._forks.find({"_id": {"$gte": ""}}).sort("_id", 1)
        return await found.limit(MOST_FORKS).to_list()

    async def require_none(self, reader: TopicReader) -> None:
        """Forget the stored forks that are settled. Raises StandingFork for another, KafkaError.

        It is settled when the topic was created again, or when the log holds the record.
        """
        stored = await self.stored()
        if not stored:
            return
        begins, ends = await reader.bounds(self._topics)
        for fork in stored:
            partition = TopicPartition(fork["topic"], fork["partition"])
            offset = fork["offset"]
            if begins.get(partition, 0) <= offset < ends.get(partition, 0):
                async for records, _ in reader.batches(
                    {partition: offset}, {partition: offset + 1}, 1
                ):
                    same = [record for record in records if record.timestamp == fork["time"]]
                    if await self.find(same):
                        raise StandingFork(fork)
            await self._forks.delete_one({"_id": fork["_id"]})

    def _read_envelope(self, record: Record) -> EventEnvelope | None:
        """Return the envelope of an event from the service; None for anything else."""
        try:
            parsed = parse(record, prefix=self._prefix, reads=(), follows=self._types)
        except Exception:  # noqa: BLE001 - its readers quarantine it, whatever is wrong
            return None
        return parsed.envelope if parsed and isinstance(parsed.envelope, EventEnvelope) else None

    def _is_valid(self, record: Record) -> bool:
        """Return whether readers take the record; if not, they quarantine it."""
        try:
            parse(record, prefix=self._prefix, reads=self._types, follows=())
        except Exception:  # noqa: BLE001 - as above
            return False
        return True

    async def _missing(self, commits: AsyncCollection[Raw], claims: Sequence[Claim]) -> list[Claim]:
        """Return those that the commits do not hold, to the byte."""
        causes = {envelope.cause for _, envelope in claims if envelope.cause}
        if not causes:
            return list(claims)
        found = commits.find(
            {"cause": {"$in": list(causes)}}, {"cause": 1, "stream": 1, "first": 1, "events": 1}
        ).hint(BY_CAUSE)
        known = {(raw["cause"], raw["stream"]): raw async for raw in found}
        return [
            (record, envelope)
            for record, envelope in claims
            if not _holds(known.get((envelope.cause, envelope.subject)), record, envelope)
        ]


def _holds(commit: Raw | None, record: Record, envelope: EventEnvelope) -> bool:
    if commit is None or envelope.version < commit["first"]:
        return False
    index = envelope.version - commit["first"]
    event = {
        "id": envelope.id,
        "type": envelope.type,
        "data": (record.value or b"").decode(errors="replace"),
    }
    return bool(commit["events"][index : index + 1] == [event])


def _fork(record: Record, envelope: EventEnvelope) -> Raw:
    return {
        "_id": f"{record.topic}/{record.partition}/{record.offset}",
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "time": record.timestamp,
        "stream": envelope.subject,
        "version": envelope.version,
        "event_id": envelope.id,
    }
