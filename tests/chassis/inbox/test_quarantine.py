"""Quarantine: records that could not be handled are listed, shown, retried, dropped."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from chassis.eventlog.event_store import EventLog
from chassis.inbox.quarantine import QuarantinedRecord
from chassis.kafka.servers import KafkaServers
from chassis.mongo.client import Database
from chassis.start.exit_codes import StartError
from ops.cli.main import app
from ops.errors import OperatorError
from ops.topics.quarantine import QuarantineAdmin, describe
from tests.chassis.inbox.tally_service import Owner, consuming, inbox_of
from tests.chassis.raw_records import put, send
from tests.chassis.tally import CLIENT, TALLIES, order
from tests.chassis.waiting import until
from tests.servers import Server

KEY = str(CLIENT).encode()


@pytest.fixture
async def quarantines(kafka: Server, topics: str) -> QuarantineAdmin:
    return QuarantineAdmin(kafka.servers, topics)


@pytest.fixture
async def owner(
    kafka: Server, topics: str, producer: AIOKafkaProducer, log: EventLog, database: Database
) -> AsyncIterator[Owner]:
    """A running owner of tallies, which knows no RecordDelivery of version 2 yet."""
    async with consuming(kafka, topics, inbox_of(producer, topics, log, database)):
        yield Owner(kafka, topics, producer)


async def in_quarantine(quarantines: QuarantineAdmin, count: int) -> list[QuarantinedRecord]:
    async def there() -> bool:
        return len(await quarantines.records()) == count

    await until(there)
    return await quarantines.records()


async def test_what_could_not_be_handled_is_listed_with_its_origin_and_content(
    owner: Owner, quarantines: QuarantineAdmin
) -> None:
    headers = [("ce_type", b"realtoros.RecordDelivery.v2"), ("odd", None)]
    metadata = await send(owner.producer, owner.commands, KEY, headers, b"\xff{")
    nothing = await send(owner.producer, owner.commands, KEY, [], None)
    first, second = await in_quarantine(quarantines, 2)
    assert first.name == f"mailer/emails.commands-{metadata.partition}-{metadata.offset}"
    assert (first.type, first.key, first.value) == ("realtoros.RecordDelivery.v2", KEY, b"\xff{")
    assert first.headers == headers
    assert "content-type" in first.reason
    assert (second.origin.offset, second.value, second.headers) == (nothing.offset, None, [])
    assert any("odd: (null)" in line for line in describe(first))


async def test_what_is_given_back_is_handled_once_its_cause_is_gone(
    owner: Owner, quarantines: QuarantineAdmin, log: EventLog, database: Database
) -> None:
    of = uuid4()
    await owner.until_answered(await put(owner.producer, owner.commands, order(of, "opened")))
    await database["tallies"].update_one({"_id": of}, {"$set": {"state.opened": "many"}})
    command = await put(owner.producer, owner.commands, order(of, "opened"))
    [record] = await in_quarantine(quarantines, 1)
    await quarantines.retry([record])
    # It fails again, and is the same record still.
    [again] = await in_quarantine(quarantines, 1)
    assert (again.name, again.headers, again.value) == (record.name, record.headers, record.value)
    await database["tallies"].update_one({"_id": of}, {"$set": {"state.opened": 1}})
    await quarantines.retry(await quarantines.records_named([record.name]))
    await owner.until_answered(command)
    assert (await log.load(TALLIES, [of]))[of].state.opened == 2
    assert await quarantines.records() == []


async def test_what_is_dropped_is_gone_and_the_others_stay(
    owner: Owner, quarantines: QuarantineAdmin
) -> None:
    for value in (b"1", b"2"):
        await send(owner.producer, owner.commands, KEY, [], value)
    first, second = await in_quarantine(quarantines, 2)
    await quarantines.drop([first])
    assert await quarantines.records() == [second]
    with pytest.raises(OperatorError, match=first.name):
        await quarantines.records_named([first.name, second.name])


async def test_a_record_as_large_as_a_topic_takes_fits_into_quarantine(
    owner: Owner, quarantines: QuarantineAdmin
) -> None:
    large = b"x" * (1024 * 1024 - 500)
    await send(owner.producer, owner.commands, KEY, [], large)
    [record] = await in_quarantine(quarantines, 1)
    assert record.value == large


async def test_the_command_line_says_what_it_did(
    owner: Owner, quarantines: QuarantineAdmin, kafka: Server, topics: str
) -> None:
    await send(owner.producer, owner.commands, KEY, [], b"{}")
    [record] = await in_quarantine(quarantines, 1)
    environment = {"KAFKA_BOOTSTRAP_SERVERS": kafka.address, "KAFKA_TOPIC_PREFIX": topics}

    async def run(*arguments: str) -> Any:
        invoked = CliRunner().invoke
        return await asyncio.to_thread(invoked, app, ["quarantine", *arguments], env=environment)

    assert record.name in (await run("list", "mailer")).stdout
    assert record.reason in (await run("show", record.name)).stdout
    assert isinstance((await run("retry")).exception, OperatorError)
    assert "1 dropped" in (await run("drop", record.name)).stdout
    assert "Nothing is in quarantine" in (await run("list")).stdout


async def test_without_kafka_it_says_where_it_looked() -> None:
    with pytest.raises(StartError, match=r"KAFKA_BOOTSTRAP_SERVERS: 127.0.0.1:1"):
        await QuarantineAdmin(KafkaServers("127.0.0.1:1"), "realtoros.").records()
