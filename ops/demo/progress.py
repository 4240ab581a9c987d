"""The progress of the leads' follow-ups, polled from the API."""

import time
from collections import deque
from collections.abc import Sequence

from rich.console import RenderableType

from contracts.addresses import canonical_address
from ops.api_client.client import ApiClient, Client, Task
from ops.demo import board
from services.gateway.leads.parsing import Lead

# The window over which the rate is measured.
_RATE_SECONDS = 10.0


class Progress:
    """The state of the leads' follow-ups as of the last refresh."""

    def __init__(self, api: ApiClient, leads: Sequence[Lead]) -> None:
        self.rows = board.build_rows(leads, [], [])
        self._api = api
        self._leads = leads
        self._emails = {canonical_address(lead.email) for lead in leads}
        self._clients: dict[str, Client] = {}
        self._tasks: dict[str, Task] = {}
        self._started = time.monotonic()
        self._samples: deque[tuple[float, int]] = deque()
        self._refreshes = 0

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    @property
    def rate(self) -> float:
        """Follow-ups sent per second over the last seconds."""
        if len(self._samples) <= 1:
            return 0.0
        (first, before), (last, after) = self._samples[0], self._samples[-1]
        return (after - before) / (last - first)

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will happen."""
        return all(row.is_settled for row in self.rows)

    @property
    def was_settled_at_start(self) -> bool:
        """Whether there was nothing to wait for at the first refresh."""
        return self.is_settled and self._refreshes <= 1

    async def refresh(self) -> None:
        """Ask the API. Raises ApiUnavailable, and then changes nothing."""
        if not self._emails <= self._clients.keys():
            clients = await self._api.clients()
            self._clients = {canonical_address(client.email): client for client in clients}
        # Pages can shift while they are read: a task that is missed stays as it was.
        self._tasks |= {task.id: task for task in await self._api.tasks()}
        self.rows = board.build_rows(self._leads, self._clients.values(), self._tasks.values())
        self._refreshes += 1
        now = time.monotonic()
        self._samples.append((now, board.count_by_status(self.rows)["sent"]))
        while now - self._samples[0][0] > _RATE_SECONDS:
            self._samples.popleft()

    def summary_line(self) -> str:
        """Return a summary in plain text."""
        return board.summary_line(board.count_by_status(self.rows), self.elapsed, self.rate)

    def render(self, width: int, height: int) -> RenderableType:
        """Return the board for a terminal of this many columns and lines."""
        return board.render(self.rows, self.elapsed, self.rate, width=width, height=height)
