"""Cancelled background tasks end, also in the middle of a call to MongoDB."""

import asyncio

from chassis.mongo.client import Database
from chassis.process.tasks import cancel_and_wait


async def test_tasks_that_query_without_a_pause_end(
    database: Database,
) -> None:
    asked = 0

    async def ask_for_ever() -> None:
        nonlocal asked
        while True:
            await database["seen"].find_one({"_id": asked})
            asked += 1

    tasks = [asyncio.create_task(ask_for_ever()) for _ in range(20)]
    while asked < 100:
        await asyncio.sleep(0)
    await cancel_and_wait(tasks)
    assert all(task.done() for task in tasks)


async def test_tasks_that_have_ended_or_swallow_cancellations_end_too() -> None:
    deaf_for = 2

    async def deaf() -> None:
        nonlocal deaf_for
        while deaf_for:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                deaf_for -= 1
        await asyncio.Event().wait()

    task, done = asyncio.create_task(deaf()), asyncio.create_task(asyncio.sleep(0))
    await done
    await cancel_and_wait([task, done])
    assert task.cancelled()
    assert not done.cancelled()
