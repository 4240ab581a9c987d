"""What a stop may still answer."""

import asyncio
from typing import Any

import pytest
from litestar.types import Message, Receive, Scope, Send

from services.gateway.http.problem_details import unavailable_when_stopped


async def nothing() -> Any:
    raise AssertionError


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_what_has_begun_to_be_answered_gets_no_second_answer(kind: str) -> None:
    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        if kind == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise asyncio.CancelledError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Any = {"type": kind}
    with pytest.raises(asyncio.CancelledError):
        await unavailable_when_stopped(stream)(scope, nothing, send)
    assert len(sent) == (kind == "http")
