"""Refusals of callers who ask too often, not at once."""

import asyncio

from litestar.status_codes import HTTP_429_TOO_MANY_REQUESTS
from litestar.types import ASGIApp, Message, Receive, Scope, Send

REFUSAL_SECONDS = 0.5


def slow_refusals(app: ASGIApp) -> ASGIApp:
    """Let a caller who asks too often wait for the refusal: asking again at once gains nothing."""

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_slowly(message: Message) -> None:
            too_many = message["type"] == "http.response.start" and (
                message["status"] == HTTP_429_TOO_MANY_REQUESTS
            )
            if too_many:
                await asyncio.sleep(REFUSAL_SECONDS)
            await send(message)

        await app(scope, receive, send_slowly)

    return slow
