"""A server on loopback that a test scripts byte by byte, for the faults of connections."""

import asyncio
import contextlib
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


@dataclass
class RawServer:
    """Where it listens, and what it has got."""

    url: str = ""
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)


class Link:
    """One accepted connection."""

    def __init__(
        self, server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self._reader = reader
        self._writer = writer

    async def request(self) -> bytes:
        """Read a whole request. Raises EOFError when the client closes."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        request = head + await self._reader.readexactly(int(length[1]) if length else 0)
        self.server.requests.append(request)
        return request

    async def closed(self) -> None:
        """Wait until the client closes."""
        await self._reader.read()

    def answer(self, content: bytes) -> None:
        """Send these bytes."""
        self._writer.write(content)

    def reset(self) -> None:
        """Close with RST: what the client has not read yet is lost."""
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def close(self) -> None:
        """Close in order."""
        self._writer.close()


Script = Callable[[Link], Awaitable[None]]


@contextlib.asynccontextmanager
async def raw_server(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Run `script` for each connection, which ends with it."""
    server, links = RawServer(), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        links.add(task)
        server.connections += 1
        link = Link(server, reader, writer)
        try:
            await script(link)
        except (EOFError, OSError, asyncio.CancelledError):
            pass
        finally:
            link.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls, backlog=1024)
    scheme = "https" if tls else "http"
    server.url = f"{scheme}://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)
