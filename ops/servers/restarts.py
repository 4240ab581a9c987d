"""A server that is started again whenever it ends by itself: killed, or on a full disk."""

import asyncio
import contextlib
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass

from chassis.process.backoff import Backoff
from ops.servers.server_process import NotStarted

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
# A server that ran this long was well: the pause after it is the first again.
WELL_SECONDS = 60.0

Run = Callable[[], AbstractAsyncContextManager[Process]]
Meanwhile = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Restarts:
    """Who is told of a server's ends and starts, and what has to hold in between."""

    say: Callable[[str], None]
    meanwhile: Meanwhile = contextlib.nullcontext

    @contextlib.asynccontextmanager
    async def keep_running(self, name: str, run: Run) -> AsyncIterator[None]:
        """Run the server, and again at growing intervals whenever it ends.

        Raises what `run` raises at the first start.
        """
        async with run() as first:
            keeping = asyncio.create_task(self._keep(name, run, first))
            try:
                yield
            finally:
                keeping.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await keeping

    async def _keep(self, name: str, run: Run, process: Process) -> None:
        backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        started = time.monotonic()
        await process.wait()
        while True:
            if time.monotonic() - started > WELL_SECONDS:
                backoff.reset()
            async with AsyncExitStack() as running:
                async with self.meanwhile():
                    process = await self._start(name, run, running, backoff)
                self.say(f"{name} runs again")
                started = time.monotonic()
                await process.wait()

    async def _start(
        self, name: str, run: Run, running: AsyncExitStack, backoff: Backoff
    ) -> Process:
        said = ""
        while True:
            await asyncio.sleep(backoff.next())
            try:
                return await running.enter_async_context(run())
            except (NotStarted, OSError) as error:
                if str(error) != said:
                    said = str(error)
                    self.say(f"{said}; starting it is tried until it runs")
