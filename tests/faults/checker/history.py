"""The history of a run: the topics, the mail provider's ledger, the stored documents.

It reads the wire format, without any class of the system.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient

SERVICES = ("crm", "scheduler", "composer", "mailer", "gateway")
READ_SECONDS = 60

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record. `topic` is without the prefix.

    Header values are text, those that are not UTF-8 bytes. `value` is the parsed JSON, the raw
    bytes if it is not JSON, None for a tombstone; `raw` the bytes as stored.
    """

    topic: str
    partition: int
    offset: int
    key: str | None
    headers: Mapping[str, Any]
    value: Any
    raw: bytes = field(default=b"", repr=False)

    @property
    def location(self) -> str:
        """`<topic>-<partition>-<offset>`, as in quarantine keys."""
        return f"{self.topic}-{self.partition}-{self.offset}"


@dataclass
class Acknowledged:
    """What the API has acknowledged, filled in by the workload. Times are aware, in UTC.

    `clients`: by id, when POST answered 201; `deleted`: by id, when DELETE answered 204;
    `opt_outs`: by canonical address, when the webhook answered 200; `cancelled`: by follow-up, when
    the API showed it as cancelled; `pauses`: when a pause of all sending was confirmed, and when
    resuming was ordered; `addresses`: by client, when mailer had its next address, and which.
    """

    clients: dict[str, datetime] = field(default_factory=dict)
    deleted: dict[str, datetime] = field(default_factory=dict)
    opt_outs: dict[str, datetime] = field(default_factory=dict)
    cancelled: dict[str, datetime] = field(default_factory=dict)
    pauses: dict[datetime, datetime | None] = field(default_factory=dict)
    addresses: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)


@dataclass
class History:
    """A whole run. `ledger`: SendGrid's entries; `stored`: service → collection → documents."""

    records: list[Record]
    ledger: list[Document]
    stored: dict[str, dict[str, list[Document]]]
    acknowledged: Acknowledged
    read_at: datetime = field(default_factory=lambda: datetime.now(UTC))


async def read_history(
    bootstrap: str,
    prefix: str,
    mongodb_uri: str,
    ledger: Path,
    acknowledged: Acknowledged,
    *,
    embedded: bool,
) -> History:
    """Read everything up to now: the documents in one snapshot, then the topics, then the ledger.

    So an event that the log has as published is missing from the topics only if it is lost.
    Raises TimeoutError when the topics cannot be read within READ_SECONDS.
    """
    stored = await _stored(mongodb_uri)
    read_at = datetime.now(UTC)
    async with asyncio.timeout(READ_SECONDS):
        records = await _records(bootstrap, prefix, embedded=embedded)
    return History(
        records, await asyncio.to_thread(_entries, ledger), stored, acknowledged, read_at
    )


def _entries(ledger: Path) -> list[Document]:
    if not ledger.exists():
        return []
    return [orjson.loads(line) for line in ledger.read_bytes().splitlines()]


async def _stored(uri: str) -> dict[str, dict[str, list[Document]]]:
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        uri, tz_aware=True, uuidRepresentation="standard"
    )
    stored: dict[str, dict[str, list[Document]]] = {}
    async with client:
        databases = {service: client[f"realtoros_{service}"] for service in SERVICES}
        names = {s: await database.list_collection_names() for s, database in databases.items()}
        # One snapshot, so that logs, states and views are consistent.
        async with client.start_session(snapshot=True) as session:
            for service, database in databases.items():
                stored[service] = {
                    name: await database[name].find(session=session).to_list()
                    for name in names[service]
                }
    return stored


async def _records(bootstrap: str, prefix: str, *, embedded: bool) -> list[Record]:
    partitions = await _partitions(bootstrap, prefix)
    # Each poll of the embedded broker names every partition: large responses, few polls.
    size = 8 * 2**20 if embedded else 2**20
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=size,
    )
    await consumer.start()
    try:
        begin = await consumer.beginning_offsets(partitions)
        end = await consumer.end_offsets(partitions)
        unread = {partition for partition in partitions if end[partition] > begin[partition]}
        records: list[Record] = []
        if unread:
            consumer.assign(sorted(unread))
            await consumer.seek_to_beginning(*unread)
        while unread:
            for partition, batch in (await consumer.getmany(timeout_ms=200)).items():
                last = end[partition]
                records += [_record(each, prefix) for each in batch if each.offset < last]
            finished = {each for each in unread if await consumer.position(each) >= end[each]}
            # A finished partition would be polled on.
            consumer.pause(*finished)
            unread -= finished
        return records
    finally:
        await consumer.stop()


async def _partitions(bootstrap: str, prefix: str) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        topics = [topic for topic in await admin.list_topics() if topic.startswith(prefix)]
        described = await admin.describe_topics(topics) if topics else []
        return [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            for partition in topic["partitions"]
        ]
    finally:
        await admin.close()


def _record(raw: Any, prefix: str) -> Record:
    return Record(
        topic=raw.topic.removeprefix(prefix),
        partition=raw.partition,
        offset=raw.offset,
        key=None if raw.key is None else raw.key.decode(errors="replace"),
        headers={name: _text(value) for name, value in raw.headers},
        value=_parsed(raw.value),
        raw=raw.value or b"",
    )


def _text(value: bytes | None) -> Any:
    try:
        return value if value is None else value.decode()
    except UnicodeDecodeError:
        return value


def _parsed(value: bytes | None) -> Any:
    try:
        return value if value is None else orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
