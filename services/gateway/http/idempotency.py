"""Idempotency-Key: a POST that is sent again is done once, and gets the same response.

As draft-ietf-httpapi-idempotency-key-header says. A request is stored before it is done, with the
id of its command; so one that was done but not answered is not done again either.
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID, uuid4

from litestar import Request
from litestar.exceptions import ValidationException
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from pymongo import ReturnDocument

from chassis.mongo.client import Database, Raw
from services.gateway.accounts.documents import IdempotencyDocument
from services.gateway.errors import IdempotencyKeyReused, TooManyRequests
from services.gateway.http.idempotency_share import (
    DOCUMENT_BYTES,
    MAX_STORED_BYTES,
    IdempotencyShare,
)
from services.gateway.markers import NO_STORE, PUBLIC

HEADER = "Idempotency-Key"
REPLAYED = b"idempotency-replayed"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_COMMAND_ID = "command_id"
_CLIENT_ID = re.compile(rb'"(?:client_id|_id)":"([0-9a-f-]{36})"')
# After these, as after 202 and 5xx, the same request is tried again; all other responses are final.
_RETRIABLE = (408, 425, 429)
_ACCEPTED = 202
_REDIRECTIONS = 300
_SERVER_ERRORS = 500


def command_id_of(request: Request[Any, Any, Any]) -> UUID:
    """Return the id for the request's command: the same whenever the request is sent again."""
    return cast("UUID", request.state.get(_COMMAND_ID) or uuid4())


class IdempotencyMiddleware:
    """The middleware. It stands behind authentication: keys are the calling agent's."""

    def __init__(self, database: Database) -> None:
        self._requests = database[IdempotencyDocument.Settings.name]
        self._share = IdempotencyShare(database)

    def __call__(self, app: ASGIApp) -> ASGIApp:
        """Wrap an application."""

        async def idempotent(scope: Scope, receive: Receive, send: Send) -> None:
            request: Request[Any, Any, Any] = Request(scope, receive, send)
            key = request.headers.get(HEADER)
            if key is None or request.method != "POST" or not _may_be_stored(request):
                await app(scope, receive, send)
                return
            if not _KEY.fullmatch(key):
                wrong = {"key": HEADER, "message": "has to be 1 to 255 visible ASCII characters"}
                raise ValidationException(extra=[wrong])
            agent_id = request.user.agent_id
            id_ = f"{agent_id}:{key}"
            known = await self._claim(id_, agent_id, await _digest(request))
            if response := known.get("answer"):
                await _replay(send, response)
                return
            request.state[_COMMAND_ID] = known["command_id"]
            messages: list[Message] = []

            async def collect(message: Message) -> None:
                messages.append(message)

            await app(scope, receive, collect)
            if response := final_response(messages):
                await self._store_response(id_, agent_id, response)
            for message in messages:
                await send(message)

        return idempotent

    async def _claim(self, id_: str, agent_id: UUID, digest: bytes) -> Raw:
        """Store the request, or find it stored. Raises IdempotencyKeyReused, TooManyRequests."""
        found: Raw | None
        try:
            await self._share.check(agent_id)
        except TooManyRequests:
            found = await self._requests.find_one({"_id": id_})
            if found is None:
                raise
        else:
            found = await self._insert(id_, agent_id, digest)
        if found["request"] != digest:
            raise IdempotencyKeyReused
        return found

    async def _insert(self, id_: str, agent_id: UUID, digest: bytes) -> Raw:
        command_id = uuid4()
        document = {
            "agent_id": agent_id,
            "request": digest,
            "command_id": command_id,
            "created_at": datetime.now(UTC),
            "size": DOCUMENT_BYTES,
        }
        found = cast(
            "Raw",
            await self._requests.find_one_and_update(
                {"_id": id_},
                {"$setOnInsert": document},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            ),
        )
        if found["command_id"] == command_id:
            self._share.take(agent_id, DOCUMENT_BYTES)
        return found

    async def _store_response(self, id_: str, agent_id: UUID, response: Raw) -> None:
        size = size_of(response)
        # Without room the response is made again then, from commands with the same ids.
        if self._share.take(agent_id, size):
            # A refusal holds none of a client's texts.
            body = response["body"] if response["status"] < _REDIRECTIONS else b""
            about = [match.decode() for match in set(_CLIENT_ID.findall(body))]
            change = {"answer": response, "size": DOCUMENT_BYTES + size, "about": about}
            await self._requests.update_one({"_id": id_}, {"$set": change})


async def forget_responses(database: Database, agent_id: UUID, client_id: UUID) -> None:
    """Delete the stored responses about a client, who is deleted with all texts.

    If such a request is sent again, its response is made again, from commands with the same ids.
    """
    await database[IdempotencyDocument.Settings.name].update_many(
        {"agent_id": agent_id, "about": str(client_id)}, {"$unset": {"answer": "", "about": ""}}
    )


async def _digest(request: Request[Any, Any, Any]) -> bytes:
    target = f"{request.url.path}?{request.url.query}\n"
    return hashlib.sha256(target.encode() + await request.body()).digest()


def _may_be_stored(request: Request[Any, Any, Any]) -> bool:
    opt = request.route_handler.opt
    # Keys belong to agents, and without credentials there is none.
    return PUBLIC not in opt and NO_STORE not in opt


def final_response(messages: list[Message]) -> Raw | None:
    """Return what is stored of a response, or None when the request may be tried again.

    A response too large to be stored is made again then, from commands with the same ids.
    """
    start: Any = messages[0]
    status = start["status"]
    if status in _RETRIABLE or status == _ACCEPTED or status >= _SERVER_ERRORS:
        return None
    body = b"".join(cast("Any", message).get("body", b"") for message in messages[1:])
    response = {"status": status, "headers": list(start["headers"]), "body": body}
    return response if size_of(response) <= MAX_STORED_BYTES else None


def size_of(response: Raw) -> int:
    """Return how many bytes a response has, its headers included."""
    fields = sum(len(name) + len(value) for name, value in response["headers"])
    return fields + len(response["body"])


async def _replay(send: Send, response: Raw) -> None:
    headers = [(bytes(name), bytes(value)) for name, value in response["headers"]]
    headers.append((REPLAYED, b"true"))
    await send({"type": "http.response.start", "status": response["status"], "headers": headers})
    await send({"type": "http.response.body", "body": response["body"], "more_body": False})
