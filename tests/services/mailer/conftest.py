"""Fixtures of mailer's tests."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from chassis.eventlog.event_store import EventLog
from chassis.mongo import client as mongo
from chassis.process.tasks import cancel_and_wait
from services.mailer.documents import STORE
from tests.servers import Server


@pytest.fixture
async def log(mongodb_server: Server) -> AsyncIterator[EventLog]:
    """An empty log that flushes."""
    async with mongo.connect(mongodb_server.address) as client:
        database = client[f"test_{uuid4().hex[:12]}"]
        await mongo.apply_indexes(mongodb_server.address, database.name, STORE.documents)
        await mongo.declare(database, STORE.documents)
        log = EventLog(database)
        running = asyncio.create_task(log.run())
        yield log
        await cancel_and_wait([running])
        await client.drop_database(database.name)
