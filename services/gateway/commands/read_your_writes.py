"""Waiting until the own views show what was accepted: whoever writes reads his own write."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from chassis.projections.views import Views

# Mostly this replica applies it itself, a moment after the answer; if not, a look tells.
FIRST_LOOK_SECONDS, LOOK_SECONDS = 0.05, 0.25
# So many streams are looked up in one query.
LOOKED_UP = 1_000
REMEMBERED_STREAMS = 10_000


@dataclass(eq=False)
class _Waiting:
    """The versions of streams that a caller still waits for."""

    missing: dict[str, int]
    shown: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, versions: Mapping[str, int]) -> None:
        # The intersection costs as much as the smaller of the two.
        for stream in self.missing.keys() & versions.keys():
            if versions[stream] >= self.missing[stream]:
                del self.missing[stream]
        if not self.missing:
            self.shown.set()


class ReadYourWrites:
    """Knows when the views show what callers wait for. One per gateway process."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._waiting: set[_Waiting] = set()
        # What this replica has applied of late.
        self._applied: dict[str, int] = {}
        views.listeners.append(self._reached)

    async def until(self, wanted: Mapping[str, int], deadline: float) -> dict[str, int]:
        """Wait for the views, which this replica or another brings up to date.

        Gives what they do not show at the deadline (a time of the loop), of the streams and
        versions that are wanted. Looks at the time itself: pymongo may swallow a cancellation, or
        hang after it (mongo.ping).
        """
        waiting = _Waiting(dict(wanted))
        waiting.take(self._applied)
        self._waiting.add(waiting)
        patience = FIRST_LOOK_SECONDS
        try:
            while waiting.missing:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(patience):
                        await waiting.shown.wait()
                await self._look(waiting)
                if asyncio.get_running_loop().time() > deadline:
                    break
                patience = LOOK_SECONDS
            return waiting.missing
        finally:
            self._waiting.discard(waiting)

    async def _look(self, waiting: _Waiting) -> None:
        """Ask the store, unless all is known to be shown."""
        streams = iter(tuple(waiting.missing))
        while some := list(islice(streams, LOOKED_UP)):
            waiting.take(await self._views.versions(some))

    def _reached(self, versions: Mapping[str, int]) -> None:
        if len(self._applied) > REMEMBERED_STREAMS:
            self._applied.clear()
        self._applied.update(versions)
        for waiting in self._waiting:
            waiting.take(versions)
