"""MongoDB and Kafka as processes of a chaos run's own, which it may freeze and kill."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from ops.servers import embedded
from ops.servers.ports import LOOPBACK, remembered_port
from tests.faults.tcp_proxy import Proxy, proxy
from tests.servers import Server, apache_kafka

Run = Callable[[], AbstractAsyncContextManager[str]]


@dataclass
class Store:
    """A running server. It keeps its folder and its address however often it is killed.

    `outlives_sigkill`: whether all that it has acknowledged is there again afterwards.
    """

    server: Server
    proxy: Proxy | None
    _run: Run
    _pid_file: Path
    outlives_sigkill: bool = True
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        """Start it, and wait until it can be worked with. Raises ops.servers.server_process.NotStarted."""
        address = await self._running.enter_async_context(self._run())
        if self.proxy:
            self.proxy.target = _port(address)
            self.proxy.refuses = False

    async def end(self) -> None:
        """Kill it, or stop it where a kill would lose data. Nobody reaches it until it is started.

        A connection made before MongoDB has found its replica set would never know of sessions.
        """
        if self.proxy:
            self.proxy.refuses = True
        if self.outlives_sigkill:
            self._signal(signal.SIGKILL)
        await self.stop()

    async def stop(self) -> None:
        """Stop it in order, if it runs."""
        await self._running.aclose()

    def freeze(self) -> None:
        """Let its process stand still."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let its process go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        os.kill(int(self._pid_file.read_text()), number)


@contextlib.asynccontextmanager
async def mongodb(folder: Path) -> AsyncIterator[Store]:
    """Run a MongoDB behind a proxy."""
    async with proxy() as between:
        # Directly: the replica set's own answer to where it is would lead around the proxy.
        address = f"mongodb://{LOOPBACK}:{between.port}/?directConnection=true"
        async with _started(
            Store(
                Server(address, "embedded MongoDB", embedded=True),
                between,
                lambda: embedded.mongodb(folder),
                folder / "mongod.pid",
            )
        ) as store:
            yield store


@contextlib.asynccontextmanager
async def kafka(folder: Path) -> AsyncIterator[Store]:
    """Run the embedded broker. It advertises where it listens, so nothing can stand between."""
    await asyncio.to_thread(folder.mkdir)
    async with _started(
        Store(
            Server(f"{LOOPBACK}:{remembered_port(folder)}", "embedded Kafka", embedded=True),
            None,
            lambda: embedded.kafka(folder),
            folder / "kafka.pid",
            outlives_sigkill=False,
        )
    ) as store:
        yield store


@contextlib.asynccontextmanager
async def apache(folder: Path) -> AsyncIterator[Store]:
    """Run Apache Kafka behind a proxy. Raises tests.servers.apache_kafka.NotAvailable."""
    jars = await apache_kafka.jars()
    async with proxy() as between:
        address = f"{LOOPBACK}:{between.port}"
        async with _started(
            Store(
                Server(address, f"Apache Kafka {apache_kafka.version(jars)} (Maven)"),
                between,
                lambda: apache_kafka.kafka(jars, folder, advertised=between.port),
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
