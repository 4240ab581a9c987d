"""Real child processes that end, linger and die."""

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from chassis.process.backoff import Backoff
from ops.local import service_log
from ops.local.service_log import ServiceLog
from ops.local.supervised_process import SupervisedProcess
from ops.signals import describe_exit

PATIENT = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: exit(0)); "


@contextlib.asynccontextmanager
async def running(folder: Path, program: str) -> AsyncIterator[tuple[SupervisedProcess, list[str]]]:
    said: list[str] = []
    command = [sys.executable, "-c", program]
    log = ServiceLog(folder / "logs" / "tiny.log")
    child = SupervisedProcess(
        "tiny", command, os.environ, log, say=said.append, backoff=Backoff(0.04, 0.08)
    )
    run = asyncio.create_task(child.keep_running())
    try:
        yield child, said
    finally:
        child.stop()
        await asyncio.wait_for(run, 60)
        log.close()


async def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_a_child_that_ends_is_restarted_and_named_with_its_exit_reason(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, "print('all is lost'); exit(3)") as (child, said):
        await until(lambda: child.exits >= 2)
    assert said[0] == "tiny ended with exit code 3: all is lost (restarting in 0.0 s)"
    assert "restarting in 0.1 s" in said[1]


async def test_a_child_that_is_killed_comes_back_under_another_pid(tmp_path: Path) -> None:
    async with running(tmp_path, PATIENT + "print('up'); time.sleep(60)") as (child, said):
        await until(lambda: child.pid)
        first = child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.pid not in (None, first))
    assert said[0].startswith("tiny was ended by SIGKILL")


async def test_a_child_that_is_stopped_gets_sigterm_and_stays_down(tmp_path: Path) -> None:
    async with running(tmp_path, PATIENT + "print('up'); time.sleep(60)") as (child, said):
        await until((tmp_path / "logs" / "tiny.log").read_text)
        child.stop()
        await until(lambda: child.pid is None)
    assert said == []


async def test_a_program_that_is_not_there_is_said_and_tried_again(tmp_path: Path) -> None:
    said: list[str] = []
    log = ServiceLog(tmp_path / "x.log")
    child = SupervisedProcess(
        "x", ["/nowhere/at/all"], {}, log, say=said.append, backoff=Backoff(0.04, 0.08)
    )
    run = asyncio.create_task(child.keep_running())
    await until(lambda: said)
    child.stop()
    await run
    log.close()
    assert said[0].startswith("x could not be started: ")


def test_pauses_double_up_to_the_longest_and_begin_again_after_a_good_run(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "tiny.log")
    child = SupervisedProcess("tiny", ["true"], {}, log, say=lambda _: None)
    pauses = [child.pause_after(ran) for ran in [1, 1, 1, 1, 1, 1, 1, 61, 1]]
    longest = [0.5, 1, 2, 4, 8, 16, 30, 0.5, 1]
    assert all(most / 2 < pause <= most for pause, most in zip(pauses, longest, strict=True))
    log.close()


async def test_all_that_a_child_writes_is_in_its_log_which_is_rotated_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_log, "KEEP_BYTES", 200_000)
    # At the end it is killed: what it wrote is in the pipe, and no line is cut.
    flood = (
        "import os, signal\n"
        "for n in range(20_000): print(f'line {n:06}', flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    async with running(tmp_path, flood) as (child, said):
        await until(lambda: child.exits)
    assert "line 019999" in said[0]
    log = tmp_path / "logs" / "tiny.log"
    lines = (log.with_suffix(".log.1").read_text() + log.read_text()).splitlines()
    assert all(re.fullmatch(r"line \d{6}", line) for line in lines)
    assert lines[:20_000] == [f"line {n:06}" for n in range(20_000)]


async def test_a_grandchild_that_holds_the_log_open_does_not_hold_up_the_restart(
    tmp_path: Path,
) -> None:
    leave = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True); exit(3)"
    async with running(tmp_path, leave) as (child, _):
        await until(lambda: child.exits >= 2)
    for line in (tmp_path / "logs" / "tiny.log").read_text().splitlines():
        os.kill(int(line), signal.SIGKILL)


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "ended with exit code 0"), (-15, "was ended by SIGTERM"), (-99, "was ended by signal 99")],
)
def test_how_a_process_ended_is_said_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words


async def test_a_suspended_child_ends_and_comes_back_without_a_word(tmp_path: Path) -> None:
    async with running(tmp_path, PATIENT + "print('up'); time.sleep(60)") as (child, said):
        await until(lambda: child.pid)
        first = child.pid
        async with child.suspended(10):
            assert child.pid is None
            assert child.is_suspended
        await until(lambda: child.pid)
        assert child.pid != first
    assert said == []


async def test_a_child_that_ignores_its_suspension_is_killed(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); "
    async with running(tmp_path, deaf + "time.sleep(60)") as (child, said):
        await until(lambda: "up" in (tmp_path / "logs" / "tiny.log").read_text())
        async with child.suspended(0.1):
            assert child.pid is None
        # Here it would be waited for in vain.
        await until(lambda: child.pid)
        child.kill()
    assert all("SIGKILL" in line for line in said)
