"""Real processes that end by themselves are started again, and stopped at the end."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ops.servers import restarts
from ops.servers.restarts import Restarts
from ops.servers.server_process import NotStarted, running
from tests.chassis.waiting import until

PROGRAM = """
import pathlib, sys, time
if pathlib.Path(sys.argv[1], "broken").exists():
    sys.exit("no luck today")
pathlib.Path(sys.argv[1], "ready").touch()
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restarts, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(restarts, "LONGEST_PAUSE", 0.05)


class Tiny:
    """A server that is ready when it has made a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.pids: list[int] = []
        self.meanwhile = 0

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[Process]:
        (self.folder / "ready").unlink(missing_ok=True)
        command = [sys.executable, "-c", PROGRAM, str(self.folder)]
        async with running("tiny", command, self.folder, self._answers, say=self.said.append) as it:
            self.pids.append(it.pid)
            yield it

    async def _answers(self) -> bool:
        return await asyncio.to_thread((self.folder / "ready").exists)

    @contextlib.asynccontextmanager
    async def _without_it(self) -> AsyncIterator[None]:
        before = len(self.pids)
        yield
        self.meanwhile += len(self.pids) - before

    def kept(self) -> contextlib.AbstractAsyncContextManager[None]:
        return Restarts(self.said.append, self._without_it).keep_running("tiny", self.run)


async def test_a_server_that_is_killed_runs_again_until_the_end(tmp_path: Path) -> None:
    tiny = Tiny(tmp_path)
    async with tiny.kept():
        os.kill(tiny.pids[-1], signal.SIGKILL)
        await until(lambda: tiny.said.count("tiny runs again") == 1)
        os.kill(tiny.pids[-1], signal.SIGKILL)
        await until(lambda: tiny.said.count("tiny runs again") == 2)
    assert tiny.said == ["tiny was ended by SIGKILL", "tiny runs again"] * 2
    # What must not see it away was away both times.
    assert tiny.meanwhile == 2
    for pid in tiny.pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_start_is_tried_until_it_succeeds_and_told_once(tmp_path: Path) -> None:
    tiny = Tiny(tmp_path)
    async with tiny.kept():
        (tmp_path / "broken").touch()
        os.kill(tiny.pids[-1], signal.SIGTERM)
        await until(lambda: any("no luck today" in line for line in tiny.said))
        (tmp_path / "broken").unlink()
        await until(lambda: "tiny runs again" in tiny.said)
    assert len([line for line in tiny.said if "no luck today" in line]) == 1
    assert all("\n" not in line for line in tiny.said)


async def test_a_first_start_that_fails_is_an_error(tmp_path: Path) -> None:
    tiny = Tiny(tmp_path)
    (tmp_path / "broken").touch()
    with pytest.raises(NotStarted, match="no luck today"):
        async with tiny.kept():
            pytest.fail("it does not run")


async def test_leaving_while_it_is_away_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restarts, "FIRST_PAUSE", 60)
    monkeypatch.setattr(restarts, "LONGEST_PAUSE", 60)
    tiny = Tiny(tmp_path)
    async with tiny.kept():
        os.kill(tiny.pids[-1], signal.SIGKILL)
        await until(lambda: bool(tiny.said))
    assert len(tiny.pids) == 1
