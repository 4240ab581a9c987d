"""HTTP over real sockets: what a peer may send, leave out and hold open."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from chassis.process import connections
from chassis.process.http_protocol import MAX_FIELDS, MAX_PIPELINED
from tests.chassis.process.http_server import CHUNKED, GET, Served, refusals, refused, serving
from tests.chassis.waiting import until


@pytest.fixture(autouse=True)
def _checked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CHECK_SECONDS", 0.05)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as served:
        yield served


async def test_requests_on_one_connection_are_answered_one_after_another(served: Served) -> None:
    peer = await served.connect()
    for _ in range(3):
        await peer.send(GET)
        assert (await peer.response()).startswith(b"HTTP/1.1 200 ")
    # Two at a time, and a head in two pieces that begins in the middle of what is parsed at once.
    one = b"POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 1500\r\n\r\n" + b"b" * 1500
    await peer.send(one + one + one[:20])
    await peer.response()
    await peer.response()
    await peer.send(one[20:])
    await peer.response()
    assert served.bodies == [b"b" * 1500] * 3
    peer.writer.close()


@pytest.mark.parametrize(
    ("first", "endless"),
    [
        (b"GET / HTTP/1.1\r\nx-long: ", b"y" * 100),
        (b"GET /", b"y" * 100),
        (b"GET / HTTP/1.1\r\n", b"x-short: 1\r\n"),
        (CHUNKED + b"0\r\n", b"trailer: x\r\n"),
        (CHUNKED + b"1\r\nx\r\n0\r\ntrailer: ", b"y" * 100),
        (CHUNKED + b"1;", b"y" * 100),
        (CHUNKED, b"1;extension=" + b"y" * 100 + b"\r\nx\r\n"),
        (CHUNKED + b"fff\r\n" + b"x" * 0xFFF + b"\r\n0\r\n", b"trailer: x\r\n"),
    ],
    ids=[
        *("one field", "the target", "many fields", "trailers", "one trailer"),
        *("one chunk extension", "chunk extensions", "trailers after a body"),
    ],
)
async def test_what_has_no_end_is_refused_and_the_connection_closed(
    served: Served, first: bytes, endless: bytes
) -> None:
    peer = await served.connect()
    await peer.send(first)
    answer = await peer.send_endlessly(endless)
    assert answer.startswith(b"HTTP/1.1 431 "), answer
    assert b"connection: close" in answer
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    title = "Request Header Fields Too Large"
    assert json.loads(body) == {"type": "about:blank", "title": title, "status": 431}


@pytest.mark.parametrize("where", ["head", "trailers"])
async def test_there_may_be_so_many_fields_and_no_more(served: Served, where: str) -> None:
    for more, status in ((0, b"200"), (1, b"431")):
        peer = await served.connect()
        head, ends = (b"GET / HTTP/1.1\r\n", b"\r\n") if where == "head" else (CHUNKED, b"\r\n")
        own = 0 if where == "head" else 2
        begun = head if where == "head" else head + b"0\r\n"
        await peer.send(begun + b"a: b\r\n" * (MAX_FIELDS - own + more) + ends)
        assert (await peer.reader.readuntil(b"\r\n")).split()[1] == status
        peer.writer.close()


async def test_trailers_do_not_become_headers(served: Served) -> None:
    peer = await served.connect()
    await peer.send(CHUNKED + b"2\r\nhi\r\n0\r\nauthorization: Bearer x\r\n\r\n")
    await peer.response()
    assert served.bodies == [b"hi"]
    assert b"authorization" not in dict(served.headers[0])
    peer.writer.close()


async def test_a_body_in_the_smallest_chunks_is_read(served: Served) -> None:
    peer = await served.connect()
    for _ in range(50):
        await peer.send(b"1\r\nx\r\n" * 100) if _ else await peer.send(CHUNKED)
    await peer.send(b"0\r\n\r\n")
    await peer.response()
    assert served.bodies == [b"x" * 4900]
    peer.writer.close()


async def test_requests_that_do_not_wait_for_answers_are_only_so_many(served: Served) -> None:
    with refused("pipelined"):
        peer = await served.connect()
        await peer.send(b"GET /hold HTTP/1.1\r\nhost: x\r\n\r\n" * (MAX_PIPELINED + 2))
        assert await peer.rest() == b""


@pytest.mark.parametrize(
    ("sent", "reason", "status"),
    [
        (b"", "silent_connection", b""),
        (b"GET / HTTP/1.1\r\nhost", "slow_head", b"408"),
        (b"\r\n", "slow_head", b"408"),
        (b"POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf", "slow_body", b"408"),
        (CHUNKED + b"0\r\nhalf: a trail", "slow_body", b"408"),
        # It has its answer, so there is none to the rest of its body.
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf", "slow_body", b"200"),
    ],
)
async def test_who_does_not_go_on_is_closed(
    served: Served, sent: bytes, reason: str, status: bytes
) -> None:
    with refused(reason):
        peer = await served.connect()
        await peer.send(sent)
        answer = await peer.rest()
    assert answer.split()[1:2] == ([status] if status else []), answer
    assert answer.count(b"HTTP/1.1 ") == bool(status)


@pytest.mark.parametrize("first", [b"GET /", CHUNKED], ids=["head", "body"])
async def test_who_goes_on_too_slowly_is_closed(served: Served, first: bytes) -> None:
    peer = await served.connect()
    await peer.send(first)
    drop = b"y" if first is not CHUNKED else b"1\r\nx\r\n"
    answer = await peer.send_endlessly(drop, pause=0.05)
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_comes_fast_enough_may_take_long(served: Served) -> None:
    peer = await served.connect()
    await peer.send(b"POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(20):
        await peer.send(b"x" * 50)
        await asyncio.sleep(0.05)
    assert (await peer.response()).startswith(b"HTTP/1.1 200 ")
    peer.writer.close()


async def test_who_waits_for_the_application_is_not_cut_off(served: Served) -> None:
    peer = await served.connect()
    # It is larger than what is read before the application asks for it.
    body = b"x" * 200_000
    await peer.send(b"POST /hold HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n" + body)
    asking = await served.connect()
    await asking.send(
        b"POST /hold HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
    )
    await asyncio.sleep(1)
    served.release.set()
    await peer.response()
    assert await asking.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await asking.send(b"hi")
    await asking.response()
    assert sorted(served.bodies) == [b"hi", body]
    peer.writer.close()
    asking.writer.close()


async def test_who_does_not_read_the_answer_is_closed(served: Served) -> None:
    before = refusals("slow_reader")
    peer = await served.connect()
    peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await peer.send(b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    await until(lambda: refusals("slow_reader") == before + 1)
    peer.writer.close()


async def test_what_is_not_http_is_answered_and_counted(served: Served) -> None:
    with refused("not_http"):
        peer = await served.connect()
        await peer.send(b"hello\r\n\r\n")
        assert (await peer.rest()).startswith(b"HTTP/1.1 400 ")


async def test_an_ordinary_client_notices_nothing(served: Served) -> None:
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{served.port}", trust_env=False
    ) as http:
        assert (await http.get("/")).text == "ok"
        assert len((await http.get("/large")).content) == 8_000_000
        assert (await http.post("/read", content=b"x" * 5000)).text == "ok"
