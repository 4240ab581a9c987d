"""The process: uvicorn around an ASGI app, ended by a signal with exit code 0."""

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import structlog
import uvicorn

from chassis.process import logging as logs
from chassis.process.settings import Settings

# How long a stop waits for requests to be answered before it cancels them: longer than a request
# waits for the answer to a command.
REQUEST_SECONDS = 6

# What is said over WebSockets is not heard.
LONGEST_HEARD = 4096

log = structlog.get_logger(__name__)

_failed = False
_stopping: list[Callable[[], object]] = []


class _Server(uvicorn.Server):
    """A server that a signal stops in order, however often it comes, with exit code 0."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True
        for tell in _stopping:
            tell()


def run(
    app: Any, service: str, settings: Settings, http: type[asyncio.Protocol] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT. The exit code is 0 then, else 1 or uvicorn's own.

    `http`: what speaks HTTP, when it is not to be uvicorn's own.
    """
    logs.configure(service, settings.log_level)
    # What is loaded by now stays; young objects are looked through less often.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    server = _Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.listen_port,
            http=http or "auto",
            lifespan="on",
            loop="uvloop",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=REQUEST_SECONDS,
            timeout_keep_alive=75,
            ws_max_size=LONGEST_HEARD,
        )
    )
    server.run()
    failed = _failed or not server.started or getattr(server.lifespan, "error_occured", False)
    sys.exit(1 if failed else 0)


@contextlib.contextmanager
def on_stop(call: Callable[[], object]) -> Iterator[None]:
    """Call back on the event loop as soon as a signal asks for the stop.

    Long before the lifespan ends: that waits for what is being answered, so an answer without an
    end has to learn of it here.
    """
    tell = partial(asyncio.get_running_loop().call_soon_threadsafe, call)
    _stopping.append(tell)
    try:
        yield
    finally:
        _stopping.remove(tell)


def stop_if_failed(task: asyncio.Task[None]) -> None:
    """End the process when a background task ended by itself; it is started anew then.

    Also when it was cancelled: who ends a task in order takes this callback off it before.
    """
    global _failed  # noqa: PLW0603 - the process has one exit code
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    if error is None:
        return
    log.critical("background_task_failed", exc_info=error)
    _failed = True
    os.kill(os.getpid(), signal.SIGTERM)
