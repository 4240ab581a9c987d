"""Pacing: much to do comes in batches, little to do does not wait."""

import asyncio

PACE_SECONDS = 0.02


class Pace:
    """Keeps turns a little apart. The first after a rest comes at once."""

    def __init__(self, seconds: float = PACE_SECONDS) -> None:
        self._seconds = seconds
        self._next = 0.0

    async def turn(self) -> None:
        """Return when the turn before this one is long enough ago."""
        loop = asyncio.get_running_loop()
        if (wait := self._next - loop.time()) > 0:
            await asyncio.sleep(wait)
        self._next = loop.time() + self._seconds
