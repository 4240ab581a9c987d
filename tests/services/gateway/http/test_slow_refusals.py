"""Who asks too often waits for the refusal; no other caller waits."""

import asyncio
from typing import Any

import pytest

from services.gateway.http.slow_refusals import FIRST_SECONDS, LONGEST_SECONDS, slow_refusals


@pytest.mark.parametrize(("status", "waits"), [(200, []), (403, []), (429, [FIRST_SECONDS])])
async def test_only_a_429_comes_later(
    monkeypatch: pytest.MonkeyPatch, status: int, waits: list[float]
) -> None:
    done: list[Any] = []

    async def sleep(seconds: float) -> None:
        done.append(seconds)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def send(message: Any) -> None:
        done.append(message["type"])

    monkeypatch.setattr(asyncio, "sleep", sleep)
    nothing: Any = None
    await slow_refusals(app)(nothing, nothing, send)
    assert done == [*waits, "http.response.start", "http.response.body"]


async def test_the_more_are_refused_the_longer_each_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    released = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await released.wait()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 429, "headers": []})

    async def send(message: Any) -> None: ...

    monkeypatch.setattr(asyncio, "sleep", sleep)
    nothing: Any = None
    refusing = slow_refusals(app)

    async def refuse() -> None:
        await refusing(nothing, nothing, send)

    refusals = [asyncio.create_task(refuse()) for _ in range(300)]
    while len(waits) < 300:
        await asyncio.wait(refusals, timeout=0.01)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (FIRST_SECONDS, LONGEST_SECONDS)
    released.set()
    await asyncio.gather(*refusals)
    await refuse()
    assert waits[-1] == FIRST_SECONDS
