"""A TCP proxy on loopback between the services and their dependencies, with injectable faults."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from ops.servers.ports import LOOPBACK

_CHUNK = 65_536


@dataclass
class Proxy:
    """One listening port; `target`, a loopback port, may change at any time.

    `delay`: seconds that each chunk of bytes waits, either way. `refuses`: new connections are
    reset at once.
    """

    target: int
    delay: float = 0.0
    refuses: bool = False
    _port: int = 0
    _flows: asyncio.Event = field(default_factory=asyncio.Event)
    _links: dict[asyncio.StreamWriter, asyncio.Task[None]] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    @property
    def links(self) -> int:
        """The number of open connections."""
        return len(self._links)

    def pause(self) -> None:
        """Accept connections and bytes, but pass nothing on."""
        self._flows.clear()

    def resume(self) -> None:
        """Pass bytes on again, starting with those held back."""
        self._flows.set()

    def cut(self) -> None:
        """Reset every connection; bytes in flight either way are lost."""
        for client, link in self._links.items():
            client.transport.abort()
            link.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            writer.transport.abort()
            return
        link = asyncio.current_task()
        assert link
        self._links[writer] = link
        try:
            await self._connect(reader, writer)
        except asyncio.CancelledError:
            # By `cut`: the stream server would report the cancelled task.
            pass
        finally:
            del self._links[writer]
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        with contextlib.suppress(OSError):
            target_reader, target_writer = await asyncio.open_connection(LOOPBACK, self.target)
            pumps = [
                asyncio.create_task(self._pump(reader, target_writer)),
                asyncio.create_task(self._pump(target_reader, writer)),
            ]
            try:
                # When one side closes, so does the other.
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                target_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._flows.wait()
                writer.write(chunk)
                await writer.drain()


@contextlib.asynccontextmanager
async def proxy(target: int = 0) -> AsyncIterator[Proxy]:
    """Listen on a free port and pass everything to the target, which may be set later."""
    running = Proxy(target)
    running.resume()
    server = await asyncio.start_server(running._accept, LOOPBACK)
    running._port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        running.cut()
