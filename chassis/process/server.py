"""The process: uvicorn serves an ASGI app until a signal; then the exit code is 0.

Metrics have a port of their own. Both ports hold all connections to the same limits.
"""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import structlog
import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from chassis.observability import tracing
from chassis.observability.series import announce_build
from chassis.process.connections import Connections
from chassis.process.http_protocol import KEEP_ALIVE_SECONDS, guarded_http
from chassis.process.logging import configure_logging
from chassis.process.metrics import metrics_app
from chassis.process.settings import Settings
from chassis.start.exit_codes import ExitCode, StartError, end

# How long a stop waits for requests to be answered before it cancels them: longer than a request
# waits for the answer to a command.
REQUEST_SECONDS = 6

# What clients send over WebSockets is not read.
LONGEST_MESSAGE = 4096
BACKLOG = 2048

log = structlog.get_logger(__name__)

_failure: BaseException | None = None
_stopping: list[Callable[[], object]] = []


class _Server(uvicorn.Server):
    """A server that signals, however many, stop in order, with exit code 0."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings
        proxies = ProxyHeadersMiddleware(config.app, config.forwarded_allow_ips)  # type: ignore[arg-type]
        self._connections = Connections(settings, proxies.trusted_hosts.__contains__)
        self._http = config.http = guarded_http(self._connections, settings.max_header_bytes)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._connections.start()
        await super().startup(sockets)
        if self.started and self._settings.metrics_port:
            await self._serve_metrics()

    async def _serve_metrics(self) -> None:
        host, port = self._settings.host, self._settings.metrics_port
        config = uvicorn.Config(
            metrics_app, http=self._http, ws="none", log_config=None, access_log=False
        )

        def protocol() -> asyncio.Protocol:
            return self._http(config, self.server_state, {})

        try:
            server = await asyncio.get_running_loop().create_server(protocol, host, port)
        except OSError as error:
            fail(_unusable("METRICS_PORT", host, port, error))
            return
        self.servers.append(server)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True
        for callback in _stopping:
            callback()


def run(
    app: Any, service: str, settings: Settings, ws: type[asyncio.Protocol] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; then the exit code is 0, else that of what went wrong.

    `ws`: the protocol class that speaks WebSocket; without one nothing does.
    """
    configure_logging(service, settings.log_level)
    announce_build(service)
    try:
        tracing.configure(service)
    except ImportError as error:
        line = f"{tracing.ENDPOINTS[0]}: {error.name} is missing; install realtoros[tracing]"
        end(StartError(ExitCode.WRONG_SETTING, line))
    # What is loaded by now stays; new objects are collected less often.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    server = _Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.listen_port,
            ws=ws or "none",
            lifespan="on",
            loop="uvloop",
            log_config=None,
            access_log=False,
            server_header=False,
            # Without it uvicorn would trust whatever connects from this machine.
            forwarded_allow_ips=settings.forwarded_allow_ips or "",
            timeout_graceful_shutdown=REQUEST_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            ws_max_size=LONGEST_MESSAGE,
        ),
        settings,
    )
    try:
        server.run([_listener(settings)])
    except StartError as error:
        end(error)
    tracing.close()
    if isinstance(_failure, StartError):
        end(_failure)
    failed = _failure or not server.started or getattr(server.lifespan, "error_occured", False)
    sys.exit(ExitCode.FAILED if failed else ExitCode.STOPPED)


def _listener(settings: Settings) -> socket.socket:
    """Return the socket that the service listens on. Raises StartError."""
    host, port = settings.host, settings.listen_port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise _unusable(settings.listen_port_name, host, port, error) from error


def _unusable(setting: str, host: str, port: int, error: OSError) -> StartError:
    number = error.errno or 0
    # Python adds its own words to the system's.
    cause = os.strerror(number) if number > 0 else error.strerror
    line = f"{setting}: {host}:{port}: {cause}; free the port, or set another, or another HOST"
    return StartError(ExitCode.WRONG_SETTING, line)


@contextlib.contextmanager
def on_stop(call: Callable[[], object]) -> Iterator[None]:
    """Call back on the event loop as soon as a signal asks for the stop.

    The lifespan ends much later, after all responses: one without an end has to be ended here.
    """
    callback = partial(asyncio.get_running_loop().call_soon_threadsafe, call)
    _stopping.append(callback)
    try:
        yield
    finally:
        _stopping.remove(callback)


def stop_if_failed(task: asyncio.Task[None]) -> None:
    """End the process, so that it is started again, when a background task has failed.

    Also when it was cancelled: an orderly end removes this callback first.
    """
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    if error is None:
        return
    fail(error)


def fail(error: BaseException) -> None:
    """Stop the process in order, then end it as the first such error says."""
    global _failure  # noqa: PLW0603 - the process has one exit code
    _failure = _failure or error
    if not isinstance(error, StartError):
        log.critical("background_task_failed", exc_info=error)
    os.kill(os.getpid(), signal.SIGTERM)
