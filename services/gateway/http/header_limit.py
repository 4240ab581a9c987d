"""HTTP/1.1 with a limit on the head of a request, which uvicorn's fast parser has not."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_ANSWER = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


def limited(most: int) -> type[asyncio.Protocol]:
    """Make the protocol: a request line and headers of more bytes are answered 431 (RFC 6585)."""

    class Limited(HttpToolsProtocol):
        _in_head = False
        _head = 0

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            # One that is whole is counted field by field; until then, what came of it is.
            self._head += len(data) if self._in_head else 0
            if self._head > most and not self.transport.is_closing():
                self.send_400_response("")

        def on_message_begin(self) -> None:
            self._in_head, self._head = True, 0
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self._in_head = False
            self._head = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if self._head > most:
                raise ValueError("the head is too large")
            super().on_headers_complete()

        def send_400_response(self, msg: str) -> None:
            if self._head <= most:
                super().send_400_response(msg)
                return
            self.transport.write(_ANSWER)
            self.transport.close()

    return Limited
