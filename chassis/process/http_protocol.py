"""HTTP/1.1 with limits on all that a peer may send or leave out, which uvicorn has not."""

import json
import math
from asyncio import BaseTransport, Transport
from enum import Enum, auto
from typing import ClassVar, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis.process.connections import Connection, Connections
from chassis.process.metrics import count_refusal

MAX_FIELDS = 100
# Requests on one connection that wait for the one before them.
MAX_PIPELINED = 16
# A chunk of one byte has five more around it.
FRAMING_PER_BYTE = 8
KEEP_ALIVE_SECONDS = 75
# How long, and how much, a peer that is refused may go on sending: so it gets to read the answer.
LINGER_SECONDS, LINGER_BYTES = 2, 262_144

_TITLES = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class _Reading(Enum):
    """What of a request is being read."""

    NOTHING = auto()
    HEAD = auto()
    BODY = auto()


class _Refused(Exception):
    """Ends the parsing; `_refusal` says why."""


class GuardedHttp(HttpToolsProtocol):
    """Counts all bytes and fields of a request, after its head too, and the seconds between them.

    - Head and trailers together have at most `max_head` bytes and `MAX_FIELDS` fields. Trailers are
      not passed on (RFC 9110, 6.5.1).
    - The framing of a chunked body has at most `FRAMING_PER_BYTE` bytes for each of the body, and
      `max_head` besides.
    - The head has to come in `guard.span` seconds from its first byte, or from the opening of
      the connection; the body at `guard.rate` bytes a second in each such span.
    """

    guard: ClassVar[Connections]
    max_head: ClassVar[int]

    _connection: Connection | None = None
    _reading = _Reading.NOTHING
    # Status and reason. Not an exception: that would hold on to what was parsed, and to itself.
    _refusal: tuple[int, str] | None = None
    _is_refused = False
    _after_refusal = 0
    # Of this request: fields of head and trailers, and their bytes.
    _fields = 0
    _field_bytes = 0
    # What came and is neither body nor counted as fields, less what the body pays for.
    _overhead = 0
    # Bytes of the body in what is being parsed, and in this span of time.
    _parsed_body = 0
    _span_body = 0
    # Whether a part of a request ended in what is being parsed: what follows is of another part.
    _part_ended = False

    def connection_made(self, transport: BaseTransport) -> None:
        """Admit the connection, or refuse it at once."""
        super().connection_made(cast("Transport", transport))
        host = self.client[0] if self.client else ""
        self._connection = self.guard.open(self.transport, host, self._overdue)
        if self._connection is None:
            self._is_refused = True
            self.transport.write(_response(503, retry_after=5))
            self.transport.close()
        else:
            self._due_in(self.guard.span)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._connection is not None:
            self.guard.closed(self._connection)
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """Go on: the peer has read most of what was sent."""
        super().resume_writing()
        if self._connection is not None:
            self._connection.was_read(self.loop.time())

    def data_received(self, data: bytes) -> None:
        """Parse what came, and count what it was."""
        if self._is_refused:
            self._after_refusal += len(data)
            if self._after_refusal > LINGER_BYTES:
                self.transport.abort()
            return
        self._unset_keepalive_if_required()
        if self._reading is _Reading.NOTHING:
            self._begin_head()
        self._parsed_body, self._part_ended = 0, False
        try:
            self.parser.feed_data(data)
            self._count_overhead(len(data))
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self._due_in(math.inf)
                if self._connection is not None:
                    self.guard.busy(self._connection)
                self.handle_websocket_upgrade()
        except (httptools.HttpParserError, _Refused):
            self._refuse(*(self._refusal or (400, "not_http")))

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._begin_head()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the request's target."""
        self._count_fields(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a field of the head or the trailers."""
        self._fields += 1
        if self._fields > MAX_FIELDS:
            raise self._refused(431, "too_many_fields")
        self._count_fields(len(name) + len(value))
        if self._reading is _Reading.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin the body."""
        if len(self.pipeline) >= MAX_PIPELINED:
            raise self._refused(400, "pipelined")
        self._reading = _Reading.BODY
        self._overhead, self._part_ended = 0, True
        self._span_body = 0
        self._due_in(self.guard.span)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count bytes of the body."""
        self._parsed_body += len(body)
        self._span_body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request: the time until its response is the application's."""
        self._reading = _Reading.NOTHING
        self._part_ended = True
        self._due_in(math.inf)
        super().on_message_complete()
        self._wait_for_next()

    def on_response_complete(self) -> None:
        """Wait for the next request; for the rest of this one's body, if it was not read, not long.

        Nobody reads that rest, so its rate says nothing.
        """
        super().on_response_complete()
        if self._reading is _Reading.BODY and not self.pipeline:
            self._due_in(self.guard.span)
        self._wait_for_next()

    def timeout_keep_alive_handler(self) -> None:
        """Do nothing: `_wait_for_next` has set the time."""

    def _begin_head(self) -> None:
        self._reading = _Reading.HEAD
        self._fields = self._field_bytes = self._overhead = 0
        if self._connection is not None:
            self.guard.busy(self._connection)
        self._due_in(self.guard.span)

    def _wait_for_next(self) -> None:
        """Be idle if no request is read or answered."""
        answered = self.cycle is None or self.cycle.response_complete
        if self._reading is _Reading.NOTHING and answered and not self.pipeline:
            self._due_in(KEEP_ALIVE_SECONDS)
            if self._connection is not None:
                self.guard.idle(self._connection)

    def _count_fields(self, size: int) -> None:
        self._field_bytes += size
        if self._field_bytes > self.max_head:
            raise self._refused(431, "head_too_large")

    def _count_overhead(self, size: int) -> None:
        """Count what came after the last part that is whole: nothing of it may have no end."""
        if self._reading is _Reading.NOTHING or self._part_ended:
            return
        paid = self._parsed_body * (1 + FRAMING_PER_BYTE)
        self._overhead = max(0, self._overhead + size - paid)
        if self._overhead > self.max_head:
            raise self._refused(431, "head_too_large")

    def _due_in(self, seconds: float) -> None:
        if self._connection is not None:
            self._connection.due = self.loop.time() + seconds

    def _overdue(self) -> None:
        """Close the connection that did not go on in time."""
        answered = self.cycle is None or self.cycle.response_complete
        match self._reading:
            case _Reading.HEAD:
                self._refuse(408, "slow_head")
            case _Reading.BODY if not answered and self._may_go_on():
                self._span_body = 0
                self._due_in(self.guard.span)
            case _Reading.BODY:
                self._refuse(408, "slow_body")
            case _ if self.cycle is None:
                count_refusal("silent_connection")
                self.transport.abort()
            case _:
                self.transport.close()

    def _may_go_on(self) -> bool:
        """Return whether the body comes fast enough, or it is not the peer who is slow."""
        paused = self.flow.read_paused or self.cycle.waiting_for_100_continue
        return paused or self._span_body >= self.guard.rate * self.guard.span

    def _refused(self, status: int, reason: str) -> _Refused:
        self._refusal = status, reason
        return _Refused()

    def _refuse(self, status: int, reason: str) -> None:
        """Answer, if no answer has begun, and close."""
        self._is_refused = True
        count_refusal(reason)
        if self.transport.is_closing() or not self._is_next_to_be_answered():
            self.transport.abort()
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.write(_response(status))
        # What is on its way would, on a closed socket, take the answer away from the peer.
        self.transport.write_eof()
        self.flow.resume_reading()
        if self._connection is not None:
            self._connection.overdue = self.transport.abort
            self._due_in(LINGER_SECONDS)

    def _is_next_to_be_answered(self) -> bool:
        """Return whether an answer now would be that of the request that is being read."""
        if self.pipeline:
            return False
        if self._reading is _Reading.BODY:
            return not self.cycle.response_started
        return self.cycle is None or self.cycle.response_complete


def guarded_http(connections: Connections, max_head: int) -> type[GuardedHttp]:
    """Return the protocol class with these limits."""
    return type("Http", (GuardedHttp,), {"guard": connections, "max_head": max_head})


def _response(status: int, retry_after: int | None = None) -> bytes:
    """Return a response with a problem of no further type (RFC 9457)."""
    retry = f"retry-after: {retry_after}\r\n" if retry_after else ""
    body = json.dumps({"type": "about:blank", "title": _TITLES[status], "status": status})
    return (
        f"HTTP/1.1 {status} {_TITLES[status]}\r\n{retry}"
        f"content-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
        f"connection: close\r\n\r\n{body}"
    ).encode()
