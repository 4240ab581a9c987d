"""Processes that read CSV files: no file keeps the event loop or another request waiting."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from typing import Any, cast

import structlog

from services.gateway.errors import Unavailable
from services.gateway.leads import worker
from services.gateway.leads.charsets import Unreadable
from services.gateway.leads.rows import ClientRow, Rows

MAX_WORKERS = 2
DEADLINE_SECONDS = 30
# An idle worker takes memory: after so long nobody waits for the next file.
IDLE_SECONDS = 10.0
# A worker that has read a larger file has grown with it, and is not used again.
MAX_REUSED_BYTES = 1_048_576
_WRITTEN_AT_ONCE = 262_144
_COMMAND = (sys.executable, "-P", "-m", worker.__name__)

log = structlog.get_logger(__name__)


class CsvWorkers:
    """At most two workers, started when a file comes; each reads one file at a time."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(MAX_WORKERS)
        self._idle: list[Process] = []
        self._ending: set[asyncio.Task[None]] = set()

    async def read(self, content: bytes, **options: Any) -> Rows:
        """Return what `rows_of` makes of a file with these options.

        A cancellation ends the worker. Raises Unreadable, and Unavailable when the worker dies or
        does not answer in time.
        """
        async with self._slots:
            process = self._take_idle() or await _start()
            answered = False
            try:
                async with asyncio.timeout(DEADLINE_SECONDS):
                    rows = await _exchange(process, content, options)
                answered = True
            except Unreadable:
                answered = True
                raise
            except (EOFError, OSError) as error:
                log.warning("csv_worker_failed", error=repr(error), exit_code=process.returncode)
                raise Unavailable from error
            finally:
                if answered and len(content) <= MAX_REUSED_BYTES:
                    self._keep(process)
                else:
                    await _end(process)
        return rows

    async def close(self) -> None:
        """End the workers."""
        while self._idle:
            await _end(self._idle.pop())
        await asyncio.gather(*self._ending)

    def _keep(self, process: Process) -> None:
        """Keep the worker for the next file, but not for long."""
        self._idle.append(process)
        asyncio.get_running_loop().call_later(IDLE_SECONDS, self._retire, process)

    def _retire(self, process: Process) -> None:
        # One that was used again meanwhile may end a little early.
        if process in self._idle:
            self._idle.remove(process)
            ending = asyncio.create_task(_end(process))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    def _take_idle(self) -> Process | None:
        while self._idle:
            if (process := self._idle.pop()).returncode is None:
                return process
        return None


async def _start() -> Process:
    # The worker needs none of the service's secrets. A terminal's Ctrl-C is the service's
    # business: the worker ends when its stdin does.
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return await asyncio.create_subprocess_exec(
        *_COMMAND, stdin=PIPE, stdout=PIPE, env=environment, start_new_session=True
    )


async def _end(process: Process) -> None:
    if process.returncode is None:
        # By its own group: `process.kill` first reaps a worker that has just died, and asyncio
        # then never learns its exit code.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    # What is left in its stdout keeps the pipe open.
    await process.communicate()


async def _exchange(process: Process, content: bytes, options: Mapping[str, Any]) -> Rows:
    """Send the file and receive the rows. Raises EOFError or OSError when the worker dies."""
    stdin = cast("asyncio.StreamWriter", process.stdin)
    stdout = cast("asyncio.StreamReader", process.stdout)
    request = worker.frame(json.dumps(options).encode()) + worker.LENGTH.pack(len(content))
    try:
        stdin.write(request)
        for start in range(0, len(content), _WRITTEN_AT_ONCE):
            stdin.write(content[start : start + _WRITTEN_AT_ONCE])
            await stdin.drain()
    except RuntimeError as error:
        # uvloop's word for a pipe that is closed already.
        raise BrokenPipeError from error
    rows = Rows()
    while True:
        [length] = worker.LENGTH.unpack(await stdout.readexactly(worker.LENGTH.size))
        kind, answer = json.loads(await stdout.readexactly(length))
        match kind:
            case "clients":
                rows.clients += (ClientRow(*row) for row in answer)
            case "refused":
                rows.refused += map(tuple, answer)
            case "columns":
                rows.columns += map(tuple, answer)
            case "end":
                return rows
            case "unreadable":
                raise Unreadable(answer)
            case _:
                raise RuntimeError(f"the worker failed: {answer}")
