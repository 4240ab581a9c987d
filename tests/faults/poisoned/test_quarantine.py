"""A record that cannot be quarantined is not acknowledged; any other one is quarantined."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient

from chassis.kafka import client as chassis_kafka
from contracts import cloudevents
from tests.chassis.inbox.tally_service import consuming
from tests.chassis.raw_records import all_of, send
from tests.chassis.waiting import until
from tests.contracts.samples import NOON, SAMPLES
from tests.faults.ordering.reading_services import ServiceReader, service_reader
from tests.servers import Server

GOOD = next(s for s in SAMPLES if s.wire_name == "realtoros.RecordDelivery.v1")
HEADERS = cloudevents.write(
    cloudevents.about(
        GOOD, id=GOOD.key, source="gateway", time=NOON, correlation=GOOD.key, cause=GOOD.key
    )
)


@asynccontextmanager
async def mailer(
    kafka: Server, mongodb: Server, prefix: str, largest: int = chassis_kafka.LARGEST_RECORD
) -> AsyncIterator[ServiceReader]:
    """Yield a mailer whose producer refuses records larger than `largest` bytes."""
    await chassis_kafka.apply_topics(kafka.servers, prefix)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.address, max_request_size=largest)
    await producer.start()
    try:
        async with service_reader("mailer", mongodb, kafka, producer, prefix) as reader:
            yield reader
    finally:
        await producer.stop()


def record(topic: str, headers: Any, value: bytes | None) -> Any:
    return ConsumerRecord(
        topic=topic,
        partition=0,
        offset=0,
        timestamp=0,
        timestamp_type=0,
        key=b"key",
        value=value,
        checksum=None,
        serialized_key_size=3,
        serialized_value_size=len(value or b""),
        headers=tuple(headers),
    )


async def committed(kafka: Server, prefix: str) -> int:
    """Count the records that the mailer has acknowledged."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(f"{prefix}mailer")
        return sum(max(0, at.offset) for at in offsets.values())
    finally:
        await admin.close()


async def test_a_record_that_cannot_be_quarantined_is_not_acknowledged_and_waits(
    kafka: Server, mongodb_server: Server, prefix: str
) -> None:
    topic, quarantine = f"{prefix}emails.commands", f"{prefix}mailer.quarantine"
    async with mailer(kafka, mongodb_server, prefix, largest=100) as broken:
        async with chassis_kafka.producer(kafka.servers, "test") as producer:
            await send(producer, topic, b"key", HEADERS, b"{not json")

        async def tried() -> bool:
            return await broken.inbox.dependency.check() is not None

        async with consuming(kafka, prefix, broken.inbox):
            await until(tried)
        assert await committed(kafka, prefix) == 0
    assert await all_of(kafka.address, quarantine) == []
    async with mailer(kafka, mongodb_server, prefix) as repaired:

        async def quarantined() -> bool:
            return len(await all_of(kafka.address, quarantine)) == 1

        async with consuming(kafka, prefix, repaired.inbox):
            await until(quarantined)
        assert await committed(kafka, prefix) == 1


async def test_a_record_filled_by_a_header_is_quarantined(
    kafka: Server, mongodb_server: Server, prefix: str
) -> None:
    headers = [h for h in HEADERS if h[0] != "ce_time"] + [("ce_time", b"\0" * 900_000)]
    async with mailer(kafka, mongodb_server, prefix) as reader:
        await reader.inbox.process([record(f"{prefix}emails.commands", headers, b"{}")])
    assert len(await all_of(kafka.address, f"{prefix}mailer.quarantine")) == 1


async def test_a_retry_without_its_origin_is_quarantined_by_its_own_position(
    kafka: Server, mongodb_server: Server, prefix: str
) -> None:
    async with mailer(kafka, mongodb_server, prefix) as reader:
        await reader.inbox.process([record(f"{prefix}mailer.retries", HEADERS, b"{not json")])
    [found] = await all_of(kafka.address, f"{prefix}mailer.quarantine")
    assert found.key == b"mailer.retries-0-0"
