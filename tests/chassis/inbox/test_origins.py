"""A record is taken only from the topic of its type and from that topic's writer."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer

from chassis.eventlog.event_store import EventLog
from chassis.kafka.origin import Origin, headers_of
from chassis.mongo.client import Database
from contracts import cloudevents
from contracts.crm import ClientDeleted
from ops.topics.quarantine import QuarantineAdmin
from tests.chassis.inbox.tally_service import Owner, consuming, inbox_of
from tests.chassis.raw_records import put, send
from tests.chassis.tally import AGENT, TALLIES, now, order
from tests.chassis.waiting import until
from tests.servers import Server


@pytest.fixture
async def owner(
    kafka: Server, topics: str, producer: AIOKafkaProducer, log: EventLog, database: Database
) -> AsyncIterator[Owner]:
    """A running owner of tallies."""
    async with consuming(kafka, topics, inbox_of(producer, topics, log, database)):
        yield Owner(kafka, topics, producer)


def deleted(client: UUID) -> ClientDeleted:
    return ClientDeleted(agent_id=AGENT, client_id=client, deleted_at=now())


async def until_quarantined(owner: Owner, count: int) -> list[str]:
    """Wait for so many records in the topic of the quarantine; return the reasons, sorted."""

    async def there() -> bool:
        return len(await owner.quarantined()) >= count

    await until(there)
    found = [dict(record.headers) for record in await owner.quarantined()]
    # A tombstone has none.
    return sorted(headers["quarantine_reason"].decode() for headers in found if headers)


async def test_what_is_in_a_foreign_topic_or_from_another_writer_has_no_effect(
    owner: Owner, log: EventLog, database: Database
) -> None:
    client, of = uuid4(), uuid4()
    await put(owner.producer, owner.commands, deleted(client), version=1)
    await put(owner.producer, owner.clients, deleted(client), version=1, source="anybody")
    await put(owner.producer, owner.clients, deleted(client), version=1, source="mailer")
    await put(owner.producer, owner.clients, order(of, "opened"))
    await put(owner.producer, owner.commands, order(of, "opened"), source="mailer")
    assert await until_quarantined(owner, 5) == [
        "ce_source: 'anybody' does not write to clients: only crm does",
        "ce_source: 'mailer' does not write to clients: only crm does",
        "ce_source: 'mailer' does not write to emails.commands: only gateway does",
        "ce_type: realtoros.ClientDeleted.v1 belongs to clients, not to emails.commands",
        "ce_type: realtoros.RecordDelivery.v1 belongs to emails.commands, not to clients",
    ]
    # The partitions go on, and version 1 is still to come.
    await put(owner.producer, owner.clients, deleted(client), version=1)
    await owner.until_answered(await put(owner.producer, owner.commands, order(of, "opened")))

    async def reacted() -> bool:
        return client in await log.load(TALLIES, [client])

    await until(reacted)
    assert (await log.load(TALLIES, [of]))[of].state.opened == 1
    seen = await database["seen"].find_one({"_id": client})
    assert seen
    assert seen["events"] == 1
    assert len(await owner.quarantined()) == 5


async def test_a_retry_does_not_make_a_foreign_record_valid(
    owner: Owner, kafka: Server, topics: str, log: EventLog
) -> None:
    client = uuid4()
    await put(owner.producer, owner.commands, deleted(client), version=1)
    await until_quarantined(owner, 1)
    admin = QuarantineAdmin(kafka.servers, topics)
    [before] = await admin.records()
    await admin.retry([before])
    # Quarantined, removed, and quarantined again.
    await until_quarantined(owner, 3)
    [again] = await admin.records()
    assert (again.name, again.reason) == (before.name, before.reason)
    assert await log.load(TALLIES, [client]) == {}


def retried(message: Any, origin: Origin | None, source: str) -> list[tuple[str, bytes]]:
    envelope = cloudevents.about(
        message,
        id=uuid4(),
        source=source,
        time=now(),
        correlation=uuid4(),
        cause=uuid4(),
        version=1,
    )
    added = headers_of(origin).items() if origin else ()
    return [*cloudevents.write(envelope), *((name, value.encode()) for name, value in added)]


@pytest.mark.parametrize(
    ("origin", "source", "reason"),
    [
        (None, "crm", "quarantine_topic: "),
        (Origin("emails", 0, 0), "crm", "ce_type: realtoros.ClientDeleted.v1 belongs to clients"),
        (Origin("mailer.retries", 0, 0), "crm", "ce_type: "),
        (Origin("clients", 0, 0), "mailer", "ce_source: 'mailer'"),
    ],
)
async def test_the_topic_of_retries_is_no_way_in(
    origin: Origin | None, source: str, reason: str, owner: Owner, topics: str, log: EventLog
) -> None:
    event = deleted(uuid4())
    value = event.to_json().encode()
    headers = retried(event, origin, source)
    await send(owner.producer, f"{topics}mailer.retries", b"key", headers, value)
    [found] = await until_quarantined(owner, 1)
    assert found.startswith(reason)
    assert await log.load(TALLIES, [event.client_id]) == {}


async def test_a_retry_from_the_type_s_own_topic_is_handled(
    owner: Owner, topics: str, log: EventLog
) -> None:
    event = deleted(uuid4())
    headers = retried(event, Origin("clients", 0, 0), "crm")
    value = event.to_json().encode()
    await send(owner.producer, f"{topics}mailer.retries", b"key", headers, value)

    async def reacted() -> bool:
        return event.client_id in await log.load(TALLIES, [event.client_id])

    await until(reacted)
    assert await owner.quarantined() == []
