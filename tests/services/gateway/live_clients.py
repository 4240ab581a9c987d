"""Connections to the live updates, as browsers open them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.system import AUTHORIZED, KEY

SECONDS = 30


@dataclass(frozen=True)
class Message:
    """A message, over either transport."""

    kind: str
    id: str
    data: dict[str, Any]


class Open(Protocol):
    """An open connection."""

    async def next(self) -> Message:
        """Return the next message but heartbeats, which come whenever nothing else does.

        Raises EOFError when the server has closed the connection.
        """


class EventStream:
    """Reads server-sent events as an EventSource does (HTML standard, 9.2.6)."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self.last_id = ""
        self._lines = response.aiter_lines()

    async def next(self) -> Message:
        kind, data = "message", ""
        async with asyncio.timeout(SECONDS):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                match name:
                    case "event":
                        kind = value
                    case "id":
                        self.last_id = value
                    case "data":
                        data += value
                    case "" if kind == "heartbeat":
                        kind, data = "message", ""
                    case "" if not line and data:
                        return Message(kind, self.last_id, json.loads(data))
        raise EOFError


class Socket:
    """Reads the messages of a WebSocket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def next(self) -> Message:
        try:
            async with asyncio.timeout(SECONDS):
                async for text in self.connection:
                    message = json.loads(text)
                    if message["type"] != "heartbeat":
                        return Message(message["type"], message["id"], message["data"])
        except ConnectionClosed as error:
            raise EOFError from error
        raise EOFError


@contextlib.asynccontextmanager
async def event_stream(url: str, last: str | None = None) -> AsyncIterator[EventStream]:
    headers = AUTHORIZED | ({} if last is None else {"Last-Event-ID": last})
    async with (
        httpx2.AsyncClient(base_url=url, timeout=SECONDS, trust_env=False) as http,
        http.stream("GET", "/api/events", headers=headers) as response,
    ):
        assert response.status_code == 200
        yield EventStream(response)


@contextlib.asynccontextmanager
async def socket(url: str, last: str | None = None) -> AsyncIterator[Socket]:
    query = "" if last is None else f"?last_event_id={last}"
    async with connect(
        f"{url.replace('http', 'ws')}/api/ws{query}",
        subprotocols=[Subprotocol("realtoros"), Subprotocol(f"bearer.{KEY}")],
        proxy=None,
        max_queue=None,
    ) as connection:
        yield Socket(connection)


async def some(stream: Open, number: int) -> list[Message]:
    """Return the next timeline messages; no other kind may come in between."""
    read = [await stream.next() for _ in range(number)]
    assert {message.kind for message in read} <= {"timeline"}
    return read


async def hello(stream: Open) -> str:
    """Read the first message and return its id."""
    first = await stream.next()
    assert (first.kind, first.data) == ("hello", {})
    return first.id
