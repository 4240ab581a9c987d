"""A request is the first span of the trace of each command that it sends."""

import time
from typing import TYPE_CHECKING

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from chassis.observability import tracing

if TYPE_CHECKING:
    from uuid import UUID

_SERVER_ERROR = 500


def traced(app: ASGIApp) -> ASGIApp:
    """Record requests that send commands, by OpenTelemetry's conventions for HTTP."""

    async def record(scope: Scope, receive: Receive, send: Send) -> None:
        if not tracing.is_on() or scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        began, status = time.time_ns(), 0
        commands: list[UUID] = []
        token = tracing.sent_by_request.set(commands)

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, note_status)
        finally:
            tracing.sent_by_request.reset(token)
            route = scope["path_template"]
            for command_id in commands:
                tracing.record(
                    f"{scope['method']} {route}",
                    "server",
                    trace=command_id,
                    id=tracing.handling_of(command_id, " request"),
                    parent=None,
                    began=began,
                    attributes={
                        "http.request.method": scope["method"],
                        "http.route": route,
                        "http.response.status_code": status,
                        "url.scheme": scope["scheme"],
                    },
                    error=str(status) if status >= _SERVER_ERROR else None,
                )

    return record
