"""A process that is kept running: restarted when it ends, at growing intervals."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import IO

from chassis.process.backoff import Backoff
from ops.local.service_log import ServiceLog
from ops.signals import describe_exit, follow_parent

SUPERVISOR_PID = "REALTOROS_SUPERVISOR_PID"
# A Ctrl-C reaches the whole process group at once: a child can end of it before `stop` is called.
_CTRL_C_SECONDS = 0.2
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
_OUTPUT_SECONDS = 1.0
# A process that ran this long was well: the pause after it is the first again.
WELL_SECONDS = 60.0


class SupervisedProcess:
    """One process of the supervisor's process group; its output goes to its log by a pipe.

    So the log can be rotated while the process runs.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: ServiceLog,
        *,
        say: Callable[[str], None],
        backoff: Backoff | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self.exits = 0
        self.last_exit = ""
        self._command = command
        self._environment = {
            **environment,
            SUPERVISOR_PID: str(os.getpid()),
            "PYTHONUNBUFFERED": "1",
        }
        self._say = say
        self._backoff = backoff or Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._may_run = asyncio.Event()
        self._may_run.set()
        self._has_ended = asyncio.Event()
        self._has_ended.set()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    @property
    def is_suspended(self) -> bool:
        """Whether it must not run at present."""
        return not self._may_run.is_set()

    async def keep_running(self) -> None:
        """Run the process, restarting it, until `stop` is called."""
        while not self._stopping.is_set():
            await self._may_run.wait()
            started = time.monotonic()
            self._has_ended.clear()
            try:
                reason = describe_exit(await self._run())
            except OSError as error:
                reason = f"could not be started: {error}"
            finally:
                self._has_ended.set()
            was_asked_to = self.is_suspended
            if await self._stops_within(_CTRL_C_SECONDS):
                return
            if was_asked_to:
                continue
            pause = self.pause_after(time.monotonic() - started)
            self.exits += 1
            self.last_exit = f"{reason}: {self.log.exit_reason()}"
            self._say(f"{self.name} {self.last_exit} (restarting in {pause:.1f} s)")
            await self._stops_within(pause)

    def pause_after(self, ran: float) -> float:
        """Return how long to wait before the restart of a process that ran `ran` seconds."""
        if ran >= WELL_SECONDS:
            self._backoff.reset()
        return self._backoff.next()

    @contextlib.asynccontextmanager
    async def suspended(self, seconds: float) -> AsyncIterator[None]:
        """Have the process ended meanwhile: by SIGTERM, after so many seconds by SIGKILL."""
        self._may_run.clear()
        self._signal(signal.SIGTERM)
        try:
            try:
                await asyncio.wait_for(self._has_ended.wait(), seconds)
            except TimeoutError:
                self.kill()
                await self._has_ended.wait()
            yield
        finally:
            self._may_run.set()

    def stop(self) -> None:
        """Ask the process to end (SIGTERM), and do not restart it."""
        self._stopping.set()
        self._may_run.set()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process at once (SIGKILL)."""
        self._signal(signal.SIGKILL)

    async def _run(self) -> int:
        async with self._logged() as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
            )
            output.close()
            if self._stopping.is_set() or self.is_suspended:
                self._signal(signal.SIGTERM)
            return await self._process.wait()

    @contextlib.asynccontextmanager
    async def _logged(self) -> AsyncIterator[IO[bytes]]:
        """Yield a file to write to, for the process alone; at the end, all is logged."""
        read_end, write_end = os.pipe()
        reading, writing = os.fdopen(read_end, "rb", 0), os.fdopen(write_end, "wb", 0)
        output = _Output(self.log, self._say)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: output, reading)
        try:
            with writing:
                yield writing
        finally:
            # A child of the process may hold the pipe open.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_OUTPUT_SECONDS):
                    await output.ended.wait()
            transport.close()
            with contextlib.suppress(OSError):
                self.log.end_line()

    async def _stops_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()

    def _signal(self, number: signal.Signals) -> None:
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


class _Output(asyncio.Protocol):
    """Writes what comes from a pipe to a log; with a full disk the service goes on."""

    def __init__(self, log: ServiceLog, say: Callable[[str], None]) -> None:
        self.ended = asyncio.Event()
        self._log = log
        self._say = say
        self._failed = False

    def data_received(self, data: bytes) -> None:
        try:
            self._log.write(data)
        except OSError as error:
            if not self._failed:
                self._say(f"{self._log.path} cannot be written: {error.strerror}")
            self._failed = True
        else:
            self._failed = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


def end_with_supervisor() -> None:
    """In a child: get SIGTERM when the supervisor dies (Linux only)."""
    parent = os.environ.get(SUPERVISOR_PID)
    if parent and not follow_parent(int(parent)):
        sys.exit("the supervisor has ended")
