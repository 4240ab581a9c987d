"""Stopping on Ctrl-C or SIGTERM, cleanly even if it is repeated, and with the parent process."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# From linux/prctl.h.
_PR_SET_PDEATHSIG = 1
# Loaded here, since loading is not safe between fork and exec in a process with threads.
_LIBC = ctypes.CDLL(None)


async def until_signalled(main: Coroutine[Any, Any, T], say: Callable[[str], None]) -> T | None:
    """Run `main` and return its result, or None when a signal ended it.

    The first signal cancels it; further ones are ignored while it cleans up, since an impatient
    second Ctrl-C must not damage the servers' data.
    """
    task = asyncio.create_task(main)
    signalled = False

    def stop() -> None:
        nonlocal signalled
        if not signalled:
            say("Stopping …")
            task.cancel()
        else:
            say("Still stopping; waiting for work in progress to finish …")
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


def follow_parent(parent: int, number: signal.Signals = signal.SIGTERM) -> bool:
    """Have this process signalled when its parent dies, however that happens (Linux only).

    Return False when the parent is dead already: it is not the process `parent`.
    """
    if sys.platform != "linux":
        return True
    _LIBC.prctl(_PR_SET_PDEATHSIG, number)
    return os.getppid() == parent


def describe_exit(code: int) -> str:
    """Describe how a process ended; a negative `code` is a signal, as in subprocess."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
