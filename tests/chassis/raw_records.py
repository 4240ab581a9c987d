"""Writing and reading raw records, without the chassis."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import RecordMetadata

from contracts import cloudevents
from contracts.catalogue import PARTITIONS, TOPIC_OF
from contracts.cloudevents import EventEnvelope
from contracts.message import Message

Header = tuple[str, bytes | None]


async def put(
    producer: AIOKafkaProducer,
    topic: str,
    message: Any,
    *,
    version: int | None = None,
    cause: UUID | None = None,
    source: str | None = None,
    headers: list[Header] | None = None,
    value: bytes | None = None,
) -> UUID:
    """Publish a message as its writer would, but for what is given; return its id."""
    assert isinstance(message, Message)
    envelope = cloudevents.about(
        message,
        id=uuid4(),
        source=source or TOPIC_OF[type(message)].writers[0],
        time=datetime.now(UTC),
        correlation=uuid4(),
        cause=cause,
        version=version,
    )
    await send(
        producer,
        topic,
        str(message.key).encode(),
        [*cloudevents.write(envelope)] if headers is None else headers,
        message.to_json().encode() if value is None else value,  # type: ignore[attr-defined]
    )
    return envelope.id


async def send(
    producer: AIOKafkaProducer, topic: str, key: bytes, headers: Any, value: bytes | None
) -> RecordMetadata:
    """Publish a record as it is."""
    metadata: RecordMetadata = await producer.send_and_wait(
        topic, key=key, value=value, headers=headers
    )
    return metadata


async def all_of(bootstrap: str, topic: str) -> list[Any]:
    """Return all records of the topic, each partition in its order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        records: list[Any] = []
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            for batch in (await consumer.getmany(timeout_ms=100)).values():
                records += batch
        return sorted(records, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()


async def versions(bootstrap: str, topic: str) -> dict[str, list[int]]:
    """Return the versions of each stream in the order of the topic."""
    found: dict[str, list[int]] = {}
    for record in await all_of(bootstrap, topic):
        envelope = cloudevents.read(record.headers)
        assert isinstance(envelope, EventEnvelope)
        found.setdefault(envelope.subject, []).append(envelope.version)
    return found
