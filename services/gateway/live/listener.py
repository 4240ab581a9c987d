"""An agent's open connection: a bounded queue of the messages to send, and why it is closed."""

import asyncio
import contextlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal
from uuid import UUID

# A connection that reads so slowly that more wait is closed; it can resume from there.
MAX_QUEUED = 1000
RETRY_MS = 2000


class CloseCode(IntEnum):
    """Why a connection ends, as a WebSocket close code (RFC 6455, and IANA's registry)."""

    LEFT = 1000
    NO_LONGER_VALID = 1008
    STOPPED = 1012
    TOO_SLOW = 1013


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """A message to a connection. `id` is a position to resume from; `data` is JSON."""

    kind: Literal["hello", "timeline", "reset", "heartbeat"]
    id: str
    data: str = "{}"

    def as_event(self) -> str:
        """Return a server-sent event; a heartbeat is a comment that moves the last event id."""
        if self.kind == "heartbeat":
            return f": heartbeat\nid: {self.id}\n\n"
        retry = f"retry: {RETRY_MS}\n" if self.kind == "hello" else ""
        return f"{retry}event: {self.kind}\nid: {self.id}\ndata: {self.data}\n\n"

    def as_json(self) -> str:
        """Return a WebSocket message."""
        return f'{{"type":"{self.kind}","id":"{self.id}","data":{self.data}}}'


class Listener:
    """Queues messages for one connection; `ended` says why the connection is to be closed."""

    def __init__(self, agent_id: UUID) -> None:
        self.agent_id = agent_id
        self.ended: CloseCode | None = None
        self._queue: asyncio.Queue[LiveMessage | None] = asyncio.Queue(MAX_QUEUED)

    @property
    def is_drained(self) -> bool:
        """Whether no message is queued."""
        return self._queue.empty()

    def send(self, message: LiveMessage) -> None:
        """Queue a message; end when the queue is full."""
        if self.ended is not None:
            return
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self.end(CloseCode.TOO_SLOW)

    def end(self, why: CloseCode) -> None:
        """End, and drop what is queued."""
        if self.ended is None:
            self.ended = why
            while not self._queue.empty():
                self._queue.get_nowait()
            self._queue.put_nowait(None)

    async def next(self, seconds: float) -> LiveMessage | None:
        """Return the next message; None when there is none in time, or the listener has ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._queue.get()
        return None
