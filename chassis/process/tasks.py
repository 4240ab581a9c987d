"""Background tasks: run while something else is, and cancelled until they have ended."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterable
from typing import Any

from chassis.process import server

RETRY_SECONDS = 0.1


async def cancel_and_wait(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel the tasks and return when all have ended.

    Pymongo 4, in the middle of an operation, and aiokafka, while a consumer stops, may swallow a
    cancellation, so a task is cancelled again until it has ended.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=RETRY_SECONDS)


@contextlib.asynccontextmanager
async def background(*coroutines: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run the coroutines meanwhile. One that fails ends the process: no part works alone."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    for task in tasks:
        task.add_done_callback(server.stop_if_failed)
    try:
        yield
    finally:
        for task in tasks:
            task.remove_done_callback(server.stop_if_failed)
        await cancel_and_wait(tasks)
