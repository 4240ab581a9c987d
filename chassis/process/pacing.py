"""Pacing: under load, work is done in batches; otherwise at once."""

import asyncio
import math

PACE_SECONDS = 0.02
# A turn with this many items or more is followed by the whole pause, one with fewer by a share.
FULL_TURN = 4


class Pace:
    """Keeps turns up to `seconds` apart. The first after a rest comes at once."""

    def __init__(self, seconds: float = PACE_SECONDS) -> None:
        self._share = seconds / FULL_TURN
        self._began = -math.inf
        self._items = 0

    async def turn(self) -> None:
        """Return when the turn before is long enough ago for the items in it."""
        loop = asyncio.get_running_loop()
        while (wait := self._began + self._pause - loop.time()) > 0:
            await asyncio.sleep(wait)
        self._began = loop.time()
        self._items = 0

    def took(self, items: int) -> None:
        """Count items of the current turn."""
        self._items += items

    @property
    def _pause(self) -> float:
        return self._share * min(FULL_TURN, max(1, self._items))
