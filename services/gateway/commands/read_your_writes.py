"""Read your writes: waiting until the views have applied what a command changed."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from chassis.projections.views import Views

# Mostly this replica applies it, a moment after the reply; where another does, only the store says.
FIRST_LOOK_SECONDS, LOOK_SECONDS = 0.05, 0.25
# So many streams are looked up in one query.
LOOKED_UP = 1_000
REMEMBERED_STREAMS = 10_000


@dataclass(eq=False)
class _Waiter:
    """The versions of streams that a caller still waits for."""

    missing: dict[str, int]
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def update(self, applied: Mapping[str, int]) -> None:
        # The intersection costs as much as the smaller of the two.
        for stream in self.missing.keys() & applied.keys():
            if applied[stream] >= self.missing[stream]:
                del self.missing[stream]
        if not self.missing:
            self.done.set()


class ReadYourWrites:
    """Waits for versions of streams in the views. One per gateway process."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._waiters: set[_Waiter] = set()
        # What this replica applied recently.
        self._applied: dict[str, int] = {}
        views.listeners.append(self._on_applied)

    async def wait_for(self, versions: Mapping[str, int], deadline: float) -> dict[str, int]:
        """Wait until the views, which any replica may update, have the streams at the versions.

        Returns those not applied by the deadline (in the loop's time). The deadline is checked here
        and not by a timeout: pymongo may swallow a cancellation, or hang after it (mongo.ping).
        """
        waiter = _Waiter(dict(versions))
        waiter.update(self._applied)
        self._waiters.add(waiter)
        timeout = FIRST_LOOK_SECONDS
        try:
            while waiter.missing:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(timeout):
                        await waiter.done.wait()
                await self._query(waiter)
                if asyncio.get_running_loop().time() > deadline:
                    break
                timeout = LOOK_SECONDS
            return waiter.missing
        finally:
            self._waiters.discard(waiter)

    async def _query(self, waiter: _Waiter) -> None:
        """Read from the store the versions that the waiter misses."""
        streams = iter(tuple(waiter.missing))
        while some := list(islice(streams, LOOKED_UP)):
            waiter.update(await self._views.versions(some))

    def _on_applied(self, versions: Mapping[str, int]) -> None:
        if len(self._applied) > REMEMBERED_STREAMS:
            self._applied.clear()
        self._applied.update(versions)
        for waiter in self._waiters:
            waiter.update(versions)
