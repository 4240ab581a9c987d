"""How far the follow-ups of some leads are, by what the API says."""

import time
from collections import deque
from collections.abc import Sequence

from rich.console import RenderableType

from ops.api_client.client import ApiClient, Client, Task
from ops.demo import board
from services.gateway.leads.parsing import Lead

# The time over which the rate is taken.
_RATE_SECONDS = 10.0


class Progress:
    """What is known of the leads' follow-ups, asked from the API again and again."""

    def __init__(self, api: ApiClient, taken: Sequence[Lead]) -> None:
        self.rows = board.rows(taken, [], [])
        self._api = api
        self._leads = taken
        self._emails = {lead.email.casefold() for lead in taken}
        self._clients: dict[str, Client] = {}
        self._tasks: dict[str, Task] = {}
        self._started = time.monotonic()
        self._sent: deque[tuple[float, int]] = deque()
        self._looks = 0

    @property
    def elapsed(self) -> float:
        """Seconds since the first look."""
        return time.monotonic() - self._started

    @property
    def rate(self) -> float:
        """How many follow-ups were sent per second lately."""
        if len(self._sent) <= 1:
            return 0.0
        (first, before), (last, after) = self._sent[0], self._sent[-1]
        return (after - before) / (last - first)

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will happen."""
        return all(row.is_settled for row in self.rows)

    @property
    def was_settled_at_first(self) -> bool:
        """Whether there was nothing left to wait for when it was looked at first."""
        return self.is_settled and self._looks <= 1

    async def look(self) -> None:
        """Ask the API. Raises Away, with everything as it was."""
        if not self._emails <= self._clients.keys():
            clients = await self._api.clients()
            self._clients = {client.email.casefold(): client for client in clients}
        # Pages can shift while they are read: what one look misses stays as it was.
        self._tasks |= {task.id: task for task in await self._api.tasks()}
        self.rows = board.rows(self._leads, self._clients.values(), self._tasks.values())
        self._looks += 1
        now = time.monotonic()
        self._sent.append((now, board.counted(self.rows)["sent"]))
        while now - self._sent[0][0] > _RATE_SECONDS:
            self._sent.popleft()

    def line(self) -> str:
        """Sum up in plain text."""
        return board.line(board.counted(self.rows), self.elapsed, self.rate)

    def picture(self, width: int, height: int) -> RenderableType:
        """Draw it for a terminal of this many columns and lines."""
        return board.picture(self.rows, self.elapsed, self.rate, width=width, height=height)
