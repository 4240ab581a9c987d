"""Who asks too often waits for the refusal; nobody else waits."""

import asyncio
from typing import Any

import pytest

from services.gateway.http.slow_refusals import REFUSAL_SECONDS, slow_refusals


@pytest.mark.parametrize(("status", "waits"), [(200, []), (403, []), (429, [REFUSAL_SECONDS])])
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
