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

_DESCRIPTION = """Server-sent events; `/api/ws` tells the same over a WebSocket.

Event `hello` comes first. `timeline` has a TimelineEntry as data. `reset` says that what was missed
is not known any more: fetch the lists anew. Each has an id to go on from (`Last-Event-ID`), without
gap or repeat. A comment every 15 s when nothing happens.
"""

Socket = WebSocket[Caller, Any, Any]
Header = HeaderParameter(name="Last-Event-ID", description="the id of the last event that was got")
Query = Parameter(description="the same, where no header can be set; the header goes before it")


@get(
    "/api/events",
    media_type="text/event-stream",
    tags=["live"],
    summary="What happens, as it happens",
    description=_DESCRIPTION,
)
async def events(
    request: ApiRequest,
    resumed_from: Annotated[str | None, Header] = None,
    last_event_id: Annotated[str | None, Query] = None,
) -> Stream:
    """Tell what happens to the agent's clients as it happens (server-sent events)."""
    api = context_of(request)
    await api.feed.opened(request.user.agent_id)
    told = _events(api, request.user, resumed_from or last_event_id or None)
    return Stream(told, media_type="text/event-stream", headers=_HEADERS)


async def _events(api: ApiContext, caller: Caller, last: str | None) -> AsyncIterator[str]:
    with api.feed.listening(caller.agent_id) as listener:
        async for told in live(api.feed, caller, listener, last, api.gate.is_valid):
            yield told.as_event()


@websocket("/api/ws")
async def ws(socket: Socket, last_event_id: str | None = None) -> None:
    """Tell the same as `/api/events`, each as a JSON text; what the client says is not heard."""
    api: ApiContext = socket.app.state.api
    offered = socket.scope["subprotocols"]
    await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    with api.feed.listening(socket.user.agent_id) as listener:
        leaving = asyncio.create_task(_until_left(socket, listener))
        # uvicorn says so when somebody has left in the middle.
        with contextlib.suppress(OSError):
            try:
                await api.feed.opened(socket.user.agent_id)
                async for told in live(
                    api.feed, socket.user, listener, last_event_id or None, api.gate.is_valid
                ):
                    await socket.send_text(told.as_json())
            except (Unavailable, TooManyRequests):
                listener.end(CloseCode.TOO_SLOW)
            finally:
                await cancel_and_wait([leaving])
            if listener.ended is not CloseCode.LEFT:
                await socket.close(listener.ended or CloseCode.TOO_SLOW)


async def _until_left(socket: Socket, listener: Listener) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    listener.end(CloseCode.LEFT)
