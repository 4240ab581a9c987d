"""The HTTP server that all fake providers share: plain ASGI, to use little CPU."""

import argparse
import asyncio
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from pydantic import ValidationError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ops.servers.ports import LOOPBACK
from tests.providers.faults import Fault, Faults
from tests.providers.ledger import Ledger

Scope = MutableMapping[str, Any]
_KEEP_ALIVE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """The response; `entry` goes into the ledger, for accepted requests only."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    entry: dict[str, Any] | None = None


# What a provider does with a request: path, parsed body, the next number, the fault in force.
Handle = Callable[[str, Any, int, Fault], Answer]
# The provider's own shape of an error: status and text.
Refuse = Callable[[int, str], Answer]


class Provider:
    """A fake provider as an ASGI application."""

    def __init__(self, handle: Handle, refuse: Refuse, ledger: Ledger, delay: float) -> None:
        self._handle = handle
        self._refuse = refuse
        self._ledger = ledger
        self._delay = delay
        self._faults = Faults()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer one HTTP request."""
        body = await _body(receive)
        if scope["path"].startswith("/_"):
            await _send(send, self._control(scope["method"], scope["path"], body))
            return
        fault = self._faults.next(body)
        answer = self._answer(scope, body, fault)
        if answer.entry is not None:
            self._ledger.write({**answer.entry, "fault": fault.name})
        if delay := self._delay + fault.delay:
            await asyncio.sleep(delay)
        if fault.drop:
            await _hang_up(scope, receive)
        elif fault.truncated is True:
            await _send(send, answer, truncated=True)
            await _hang_up(scope, receive)
        else:
            await _send(send, answer)

    def _answer(self, scope: Scope, body: bytes, fault: Fault) -> Answer:
        if fault.status is not None:
            refusal = self._refuse(fault.status, "injected by the test")
            text = refusal.body if fault.body is None else orjson.dumps(fault.body)
            return Answer(fault.status, text, dict(fault.headers))
        if not fault.accepts:
            return Answer(503)
        if not _has_key(scope):
            return self._refuse(401, "no API key in an Authorization header of type Bearer")
        if scope["method"] != "POST":
            return self._refuse(405, "only POST is served")
        try:
            request = orjson.loads(body)
        except orjson.JSONDecodeError:
            return self._refuse(400, "the body is not JSON")
        return self._handle(scope["path"], request, self._ledger.count + 1, fault)

    def _control(self, method: str, path: str, body: bytes) -> Answer:
        match method, path:
            case "GET", "/_ledger":
                return Answer(200, orjson.dumps({"count": self._ledger.count}))
            case "PUT", "/_faults":
                try:
                    self._faults.replace(body)
                except ValidationError as error:
                    return Answer(422, str(error).encode())
                return Answer(200)
            case "DELETE", "/_faults":
                self._faults.clear()
                return Answer(200)
            case _:
                return Answer(404)


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, plus what ASGI lacks: closing the connection midway."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["hang_up"] = self.transport.close  # type: ignore[typeddict-unknown-key]


def serve(name: str, handle: Handle, refuse: Refuse) -> None:
    """Serve the provider with the command line's options, until SIGTERM."""
    parser = argparse.ArgumentParser(prog=f"tests.providers.{name}")
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    options = parser.parse_args()
    provider = Provider(handle, refuse, Ledger(options.ledger), options.delay_ms / 1000)
    uvicorn.run(
        provider,
        host=options.host,
        port=options.port,
        loop="uvloop",
        http=_Protocol,
        lifespan="off",
        interface="asgi3",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )


def _has_key(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return bool(value[:7].lower() == b"bearer " and value[7:].strip())
    return False


async def _body(receive: Any) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


async def _send(send: Any, answer: Answer, *, truncated: bool = False) -> None:
    # Cut short, an answer without a body must promise one to be noticed.
    length = len(answer.body) or (2 if truncated else 0)
    headers = [(b"content-length", str(length).encode())]
    headers += [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    if answer.body and "content-type" not in answer.headers:
        headers.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = answer.body[: len(answer.body) // 2] if truncated else answer.body
    await send({"type": "http.response.body", "body": body, "more_body": truncated})


async def _hang_up(scope: Scope, receive: Any) -> None:
    scope["hang_up"]()
    while (await receive())["type"] != "http.disconnect":
        pass
