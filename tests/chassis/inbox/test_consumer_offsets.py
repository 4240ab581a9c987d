"""Consumer offsets are stored with the effects, so that both go back together."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from chassis.eventlog.event_store import EventLog
from chassis.inbox.consumer_offsets import ConsumerOffsets
from chassis.inbox.inbox import Inbox
from chassis.kafka.client import apply_topics
from chassis.kafka.topic_reader import topic_reader
from chassis.mongo.client import Database, Raw
from contracts.crm import ClientDeleted
from contracts.replies import CommandRejected
from tests.chassis.inbox.tally_service import Owner, consuming, inbox_of, read
from tests.chassis.raw_records import put
from tests.chassis.tally import AGENT, STORE, now, order
from tests.chassis.waiting import until
from tests.servers import Server


def deletion(client: UUID) -> ClientDeleted:
    return ClientDeleted(agent_id=AGENT, client_id=client, deleted_at=now())


async def seen(database: Database) -> set[UUID]:
    return {raw["_id"] async for raw in database["seen"].find()}


@pytest.fixture
def inbox(producer: AIOKafkaProducer, topics: str, log: EventLog, database: Database) -> Inbox:
    return inbox_of(producer, topics, log, database)


@pytest.fixture
def owner(kafka: Server, topics: str, producer: AIOKafkaProducer) -> Owner:
    return Owner(kafka, topics, producer)


async def deleted(owner: Owner, database: Database, many: int) -> set[UUID]:
    """Publish so many deletions, and wait until they are seen."""
    clients = {uuid4() for _ in range(many)}
    for client in clients:
        await put(owner.producer, owner.clients, deletion(client), version=1)
    await until_seen(database, clients)
    return clients


async def until_seen(database: Database, clients: set[UUID]) -> None:
    async def all_seen() -> bool:
        return clients <= await seen(database)

    await until(all_seen)


async def copied(database: Database) -> dict[str, list[Raw]]:
    names = [str(document.Settings.name) for document in STORE.documents]
    return {name: await database[name].find().to_list() for name in names}


async def put_back(database: Database, copy: dict[str, list[Raw]]) -> None:
    for name, documents in copy.items():
        await database[name].delete_many({})
        if documents:
            await database[name].insert_many(documents)


async def test_a_database_put_back_to_an_older_copy_consumes_again_what_came_since(
    owner: Owner, inbox: Inbox, database: Database
) -> None:
    async with consuming(owner.server, owner.topics, inbox):
        before = await deleted(owner, database, 20)
    copy = await copied(database)
    async with consuming(owner.server, owner.topics, inbox):
        since = await deleted(owner, database, 20)
    await put_back(database, copy)
    async with consuming(owner.server, owner.topics, inbox):
        await until_seen(database, before | since)
    assert await owner.quarantined() == []


async def test_an_empty_database_consumes_all_events_again(
    owner: Owner, inbox: Inbox, database: Database
) -> None:
    async with consuming(owner.server, owner.topics, inbox):
        clients = await deleted(owner, database, 20)
    await put_back(database, {name: [] for name in await copied(database)})
    async with consuming(owner.server, owner.topics, inbox):
        await until_seen(database, clients)
    assert await owner.quarantined() == []


async def test_a_command_that_was_refused_is_not_decided_again(
    owner: Owner, inbox: Inbox, database: Database
) -> None:
    copy = await copied(database)
    async with consuming(owner.server, owner.topics, inbox):
        refused = await put(owner.producer, owner.commands, order(uuid4(), "bounced"))
        [(envelope, _)] = await owner.until_answered(refused)
        assert envelope.type == CommandRejected.wire_name
    await put_back(database, copy)
    async with consuming(owner.server, owner.topics, inbox):
        later = await put(owner.producer, owner.commands, order(uuid4(), "opened"))
        await owner.until_answered(later)
    assert len((await owner.replies())[refused]) == 1


async def test_a_topic_that_was_created_again_is_read_from_its_beginning(
    owner: Owner, inbox: Inbox, database: Database
) -> None:
    async with consuming(owner.server, owner.topics, inbox):
        await deleted(owner, database, 30)
    assert await database["consumed"].count_documents({})
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=owner.server.address)
    await admin.start()
    try:
        await admin.delete_topics([owner.clients])

        async def gone() -> bool:
            return owner.clients not in await admin.list_topics()

        await until(gone)
    finally:
        await admin.close()
    await apply_topics(owner.server.servers, owner.topics)
    async with topic_reader(owner.server.servers, "test") as reader:
        await ConsumerOffsets(database, read(owner.topics), set()).forget_replaced_topics(reader)
    assert await database["consumed"].count_documents({}) == 0
