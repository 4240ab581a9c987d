"""The messages of one connection: what it missed, then what happens, until it ends."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import structlog
from pymongo.errors import PyMongoError

from chassis.mongo.change_stream import ResumeTokenLost, is_resume_token
from chassis.mongo.client import run_to_completion
from services.gateway.accounts.caller import Caller
from services.gateway.live.feed import Feed
from services.gateway.live.listener import CloseCode, Listener, LiveMessage

HEARTBEAT_SECONDS = 15

# Whether a caller's credentials are still valid.
IsValid = Callable[[Caller], Coroutine[Any, Any, bool]]

log = structlog.get_logger(__name__)


async def live(
    feed: Feed, caller: Caller, listener: Listener, last: str | None, is_valid: IsValid
) -> AsyncIterator[LiveMessage]:
    """Yield all messages after the position `last`, in order and once; without it, from now on.

    Positions tell which of the listener's messages were read as missed ones already. Ends with the
    caller's credentials, or when the listener ends.
    """
    now = feed.position
    reached = max(now, last or now)
    yield LiveMessage("hello", last if last and is_resume_token(last) else now)
    if last:
        try:
            async for message in _missed(feed, listener, last, now):
                yield message
        except ResumeTokenLost:
            reached = now
            yield LiveMessage("reset", now)
        except PyMongoError as error:
            # The client reconnects with the last id that it has received.
            log.warning("missed_unknown", error=type(error).__name__)
            return
    async for message in _happening(feed, caller, listener, reached, is_valid):
        yield message


async def _missed(
    feed: Feed, listener: Listener, after: str, until: str
) -> AsyncIterator[LiveMessage]:
    """Yield what happened between two positions, before the listener's messages."""
    while listener.ended is None:
        missed, after = await run_to_completion(feed.missed(listener.agent_id, after, until))
        for message in missed:
            yield message
        if after >= until:
            return


async def _happening(
    feed: Feed, caller: Caller, listener: Listener, reached: str, is_valid: IsValid
) -> AsyncIterator[LiveMessage]:
    """Yield the listener's messages after a position; check the credentials now and then."""
    clock = asyncio.get_running_loop().time
    check_at = clock() + HEARTBEAT_SECONDS
    while listener.ended is None:
        seconds = check_at - clock()
        if caller.expires_at:
            seconds = min(seconds, (caller.expires_at - datetime.now(UTC)).total_seconds())
        if seconds <= 0:
            if not await _still_valid(is_valid, caller):
                listener.end(CloseCode.NO_LONGER_VALID)
                return
            if listener.is_drained:
                yield LiveMessage("heartbeat", max(reached, feed.position))
            check_at = clock() + HEARTBEAT_SECONDS
        elif (message := await listener.next(seconds)) and (
            message.kind == "reset" or message.id > reached
        ):
            reached = message.id
            yield message


async def _still_valid(is_valid: IsValid, caller: Caller) -> bool:
    if caller.expires_at and caller.expires_at <= datetime.now(UTC):
        return False
    try:
        return await run_to_completion(is_valid(caller))
    except PyMongoError:
        # Unknown for now, and without MongoDB nothing is sent either.
        return True
