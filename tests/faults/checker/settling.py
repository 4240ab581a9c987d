"""Waiting for a run to settle, by its history."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from tests.faults.checker.checker import settled
from tests.faults.checker.history import History

_LOOK_SECONDS = 0.3


async def until_settled(read: Callable[[], Awaitable[History]], *, seconds: float = 60) -> History:
    """Return the history once it is settled, or after so many seconds, for the checker to judge."""
    deadline = time.monotonic() + seconds
    while True:
        history = await read()
        if settled(history) or time.monotonic() > deadline:
            return history
        await asyncio.sleep(_LOOK_SECONDS)
