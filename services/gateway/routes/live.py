"""Live updates: server-sent events, and a WebSocket with the same content."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import WebSocket, websocket
from litestar.params import HeaderParameter, Parameter
from litestar.response import Stream

from chassis.process.tasks import cancel_and_wait
from services.gateway.accounts.authentication import SUBPROTOCOL
from services.gateway.accounts.caller import Caller
from services.gateway.errors import TooManyRequests, Unavailable
from services.gateway.http.context import ApiContext, ApiRequest, context_of, get
from services.gateway.live.connection import live
from services.gateway.live.listener import CloseCode, Listener

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

_DESCRIPTION = """Server-sent events; `/api/ws` sends the same over a WebSocket.

Event `hello` comes first. `timeline` has a TimelineEntry as data. `reset` means that missed events
are no longer available: fetch the lists again. Each has an id to resume from (`Last-Event-ID`),
without gap or repeat. When nothing happens, a comment comes every 15 s.
"""

Socket = WebSocket[Caller, Any, Any]
Header = HeaderParameter(name="Last-Event-ID", description="the id of the last event received")
Query = Parameter(description="the same, where no header can be set; the header takes precedence")


@get(
    "/api/events",
    operation_id="streamEvents",
    media_type="text/event-stream",
    tags=["live"],
    summary="Send the timeline as it happens",
    description=_DESCRIPTION,
)
async def events(
    request: ApiRequest,
    resumed_from: Annotated[str | None, Header] = None,
    last_event_id: Annotated[str | None, Query] = None,
) -> Stream:
    """Send the agent's timeline as it happens (server-sent events)."""
    api = context_of(request)
    await api.feed.admit(request.user.agent_id)
    messages = _events(api, request.user, resumed_from or last_event_id or None)
    return Stream(messages, media_type="text/event-stream", headers=_HEADERS)


async def _events(api: ApiContext, caller: Caller, last: str | None) -> AsyncIterator[str]:
    # With too many admitted at the same moment it ends at once.
    with (
        contextlib.suppress(TooManyRequests),
        api.feed.listening(caller.agent_id) as listener,
    ):
        async for message in live(api.feed, caller, listener, last, api.authentication.is_valid):
            yield message.as_event()


@websocket("/api/ws")
async def ws(socket: Socket, last_event_id: str | None = None) -> None:
    """Send the same as `/api/events`, each as JSON; what the client sends is ignored."""
    api: ApiContext = socket.app.state.api
    offered = socket.scope["subprotocols"]
    await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    # uvicorn raises it when the client has disconnected.
    with contextlib.suppress(OSError):
        try:
            await api.feed.admit(socket.user.agent_id)
            with api.feed.listening(socket.user.agent_id) as listener:
                await _send(api, socket, listener, last_event_id or None)
        except (Unavailable, TooManyRequests):
            await socket.close(CloseCode.TOO_SLOW)


async def _send(api: ApiContext, socket: Socket, listener: Listener, last: str | None) -> None:
    leaving = asyncio.create_task(_until_left(socket, listener))
    try:
        async for message in live(
            api.feed, socket.user, listener, last, api.authentication.is_valid
        ):
            await socket.send_text(message.as_json())
    finally:
        await cancel_and_wait([leaving])
    if listener.ended is not CloseCode.LEFT:
        await socket.close(listener.ended or CloseCode.TOO_SLOW)


async def _until_left(socket: Socket, listener: Listener) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    listener.end(CloseCode.LEFT)
