"""Refusals of callers who ask too often, not at once."""

import asyncio

from litestar.status_codes import HTTP_429_TOO_MANY_REQUESTS
from litestar.types import ASGIApp, Message, Receive, Scope, Send

FIRST_SECONDS, LONGEST_SECONDS = 0.5, 5.0
# How many refusals go out in a second, whoever asks and on however many connections.
REFUSALS_PER_SECOND = 50


def slow_refusals(app: ASGIApp) -> ASGIApp:
    """Let a caller who asks too often wait for the refusal: asking again at once gains nothing.

    The more refusals wait, the longer each one does.
    """
    waiting = 0

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_slowly(message: Message) -> None:
            nonlocal waiting
            too_many = message["type"] == "http.response.start" and (
                message["status"] == HTTP_429_TOO_MANY_REQUESTS
            )
            if too_many:
                seconds = min(LONGEST_SECONDS, FIRST_SECONDS + waiting / REFUSALS_PER_SECOND)
                waiting += 1
                try:
                    await asyncio.sleep(seconds)
                finally:
                    waiting -= 1
            await send(message)

        await app(scope, receive, send_slowly)

    return slow
