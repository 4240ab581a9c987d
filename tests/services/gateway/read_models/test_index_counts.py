"""Counting while what is counted changes."""

import asyncio
from typing import get_args
from uuid import uuid4

from chassis.mongo.client import apply_indexes, connect
from services.gateway.documents import STORE
from services.gateway.read_models.documents import TaskStatus
from services.gateway.read_models.index_counts import count_in
from tests.servers import Server

STATUSES = get_args(TaskStatus)


async def test_what_goes_from_one_value_to_another_is_counted_once(mongodb_server: Server) -> None:
    name, agent = f"counting_{uuid4().hex[:8]}", uuid4()
    await apply_indexes(mongodb_server.address, name, STORE.documents)
    async with connect(mongodb_server.address) as client:
        tasks = client[name]["tasks"]
        await tasks.insert_many(
            [{"_id": uuid4(), "agent_id": agent, "status": STATUSES[0]} for _ in range(50)]
        )
        # Not told of by its plan yet: no list shows it.
        await tasks.insert_one({"_id": uuid4(), "agent_id": agent})
        over = asyncio.Event()

        async def move() -> None:
            while not over.is_set():
                for status in STATUSES:
                    await tasks.update_many(
                        {"agent_id": agent, "status": {"$exists": True}},
                        {"$set": {"status": status}},
                    )

        moving = asyncio.create_task(move())
        where = {"agent_id": agent, "status": {"$in": list(STATUSES)}}
        counts = {await count_in(tasks, where, "status", STATUSES) for _ in range(200)}
        over.set()
        await moving
        assert counts == {50}
        some = {"agent_id": agent, "status": {"$in": STATUSES[-2:]}}
        assert await count_in(tasks, some, "status", STATUSES) == 50
        await client.drop_database(name)
