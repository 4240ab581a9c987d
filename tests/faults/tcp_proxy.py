"""A TCP proxy on loopback between the services and what they stand on; it breaks as it is told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from ops.servers.ports import LOOPBACK

_CHUNK = 65_536


@dataclass
class Proxy:
    """One listening port. It rewrites nothing; `target`, a loopback port, may change meanwhile.

    `delay`: seconds that each chunk of bytes waits, either way. `refuses`: who connects is reset
    at once.
    """

    target: int
    delay: float = 0.0
    refuses: bool = False
    _port: int = 0
    _flows: asyncio.Event = field(default_factory=asyncio.Event)
    _links: dict[asyncio.StreamWriter, asyncio.Task[None]] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def links(self) -> int:
        """How many connections there are now."""
        return len(self._links)

    def pause(self) -> None:
        """Become a black hole: take connections and bytes, pass nothing on."""
        self._flows.clear()

    def resume(self) -> None:
        """Pass on again, beginning with what was held back."""
        self._flows.set()

    def cut(self) -> None:
        """Reset every connection; what is on the way in either direction is lost."""
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
            # Of `cut`: the stream server would report a connection task that was cancelled.
            pass
        finally:
            del self._links[writer]
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection(LOOPBACK, self.target)
            ways = [
                asyncio.create_task(self._pump(reader, back)),
                asyncio.create_task(self._pump(there, writer)),
            ]
            try:
                # Request and answer: when one side is through, so is the other.
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                back.transport.abort()

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
    """Listen on a free port and pass everything to the target, which may also be set later."""
    standing = Proxy(target)
    standing.resume()
    server = await asyncio.start_server(standing._accept, LOOPBACK)
    standing._port = server.sockets[0].getsockname()[1]
    try:
        yield standing
    finally:
        server.close()
        standing.cut()
