"""MongoDB and Kafka as processes of one test, which may freeze and kill them."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from ops.servers import embedded, mongodb_users
from ops.servers.ports import LOOPBACK, remembered_port
from tests.faults.tcp_proxy import Proxy, proxy
from tests.servers import Server, apache_kafka

Run = Callable[[], AbstractAsyncContextManager[str]]


@dataclass
class Store:
    """A running server. It keeps its folder and its address across restarts.

    `survives_sigkill`: whether it keeps everything acknowledged when it is killed.
    """

    server: Server
    proxy: Proxy | None
    _run: Run
    _pid_file: Path
    survives_sigkill: bool = True
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        """Start it and wait until it is ready. Raises ops.servers.server_process.NotStarted."""
        address = await self._running.enter_async_context(self._run())
        if self.proxy:
            self.proxy.target = _port(address)
            self.proxy.refuses = False

    async def end(self) -> None:
        """Kill it, or stop it if a kill would lose data; refuse connections until it is ready.

        A connection made before MongoDB has found its replica set would never support sessions.
        """
        if self.proxy:
            self.proxy.refuses = True
        if self.survives_sigkill:
            self._signal(signal.SIGKILL)
        await self.stop()

    async def stop(self) -> None:
        """Stop it orderly, if it runs."""
        await self._running.aclose()

    def freeze(self) -> None:
        """Freeze its process (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let its process continue (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        os.kill(int(self._pid_file.read_text()), number)


@contextlib.asynccontextmanager
async def mongodb(folder: Path) -> AsyncIterator[Store]:
    """Run a MongoDB behind a proxy."""
    async with proxy() as proxy_:
        # Direct: the address that the replica set announces would bypass the proxy.
        address = f"mongodb://{LOOPBACK}:{proxy_.port}/?directConnection=true"
        await asyncio.to_thread(mongodb_users.ensure_credentials, folder)
        uri = mongodb_users.uri_of(mongodb_users.OPERATOR, folder, address)
        async with _started(
            Store(
                Server(uri, "embedded MongoDB", embedded=True, folder=folder),
                proxy_,
                lambda: embedded.mongodb(folder),
                folder / "mongod.pid",
            )
        ) as store:
            yield store


@contextlib.asynccontextmanager
async def kafka(folder: Path) -> AsyncIterator[Store]:
    """Run the embedded broker, without a proxy: it advertises its own address."""
    await asyncio.to_thread(folder.mkdir)
    async with _started(
        Store(
            Server(f"{LOOPBACK}:{remembered_port(folder)}", "embedded Kafka", embedded=True),
            None,
            lambda: embedded.kafka(folder),
            folder / "kafka.pid",
            survives_sigkill=False,
        )
    ) as store:
        yield store


@contextlib.asynccontextmanager
async def apache(folder: Path) -> AsyncIterator[Store]:
    """Run Apache Kafka behind a proxy. Raises tests.servers.apache_kafka.NotAvailable."""
    jars = await apache_kafka.jars()
    async with proxy() as proxy_:
        address = f"{LOOPBACK}:{proxy_.port}"
        async with _started(
            Store(
                Server(address, f"Apache Kafka {apache_kafka.version(jars)} (Maven)"),
                proxy_,
                lambda: apache_kafka.kafka(jars, folder, advertised=proxy_.port),
                folder / "kafka.pid",
            )
        ) as store:
            yield store


@contextlib.asynccontextmanager
async def _started(store: Store) -> AsyncIterator[Store]:
    try:
        await store.start()
        yield store
    finally:
        await store.stop()


def _port(address: str) -> int:
    """Read the port of `host:port` or of a URI."""
    return int(address.removeprefix("mongodb://").partition("/")[0].rpartition(":")[2])
