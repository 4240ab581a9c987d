"""CSV files are read in other processes, whatever becomes of these or of who waits for them."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.gateway.commands.imports import csv_workers
from services.gateway.commands.imports.csv_workers import MAX_REUSED_BYTES, MAX_WORKERS, CsvWorkers
from services.gateway.errors import Unavailable
from services.gateway.leads.charsets import Unreadable
from services.gateway.leads.rows import Rows, rows_of
from tests.chassis.waiting import until
from tests.services.gateway.loop_threads import all_threads_taken

SECONDS = 30
FILE = 'name,email,notes\nAnn,ann@example.com,"Zoë\n=x"\n,nowhere,\nBob,bob@example.com,\n'.encode()


@pytest.fixture
async def workers() -> AsyncIterator[CsvWorkers]:
    running = CsvWorkers()
    try:
        async with asyncio.timeout(SECONDS):
            yield running
    finally:
        await running.close()


async def one_idle(workers: CsvWorkers) -> Process:
    """Let a worker be there; return it."""
    await workers.read(FILE)
    [process] = workers._idle
    return process


async def stuck(workers: CsvWorkers) -> tuple[Process, asyncio.Task[Rows]]:
    """Return a worker that does not go on, and a task that has begun to wait for it."""
    process = await one_idle(workers)
    process.send_signal(signal.SIGSTOP)
    reading = asyncio.create_task(workers.read(FILE))
    while workers._idle:
        await asyncio.sleep(0)
    return process, reading


async def replaced(workers: CsvWorkers, process: Process) -> None:
    """Assert that the worker has been killed, and that the next file is read."""
    assert process.returncode == -signal.SIGKILL
    assert await workers.read(FILE) == rows_of(FILE)


def environment_of(process: Process) -> list[bytes]:
    return Path(f"/proc/{process.pid}/environ").read_bytes().rstrip(b"\0").split(b"\0")


async def test_a_file_is_read_as_it_is_here_and_the_worker_used_again(workers: CsvWorkers) -> None:
    first = await one_idle(workers)
    rows = await workers.read(FILE, charset="utf-8")
    assert rows == rows_of(FILE, "utf-8")
    assert [line for line, *_ in rows.clients + rows.refused] == [2, 5, 4]
    with pytest.raises(Unreadable, match="no column for an email"):
        await workers.read(b"name,phone\nAnn,1\n")
    with pytest.raises(Unreadable, match=r"martian.* is not known here"):
        await workers.read(FILE, charset="martian")
    assert await one_idle(workers) is first


async def test_files_wait_for_one_of_two_workers(
    workers: CsvWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Process] = []
    start = csv_workers._start

    async def noted() -> Process:
        started.append(await start())
        return started[-1]

    monkeypatch.setattr(csv_workers, "_start", noted)
    every = await asyncio.gather(*(workers.read(FILE) for _ in range(10)))
    assert every == [rows_of(FILE)] * 10
    assert len(started) == MAX_WORKERS


async def test_a_worker_that_has_grown_is_not_used_again(workers: CsvWorkers) -> None:
    first = await one_idle(workers)
    await workers.read(FILE + b" " * MAX_REUSED_BYTES)
    assert first.returncode is not None
    assert not workers._idle


async def test_a_killed_worker_costs_one_caller_a_503(workers: CsvWorkers) -> None:
    process, reading = await stuck(workers)
    process.kill()
    with pytest.raises(Unavailable):
        await reading
    await replaced(workers, process)


async def test_a_worker_that_was_killed_meanwhile_costs_nobody_anything(
    workers: CsvWorkers,
) -> None:
    process = await one_idle(workers)
    process.kill()
    await process.wait()
    assert await workers.read(FILE) == rows_of(FILE)


async def test_a_stuck_worker_is_replaced(
    workers: CsvWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = await one_idle(workers)
    process.send_signal(signal.SIGSTOP)
    with monkeypatch.context() as patched:
        patched.setattr(csv_workers, "DEADLINE_SECONDS", 0.01)
        with pytest.raises(Unavailable):
            await workers.read(FILE)
    await replaced(workers, process)


async def test_an_idle_worker_ends_and_another_reads_the_next_file(
    workers: CsvWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_workers, "IDLE_SECONDS", 0.05)
    process = await one_idle(workers)
    await until(lambda: process.returncode is not None)
    assert workers._idle == []
    assert await workers.read(FILE) == rows_of(FILE)


async def test_a_worker_ends_with_its_caller(workers: CsvWorkers) -> None:
    process, reading = await stuck(workers)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await replaced(workers, process)


async def test_reading_needs_none_of_the_loop_s_threads(workers: CsvWorkers) -> None:
    async with all_threads_taken():
        assert await workers.read(FILE) == rows_of(FILE)


async def test_no_worker_is_left_after_the_end(workers: CsvWorkers) -> None:
    await asyncio.gather(*(workers.read(FILE) for _ in range(2)))
    idle = list(workers._idle)
    assert idle
    await workers.close()
    assert all(process.returncode is not None for process in idle)


async def test_a_worker_ends_by_itself_when_the_gateway_is_gone(workers: CsvWorkers) -> None:
    process = await one_idle(workers)
    assert process.stdin
    process.stdin.close()
    assert await process.wait() == 0


async def test_a_worker_has_no_secrets_and_its_own_session(
    workers: CsvWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_KEYS", "secret")
    process = await one_idle(workers)
    environment = environment_of(process)
    assert [entry.partition(b"=")[0] for entry in environment] == [b"PYTHONPATH"]
    assert os.getsid(process.pid) == process.pid
