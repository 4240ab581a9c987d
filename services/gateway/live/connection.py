"""What one connection is told: what it missed, then all that happens, until it ends."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import structlog
from pymongo.errors import PyMongoError

from chassis.mongo.change_stream import ResumeTokenLost, is_token
from chassis.mongo.client import run_to_completion
from services.gateway.accounts.caller import Caller
from services.gateway.live.feed import Feed
from services.gateway.live.listener import CloseCode, Listener, LiveMessage

HEARTBEAT_SECONDS = 15

# Tells whether a caller who was let in still would be.
IsValid = Callable[[Caller], Coroutine[Any, Any, bool]]

log = structlog.get_logger(__name__)


async def live(
    feed: Feed, caller: Caller, listener: Listener, last: str | None, is_valid: IsValid
) -> AsyncIterator[LiveMessage]:
    """Tell everything after `last`, in order and once; without it, from now on.

    What is told both by the listener and as missed is known by its place. Ends with the caller's
    credentials, or when the listener ends.
    """
    now = feed.position
    reached = max(now, last or now)
    yield LiveMessage("hello", last if last and is_token(last) else now)
    if last:
        try:
            async for told in _missed(feed, listener, last, now):
                yield told
        except ResumeTokenLost:
            reached = now
            yield LiveMessage("reset", now)
        except PyMongoError as error:
            # It comes again, with the last id that it has got.
            log.warning("missed_unknown", error=type(error).__name__)
            return
    async for told in _happening(feed, caller, listener, reached, is_valid):
        yield told


async def _missed(
    feed: Feed, listener: Listener, after: str, until: str
) -> AsyncIterator[LiveMessage]:
    """Tell what happened between two places, before what the listener has."""
    while listener.ended is None:
        missed, after = await run_to_completion(feed.missed(listener.agent_id, after, until))
        for told in missed:
            yield told
        if after >= until:
            return


async def _happening(
    feed: Feed, caller: Caller, listener: Listener, reached: str, is_valid: IsValid
) -> AsyncIterator[LiveMessage]:
    """Tell what the listener gets from a place on; ask now and then whether it still may."""
    clock = asyncio.get_running_loop().time
    look_at = clock() + HEARTBEAT_SECONDS
    while listener.ended is None:
        seconds = look_at - clock()
        if caller.until:
            seconds = min(seconds, (caller.until - datetime.now(UTC)).total_seconds())
        if seconds <= 0:
            if not await _still(is_valid, caller):
                listener.end(CloseCode.NO_LONGER_VALID)
                return
            if listener.has_all:
                yield LiveMessage("heartbeat", max(reached, feed.position))
            look_at = clock() + HEARTBEAT_SECONDS
        elif (told := await listener.next(seconds)) and (told.kind == "reset" or told.id > reached):
            reached = told.id
            yield told


async def _still(is_valid: IsValid, caller: Caller) -> bool:
    if caller.until and caller.until <= datetime.now(UTC):
        return False
    try:
        return await run_to_completion(is_valid(caller))
    except PyMongoError:
        # Nobody can tell now, and nothing happens either.
        return True
