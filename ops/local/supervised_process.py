"""A process that is kept running: started again when it ends, at growing intervals."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ops.local.service_log import ServiceLog

PARENT = "REALTOROS_SUPERVISOR_PID"
# A Ctrl-C reaches the whole process group at once, so a child can end of it before we are told.
_CTRL_C_SECONDS = 0.2
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Backoff:
    """How long to wait before the next start; times are in seconds."""

    first: float = 0.5
    longest: float = 30.0
    # Whoever ran this long is taken to be well, so its next end counts as the first.
    well_after: float = 60.0

    def next(self, previous: float | None, ran: float) -> float:
        """Give the pause after an end, from the pause before and how long it ran since."""
        if previous is None or ran >= self.well_after:
            return self.first
        return min(previous * 2, self.longest)


class SupervisedProcess:
    """One process of the supervisor's process group; its output goes to its log."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: ServiceLog,
        *,
        say: Callable[[str], None],
        backoff: Backoff = Backoff(),
    ) -> None:
        self.name = name
        self.log = log
        self.ends = 0
        self.last_end = ""
        self._command = command
        self._environment = {**environment, PARENT: str(os.getpid()), "PYTHONUNBUFFERED": "1"}
        self._say = say
        self._backoff = backoff
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def keep_running(self) -> None:
        """Run the process, again and again, until `stop` is called."""
        pause: float | None = None
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                end = how_it_ended(await self._run())
            except OSError as error:
                end = f"could not be started: {error}"
            if await self._told_to_stop_within(_CTRL_C_SECONDS):
                return
            pause = self._backoff.next(pause, time.monotonic() - started)
            self.ends += 1
            self.last_end = f"{end}: {self.log.last_words()}"
            self._say(f"{self.name} {self.last_end} (starting it again in {pause:g} s)")
            await self._told_to_stop_within(pause)

    def stop(self) -> None:
        """Ask the process to end (SIGTERM) and start it no more."""
        self._stopping.set()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process at once; for one that does not heed `stop`."""
        self._signal(signal.SIGKILL)

    async def _run(self) -> int:
        with self.log.path.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
            )
        if self._stopping.is_set():
            self._signal(signal.SIGTERM)
        return await self._process.wait()

    async def _told_to_stop_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()

    def _signal(self, number: signal.Signals) -> None:
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


def how_it_ended(code: int) -> str:
    """Say how a process ended by the code of subprocess: negative for a signal."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def end_with_supervisor() -> None:
    """In a child: be SIGTERMed when the supervisor dies, however that happens (Linux).

    The child asks for itself, since running Python between fork and exec is not safe in a
    process with threads.
    """
    parent = os.environ.get(PARENT)
    if not parent or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        sys.exit("the supervisor is gone")
