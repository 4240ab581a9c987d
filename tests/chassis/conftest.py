"""A database, a log and a producer for each test, on the servers of the run."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from beanie import init_beanie

from chassis.eventlog.event_store import EventLog
from chassis.kafka import client as chassis_kafka
from chassis.mongo.client import Database, connect
from chassis.process.tasks import cancel_and_wait
from tests.chassis.tally import STORE
from tests.servers import Server


@pytest.fixture
async def database(mongodb_server: Server) -> AsyncIterator[Database]:
    """An empty database with the indexes of the tallies; dropped afterwards."""
    async with connect(mongodb_server.address) as client:
        database = client[f"test_{uuid4().hex[:12]}"]
        await init_beanie(database=database, document_models=STORE.documents)
        yield database
        await client.drop_database(database.name)


@pytest.fixture
async def log(database: Database) -> AsyncIterator[EventLog]:
    """A log that flushes."""
    log = EventLog(database)
    running = asyncio.create_task(log.run())
    yield log
    await cancel_and_wait([running])


@pytest.fixture
async def topics(kafka: Server, prefix: str) -> str:
    """The prefix of topics that exist."""
    await chassis_kafka.apply_topics(kafka.servers, prefix)
    return prefix


@pytest.fixture
async def producer(kafka: Server) -> AsyncIterator[AIOKafkaProducer]:
    """A producer as the chassis makes it."""
    async with chassis_kafka.producer(kafka.servers, "test") as producer:
        yield producer
