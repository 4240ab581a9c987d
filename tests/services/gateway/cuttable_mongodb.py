"""A connection to MongoDB that can be cut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from tests.servers import Server

HOST = "127.0.0.1"


class Wire:
    """A TCP port that leads to a server until it is cut."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(f"//{target}")
        self._target = (parts.hostname, parts.port)
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def connect(self) -> None:
        self._server = await asyncio.start_server(self._connect, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server
        self._server.close()
        for writer in list(self._open):
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._target)
        self._open |= {writer, back}
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        self._open -= {writer, back}

    @staticmethod
    async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def wired(mongodb: Server) -> AsyncIterator[tuple[Wire, Server]]:
    """Yield a wire to MongoDB, and the server's address through it."""
    user, at, servers = urlsplit(mongodb.address).netloc.rpartition("@")
    wire = Wire(servers.split(",")[0])
    await wire.connect()
    try:
        address = f"mongodb://{user}{at}{HOST}:{wire.port}/?directConnection=true"
        yield wire, Server(address, "wired MongoDB")
    finally:
        await wire.cut()
