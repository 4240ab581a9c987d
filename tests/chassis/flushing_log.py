"""A service's log in a database of its own, which is dropped afterwards."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import uuid4

from chassis.eventlog.event_store import EventLog
from chassis.mongo import client as mongo
from chassis.process.tasks import cancel_and_wait
from chassis.recovery.persistence import Store
from tests.servers import Server


@contextlib.asynccontextmanager
async def flushing_log(mongodb: Server, store: Store) -> AsyncIterator[EventLog]:
    """Yield an empty log that stores what is appended."""
    async with mongo.connect(mongodb.address) as client:
        database = client[f"test_{uuid4().hex[:12]}"]
        await mongo.apply_indexes(mongodb.address, database.name, store.documents)
        await mongo.declare(database, store.documents)
        log = EventLog(database)
        running = asyncio.create_task(log.run())
        yield log
        await cancel_and_wait([running])
        await client.drop_database(database.name)
