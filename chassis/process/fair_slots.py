"""Slots for costly work, shared fairly: one caller never takes all of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Hashable


class FairSlots:
    """`total` slots, of which each caller holds at most `each`; its further work waits."""

    def __init__(self, total: int, each: int) -> None:
        self._slots = asyncio.Semaphore(total)
        self._each = each
        # By caller: its own slots, and how much of its work holds or waits for one.
        self._callers: dict[Hashable, tuple[asyncio.Semaphore, int]] = {}

    @contextlib.asynccontextmanager
    async def slot(self, caller: Hashable) -> AsyncIterator[None]:
        """Hold a slot."""
        own, users = self._callers.get(caller, (asyncio.Semaphore(self._each), 0))
        self._callers[caller] = own, users + 1
        try:
            async with own, self._slots:
                yield
        finally:
            users = self._callers[caller][1] - 1
            if users:
                self._callers[caller] = own, users
            else:
                del self._callers[caller]
