"""Idempotency-Key: a POST that is sent again is done once, and answered the same.

As the IETF's draft-ietf-httpapi-idempotency-key-header says. What is asked is stored before it is
done, with the id of its command; so one that was done but not answered is not done again either.
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
from services.gateway.accounts.authentication import PUBLIC, SESSION_ONLY
from services.gateway.accounts.documents import IdempotencyDocument
from services.gateway.errors import IdempotencyKeyReused

HEADER = "Idempotency-Key"
REPLAYED = b"idempotency-replayed"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_COMMAND_ID = "command_id"
# Which answers are final; after any other, the same request is tried again.
_PASSING = (408, 425, 429)
_ACCEPTED = 202
# Larger answers are not stored: a document of MongoDB's holds 16 MB, and these are kept for a day.
MOST_STORED = 1024 * 1024
_SERVER_ERRORS = 500


def command_id_of(request: Request[Any, Any, Any]) -> UUID:
    """Give the id for the request's command: the same whenever the request is sent again."""
    return cast("UUID", request.state.get(_COMMAND_ID) or uuid4())


class IdempotencyMiddleware:
    """The middleware. It stands behind the gate: keys are the calling agent's."""

    def __init__(self, database: Database) -> None:
        self._asked = database[IdempotencyDocument.Settings.name]

    def __call__(self, app: ASGIApp) -> ASGIApp:
        """Stand before an application."""

        async def answered(scope: Scope, receive: Receive, send: Send) -> None:
            request: Request[Any, Any, Any] = Request(scope, receive, send)
            key = request.headers.get(HEADER)
            if key is None or request.method != "POST" or not _may_be_kept(request):
                await app(scope, receive, send)
                return
            if not _KEY.fullmatch(key):
                wrong = {"key": HEADER, "message": "has to be 1 to 255 visible ASCII characters"}
                raise ValidationException(extra=[wrong])
            id_ = f"{request.user.agent_id}:{key}"
            known = await self._ask(id_, await _digest(request))
            if answer := known.get("answer"):
                await _send(send, answer)
                return
            request.state[_COMMAND_ID] = known["command_id"]
            messages: list[Message] = []

            async def keep(message: Message) -> None:
                messages.append(message)

            await app(scope, receive, keep)
            if answer := _final(messages):
                await self._keep(id_, answer)
            for message in messages:
                await send(message)

        return answered

    async def _ask(self, id_: str, digest: bytes) -> Raw:
        """Store what is asked, or find that it was asked before. Raises IdempotencyKeyReused."""
        document = {"request": digest, "command_id": uuid4(), "created_at": datetime.now(UTC)}
        found: Raw | None = await self._asked.find_one_and_update(
            {"_id": id_},
            {"$setOnInsert": document},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        if found is None or found["request"] != digest:
            raise IdempotencyKeyReused
        return found

    async def _keep(self, id_: str, answer: Raw) -> None:
        await self._asked.update_one({"_id": id_}, {"$set": {"answer": answer}})


async def _digest(request: Request[Any, Any, Any]) -> bytes:
    target = f"{request.url.path}?{request.url.query}\n"
    return hashlib.sha256(target.encode() + await request.body()).digest()


def _may_be_kept(request: Request[Any, Any, Any]) -> bool:
    """Tell whether the answer may be stored: none of those that hold tokens or keys."""
    opt = request.route_handler.opt
    return PUBLIC not in opt and SESSION_ONLY not in opt


def _final(messages: list[Message]) -> Raw | None:
    """Give what is to be stored of an answer, or None when the request may be tried again.

    An answer too large to be stored is made again then, from commands with the same ids.
    """
    start: Any = messages[0]
    status = start["status"]
    if status in _PASSING or status == _ACCEPTED or status >= _SERVER_ERRORS:
        return None
    body = b"".join(cast("Any", message).get("body", b"") for message in messages[1:])
    if len(body) > MOST_STORED:
        return None
    return {"status": status, "headers": list(start["headers"]), "body": body}


async def _send(send: Send, answer: Raw) -> None:
    headers = [(bytes(name), bytes(value)) for name, value in answer["headers"]]
    headers.append((REPLAYED, b"true"))
    await send({"type": "http.response.start", "status": answer["status"], "headers": headers})
    await send({"type": "http.response.body", "body": answer["body"], "more_body": False})
