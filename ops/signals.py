"""Ending on Ctrl-C or SIGTERM without a second one breaking the first one's tidying up."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def until_signalled(main: Coroutine[Any, Any, T], say: Callable[[str], None]) -> T | None:
    """Run `main` and give what it gives, or None when a signal ended it.

    The first signal cancels it; further ones are let pass while it tidies up, since the servers'
    data must not suffer from an impatient hand.
    """
    task = asyncio.create_task(main)
    signalled = False

    def stop() -> None:
        nonlocal signalled
        if not signalled:
            say("Stopping …")
            task.cancel()
        else:
            say("Still stopping; what is under way is being finished …")
        signalled = True

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if signalled:
            return None
        raise
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
