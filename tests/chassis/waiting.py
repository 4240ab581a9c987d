"""Waiting for conditions."""

import asyncio
import time
from collections.abc import Awaitable, Callable

SECONDS = 90.0


async def until(condition: Callable[[], Awaitable[bool] | bool]) -> None:
    """Return once the condition holds; fail when it does not in a minute and a half."""
    deadline = time.monotonic() + SECONDS
    while True:
        holds = condition()
        if isinstance(holds, Awaitable):
            holds = await holds
        if holds:
            return
        assert time.monotonic() < deadline, "the condition did not hold in time"
        await asyncio.sleep(0.01)
