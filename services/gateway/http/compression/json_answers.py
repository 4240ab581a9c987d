"""JSON is compressed for callers who say that they take it so.

Not what is streamed (server-sent events, exports), nor what has a coding already, nor what holds a
secret: its length would tell of it where the same answer repeats what somebody else has chosen
(BREACH). Those routes have the marker NO_STORE.

By the lowest level of each: of a list of 50 KB, zstd makes 11 KB in 0.15 ms, gzip 14 KB in 0.35 ms.
Brotli takes 0.65 ms for 12 KB, and whoever takes it takes gzip.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import cramjam
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from services.gateway.http.compression.accept_encoding import best_coding
from services.gateway.markers import NO_STORE

# Below it, what is saved fits in the packet that is sent anyway.
MIN_BYTES: Final = 1024
_COMPRESS: Final[Mapping[str, Callable[[bytes], cramjam.Buffer]]] = {
    "zstd": partial(cramjam.zstd.compress, level=1),
    "gzip": partial(cramjam.gzip.compress, level=1),
}


def compressed(app: ASGIApp) -> ASGIApp:
    """Compress the answers of an application (a Litestar middleware)."""

    async def compressing(scope: Scope, receive: Receive, send: Send) -> None:
        coding = _coding(scope)
        if coding is None:
            await app(scope, receive, send)
            return
        waiting: HTTPResponseStartEvent | None = None

        async def send_compressed(message: Message) -> None:
            nonlocal waiting
            if message["type"] == "http.response.start" and _is_plain_json(message):
                # The head tells the length of a body that is still to come.
                waiting = message
                return
            if waiting is not None and message["type"] == "http.response.body":
                body = message["body"]
                if not message.get("more_body") and len(body) >= MIN_BYTES:
                    message["body"] = bytes(_COMPRESS[coding](body))
                    _describe(waiting, coding, len(message["body"]))
                await send(waiting)
                waiting = None
            await send(message)

        await app(scope, receive, send_compressed)

    return compressing


def _coding(scope: Scope) -> str | None:
    """Return how the answer may be compressed, None where it may not be."""
    if scope["type"] != ScopeType.HTTP or NO_STORE in scope["route_handler"].opt:
        return None
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            return best_coding(value.decode("latin-1"), _COMPRESS)
    return None


def _is_plain_json(start: HTTPResponseStartEvent) -> bool:
    headers = MutableScopeHeaders(start)
    return "json" in headers.get("content-type", "") and "content-encoding" not in headers


def _describe(start: HTTPResponseStartEvent, coding: str, length: int) -> None:
    headers = MutableScopeHeaders(start)
    headers["Content-Encoding"] = coding
    headers["Content-Length"] = str(length)
    headers.extend_header_value("Vary", "Accept-Encoding")
    # A strong tag would name the other bytes, too; this one means the same content.
    if (tag := headers.get("etag")) and not tag.startswith("W/"):
        headers["ETag"] = f"W/{tag}"
