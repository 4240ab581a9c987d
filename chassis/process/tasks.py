"""Cancelling background tasks until they have ended."""

import asyncio
from collections.abc import Iterable
from typing import Any

RETRY_SECONDS = 0.1


async def cancel_and_wait(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel the tasks and return when all have ended.

    Pymongo 4 may swallow a cancellation that meets it in the middle of an operation, so a task is
    cancelled again until it has ended.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=RETRY_SECONDS)
