"""One server run as a child process on a data folder, so that its data survives.

It neither gets the terminal's Ctrl-C (the services must stop first) nor outlives its parent.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from ops.servers.server_log import exit_reason
from ops.signals import describe_exit, follow_parent

START_SECONDS = 60.0
STOP_SECONDS = 120.0

_log = logging.getLogger(__name__)


class NotStarted(Exception):
    """The server ended or did not answer in time; the message is one line."""

    def __init__(self, message: str, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class InUse(Exception):
    """Another living process runs a server on this folder; stop that one first."""


@contextlib.asynccontextmanager
async def running(
    name: str,
    command: Sequence[str],
    folder: Path,
    answers: Callable[[], Awaitable[bool]],
    *,
    working_folder: Path | None = None,
    start_seconds: float = START_SECONDS,
    stop_seconds: float = STOP_SECONDS,
    say: Callable[[str], None] = _log.error,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `command` and yield it once `answers` is true; stop it by SIGTERM on leaving.

    `say` is told, on one line, if it ends before.

    Use it inside `owned(folder)`, and in the main thread, since Linux takes the death of the
    thread that started a process for its parent's. Output goes to `<name>.log` in the folder,
    which holds the last run only. Raises NotStarted, or OSError: its `filename` is the command's
    when that cannot be executed at all, else a file's in the folder.
    """
    log_file = folder / f"{name}.log"
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=working_folder,
            start_new_session=True,
            preexec_fn=_follow(os.getpid()),
        )
    pid_file = folder / f"{name}.pid"
    try:
        pid_file.write_text(str(process.pid))
        await _wait_until(answers, process, name, log_file, start_seconds)
        watcher = asyncio.create_task(_report_exit(process, name, log_file, say))
        try:
            yield process
        finally:
            if process.returncode is None:
                watcher.cancel()
            else:
                await watcher
    finally:
        await _stop(process, name, stop_seconds)
        pid_file.unlink(missing_ok=True)


@contextlib.contextmanager
def owned(folder: Path) -> Iterator[Path]:
    """Create the folder, for its owner only, and lock it for this process; yield its full path.

    Raises InUse. The kernel releases the lock when its holder dies, however that happens.
    """
    folder = folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    with (folder / "owner.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(
                f"{folder} is in use by another realtoros process: stop that first"
            ) from None
        yield folder


async def end_orphan(
    name: str, folder: Path, *, grace_seconds: float = 5.0, seconds: float = STOP_SECONDS
) -> None:
    """Wait until the server that a killed owner of the folder left running has ended.

    Linux signalled it when its owner died. A second SIGTERM could cut its saving short, so
    it gets one from here only if it still runs after `grace_seconds`, and is never killed.
    Raises NotStarted when it still runs after `seconds`.
    """
    pid_file = folder / f"{name}.pid"
    try:
        pid = int(pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return
    start = time.monotonic()
    signalled = False
    while _runs_on(pid, folder):
        waited = time.monotonic() - start
        if waited > seconds:
            raise NotStarted(f"an earlier {name} (pid {pid}) still runs on {folder}: stop it first")
        if waited > grace_seconds and not signalled:
            _log.warning("%s of an earlier run (pid %d) is still there: stopping it", name, pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            signalled = True
        await asyncio.sleep(0.05)
    pid_file.unlink(missing_ok=True)


def _runs_on(pid: int, folder: Path) -> bool:
    """Return whether the process lives and names the folder in its command line."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    return any(Path(argument).is_relative_to(folder) for argument in arguments if argument)


def _follow(parent: int) -> Callable[[], None]:
    """Return what the child does between fork and exec."""

    def follow() -> None:
        if not follow_parent(parent):
            os._exit(1)

    return follow


async def _wait_until(
    answers: Callable[[], Awaitable[bool]],
    process: asyncio.subprocess.Process,
    name: str,
    log_file: Path,
    seconds: float,
) -> None:
    deadline = time.monotonic() + seconds
    while process.returncode is None:
        if await answers():
            return
        if time.monotonic() > deadline:
            why = exit_reason(log_file)
            raise NotStarted(f"{name} did not answer in {seconds:.0f} s: {why} (see {log_file})")
        await asyncio.sleep(0.05)
    code = process.returncode
    raise NotStarted(f"{_explain(name, code, log_file)} (see {log_file})", code)


async def _report_exit(
    process: asyncio.subprocess.Process, name: str, log_file: Path, say: Callable[[str], None]
) -> None:
    say(_explain(name, await process.wait(), log_file))


def _explain(name: str, code: int, log_file: Path) -> str:
    how = f"{name} {describe_exit(code)}"
    # A process that is killed writes nothing about it.
    return how if code == -signal.SIGKILL else f"{how}: {exit_reason(log_file)}"


async def _stop(process: asyncio.subprocess.Process, name: str, seconds: float) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        _log.error("%s did not stop in %.0f s after SIGTERM: killing it", name, seconds)
        process.kill()
        await process.wait()
