"""Pacing: much to do comes in batches, little to do does not wait."""

import asyncio
import math

PACE_SECONDS = 0.02
# A turn with so many things in it, or more, is followed by the whole pause; one with fewer by as
# much less of it.
MANY = 4


class Pace:
    """Keeps turns apart, up to `seconds`. The first after a rest comes at once."""

    def __init__(self, seconds: float = PACE_SECONDS) -> None:
        self._share = seconds / MANY
        self._began = -math.inf
        self._things = 0

    async def turn(self) -> None:
        """Return when the turn before this one is long enough ago for what was in it."""
        loop = asyncio.get_running_loop()
        while (wait := self._began + self._pause - loop.time()) > 0:
            await asyncio.sleep(wait)
        self._began = loop.time()
        self._things = 0

    def took(self, things: int) -> None:
        """Tell that so many things, or so many more, were in the turn."""
        self._things += things

    @property
    def _pause(self) -> float:
        return self._share * min(MANY, max(1, self._things))
