"""An ASGI app that is served from the first moment: live while it starts, ready afterwards."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from chassis.process import server
from chassis.process.health import Health, Running, answer

# How long a stop waits for a start that it has cancelled.
CANCEL_SECONDS = 3

App = Callable[..., Awaitable[None]]
_NOT_STARTED = {"status": 503, "title": "Service Unavailable", "detail": "starting; try again"}


class Hosting:
    """Serves `app` once `running` is entered; before, health only. A failed start ends the process.

    Liveness so never depends on Kafka or MongoDB, nor on how long reconciliation takes.
    """

    def __init__(self, app: App, health: Health, running: Running) -> None:
        self._app = app
        self._health = health
        self._running = running
        self._started = False
        self._stop = asyncio.Event()
        health.checks["start"] = self._check

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Serve a connection, or the process's lifespan."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._started or (scope["type"] == "http" and scope["path"].startswith("/health/")):
            app = self._app if self._started else health_app(self._health)
            await app(scope, receive, send)
        elif scope["type"] == "http":
            await _respond(send, 503, _NOT_STARTED, (b"retry-after", b"1"))
        else:
            await send({"type": "websocket.close", "code": 1013})

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        running = asyncio.create_task(self._run())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._stop.set()
        if not self._started:
            running.cancel()
        await asyncio.wait({running}, timeout=None if self._started else CANCEL_SECONDS)
        await send({"type": "lifespan.shutdown.complete"})

    async def _run(self) -> None:
        try:
            async with self._running():
                self._started = True
                await self._stop.wait()
        except Exception as error:  # noqa: BLE001 - whatever it is, the process ends with it
            server.fail(error)

    async def _check(self) -> str | None:
        return None if self._started else "starting"


def health_app(health: Health) -> App:
    """Return an ASGI app that serves /health/live and /health/ready."""

    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        await _respond(send, *await answer(health, scope["path"]))

    return app


async def _respond(
    send: Any, status: int, body: dict[str, Any], *headers: tuple[bytes, bytes]
) -> None:
    kind = b"application/problem+json" if headers else b"application/json"
    fields = [(b"content-type", kind), *headers]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
