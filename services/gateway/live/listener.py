"""One open connection of an agent: what it is told, and what waits to be sent to it."""

import asyncio
import contextlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal
from uuid import UUID

# What may wait for a connection that reads slowly; it is closed then, and may go on from there.
MOST_WAITING = 1000
RETRY_MS = 2000


class CloseCode(IntEnum):
    """Why a connection ends, as WebSocket says it (RFC 6455, and IANA's registry)."""

    LEFT = 1000
    NO_LONGER_VALID = 1008
    STOPPED = 1012
    TOO_SLOW = 1013


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """One message. `id` is a place to go on from; `data` is JSON."""

    kind: Literal["hello", "timeline", "reset", "heartbeat"]
    id: str
    data: str = "{}"

    def as_event(self) -> str:
        """Give it as server-sent event; a heartbeat is a comment that moves the last id."""
        if self.kind == "heartbeat":
            return f": heartbeat\nid: {self.id}\n\n"
        retry = f"retry: {RETRY_MS}\n" if self.kind == "hello" else ""
        return f"{retry}event: {self.kind}\nid: {self.id}\ndata: {self.data}\n\n"

    def as_json(self) -> str:
        """Give it as message of a WebSocket."""
        return f'{{"type":"{self.kind}","id":"{self.id}","data":{self.data}}}'


class Listener:
    """What is told to one connection; `ended` says why it is to be closed."""

    def __init__(self, agent_id: UUID) -> None:
        self.agent_id = agent_id
        self.ended: CloseCode | None = None
        self._waiting: asyncio.Queue[LiveMessage | None] = asyncio.Queue(MOST_WAITING)

    @property
    def has_all(self) -> bool:
        """Whether nothing waits."""
        return self._waiting.empty()

    def tell(self, told: LiveMessage) -> None:
        """Let a message wait for its turn; when too many do, end."""
        if self.ended is not None:
            return
        try:
            self._waiting.put_nowait(told)
        except asyncio.QueueFull:
            self.end(CloseCode.TOO_SLOW)

    def end(self, why: CloseCode) -> None:
        """End, whatever waits."""
        if self.ended is None:
            self.ended = why
            while not self._waiting.empty():
                self._waiting.get_nowait()
            self._waiting.put_nowait(None)

    async def next(self, seconds: float) -> LiveMessage | None:
        """Give the next message; None when there is none for so long, or when it has ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._waiting.get()
        return None
