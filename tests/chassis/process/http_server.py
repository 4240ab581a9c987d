"""An HTTP server with narrow limits and a small application, and connections to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from prometheus_client import REGISTRY

from chassis.process.connections import Connections
from chassis.process.http_protocol import guarded_http
from chassis.process.settings import Settings

LIMITS = {
    "max_header_bytes": 2000,
    "max_connections": 6,
    "max_connections_per_address": 4,
    "request_timeout_seconds": 0.3,
    "min_bytes_per_second": 100,
}
# Whose connections are not limited by address.
PROXY = "127.0.0.9"
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
CHUNKED = b"POST /read HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


class Served:
    """A server on a port of its own, and what its application has seen."""

    def __init__(self) -> None:
        self.port = 0
        self.bodies: list[bytes] = []
        self.headers: list[list[tuple[bytes, bytes]]] = []
        self.release = asyncio.Event()

    async def app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] == "/hold":
            await self.release.wait()
        if scope["path"] in ("/read", "/hold"):
            body, more = b"", True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return
                body, more = body + message["body"], message["more_body"]
            self.bodies.append(body)
        self.headers.append(list(scope["headers"]))
        large = b"x" * 8_000_000 if scope["path"] == "/large" else b"ok"
        length = str(len(large)).encode()
        headers = [(b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": large})

    async def connect(self, source: str = "127.0.0.1") -> "Peer":
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(source, 0)
        )
        return Peer(reader, writer)


class Peer:
    """A connection to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def send_endlessly(self, piece: bytes, pause: float = 0) -> bytes:
        """Send until the server has closed the connection; return what it has answered."""
        reading = asyncio.create_task(self.rest())
        with contextlib.suppress(ConnectionError):
            while not reading.done():
                await self.send(piece)
                await asyncio.sleep(pause)
        return await reading

    async def response(self) -> bytes:
        """Read one response with a short body."""
        async with asyncio.timeout(10):
            return await self.reader.readuntil(b"ok")

    async def rest(self) -> bytes:
        """Read until the server closes the connection."""
        async with asyncio.timeout(10):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""


@contextlib.asynccontextmanager
async def serving(**limits: Any) -> AsyncIterator[Served]:
    """Run the server with the limits above, or others."""
    settings = settings_with(**(LIMITS | limits))
    connections = Connections(settings, lambda host: host == PROXY)
    connections.start()
    served = Served()
    http = guarded_http(connections, settings.max_header_bytes)
    config = uvicorn.Config(
        served.app,
        port=0,
        http=http,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    served.port = server.servers[0].sockets[0].getsockname()[1]
    ticking = asyncio.create_task(server.main_loop())
    try:
        yield served
    finally:
        server.should_exit = server.force_exit = True
        await ticking
        await server.shutdown()


def settings_with(**limits: Any) -> Settings:
    """Return settings with these limits."""
    required: Any = {"kafka_bootstrap_servers": "nowhere:1", "mongodb_uri": "mongodb://nowhere"}
    return Settings(**required, **limits)


def refusals(reason: str) -> float:
    return REGISTRY.get_sample_value("realtoros_refusals_total", {"reason": reason}) or 0


@contextlib.contextmanager
def refused(reason: str, times: int = 1) -> Iterator[None]:
    """Assert that the refusals meanwhile are counted."""
    before = refusals(reason)
    yield
    assert refusals(reason) == before + times
