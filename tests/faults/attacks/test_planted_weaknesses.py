"""What guards against two attacks notices when the weakness is planted again."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis.process.http_protocol import GuardedHttp
from services.gateway.commands.imports.csv_workers import CsvWorkers
from services.gateway.leads.rows import Rows, rows_of
from tests.chassis.process.http_server import CHUNKED, serving
from tests.services.gateway.loop_threads import all_threads_taken

FILE = b"name,email\nAnn,ann@example.com\n"
SECONDS = 10


@pytest.fixture
async def workers() -> AsyncIterator[CsvWorkers]:
    workers = CsvWorkers()
    yield workers
    await workers.close()


async def trailers_are_counted() -> None:
    """Assert that a request with many trailers is refused."""
    async with serving() as served:
        peer = await served.connect()
        await peer.send(CHUNKED + b"0\r\n" + b"trailer: x\r\n" * 5000 + b"\r\n")
        status = await peer.reader.readline()
        peer.writer.close()
    assert b" 431 " in status


async def files_need_none_of_the_loop_s_threads(workers: CsvWorkers) -> None:
    """Assert that a file is read although all threads that the loop shares are taken."""
    async with all_threads_taken(), asyncio.timeout(SECONDS):
        assert await workers.read(FILE) == rows_of(FILE)


async def test_trailers_uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    await trailers_are_counted()
    # As uvicorn does it.
    monkeypatch.setattr(GuardedHttp, "on_header", HttpToolsProtocol.on_header)
    monkeypatch.setattr(GuardedHttp, "_count_overhead", lambda *_: None)
    with pytest.raises(AssertionError):
        await trailers_are_counted()


async def test_files_parsed_in_the_shared_pool(
    monkeypatch: pytest.MonkeyPatch, workers: CsvWorkers
) -> None:
    await files_need_none_of_the_loop_s_threads(workers)

    async def read(self: CsvWorkers, content: bytes) -> Rows:
        return await asyncio.to_thread(rows_of, content)

    monkeypatch.setattr(CsvWorkers, "read", read)
    monkeypatch.setitem(globals(), "SECONDS", 0.5)
    with pytest.raises(TimeoutError):
        await files_need_none_of_the_loop_s_threads(workers)
