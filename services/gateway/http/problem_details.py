"""Errors as RFC 9457 problem+json; what is wrong with the request is named field by field."""

import asyncio
import math
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, ValidationException
from litestar.status_codes import (
    HTTP_400_BAD_REQUEST,
    HTTP_401_UNAUTHORIZED,
    HTTP_403_FORBIDDEN,
    HTTP_404_NOT_FOUND,
    HTTP_409_CONFLICT,
    HTTP_412_PRECONDITION_FAILED,
    HTTP_422_UNPROCESSABLE_ENTITY,
    HTTP_429_TOO_MANY_REQUESTS,
    HTTP_500_INTERNAL_SERVER_ERROR,
    HTTP_503_SERVICE_UNAVAILABLE,
)
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from pydantic import BaseModel
from pymongo.errors import PyMongoError

from services.gateway.accounts.authentication import ADMIN_ONLY
from services.gateway.errors import (
    EmailTaken,
    FieldError,
    ForgedWebhook,
    IdempotencyKeyReused,
    InvalidCredentials,
    Rejected,
    StillRunning,
    TooManyRequests,
    Unavailable,
)
from services.gateway.http.idempotency import HEADER

log = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 5
# What the owner names when a command was decided for another version than there is.
IF_VERSION = "if_version"
STATUS_OF = {
    "not_found": HTTP_404_NOT_FOUND,
    "conflict": HTTP_409_CONFLICT,
    "invalid": HTTP_422_UNPROCESSABLE_ENTITY,
}
TITLES = {
    400: "Bad request",
    401: "Not logged in",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid request",
    429: "Too many requests",
    431: "Headers too large",
    500: "Internal error",
    503: "Unavailable",
}


class Problem(BaseModel):
    """RFC 9457, with `errors` for each field that is wrong."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


def problem(
    status: int,
    detail: str,
    errors: list[FieldError] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[Any]:
    """Make the answer."""
    body = Problem(
        title=TITLES.get(status, "Error"), status=status, detail=detail, errors=errors or []
    )
    return Response(
        body.model_dump(),
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )


def on_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Answer what Litestar refuses."""
    if isinstance(error, ValidationException):
        found = error.extra if isinstance(error.extra, list) else []
        errors = [
            FieldError(
                field=str(e.get("key") or "body"), reason=str(e.get("message", "is invalid"))
            )
            for e in found
        ]
        return problem(
            HTTP_422_UNPROCESSABLE_ENTITY,
            "; ".join(f"{e.field}: {e.reason}" for e in errors) or error.detail,
            errors,
        )
    if error.status_code == HTTP_400_BAD_REQUEST:
        return problem(
            HTTP_422_UNPROCESSABLE_ENTITY,
            "body: is not valid JSON",
            [FieldError(field="body", reason="is not valid JSON")],
        )
    headers = dict(error.headers or {})
    if error.status_code == HTTP_401_UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(error.status_code, error.detail, headers=headers)


def on_not_recognised(request: Request[Any, Any, Any], error: InvalidCredentials) -> Response[Any]:
    """Answer 401, the same whatever was wrong."""
    headers = {"WWW-Authenticate": "Bearer"}
    return problem(HTTP_401_UNAUTHORIZED, "that is not right; nothing more is said", None, headers)


def on_taken(request: Request[Any, Any, Any], error: EmailTaken) -> Response[Any]:
    """Answer 409 to a registration under an email that has an account."""
    reason = "there is an account with this email"
    return problem(HTTP_409_CONFLICT, reason, [FieldError(field="email", reason=reason)])


def on_too_many(request: Request[Any, Any, Any], error: TooManyRequests) -> Response[Any]:
    """Answer 429 with the seconds to wait."""
    headers = {"Retry-After": str(max(1, math.ceil(error.seconds)))}
    return problem(HTTP_429_TOO_MANY_REQUESTS, "too often; please wait", None, headers)


def on_reused(request: Request[Any, Any, Any], error: IdempotencyKeyReused) -> Response[Any]:
    """Answer 422 to a key that was used for another request."""
    reason = "was used for another request"
    errors = [FieldError(field=HEADER, reason=reason)]
    return problem(HTTP_422_UNPROCESSABLE_ENTITY, f"{HEADER} {reason}", errors)


def on_rejected(request: Request[Any, Any, Any], error: Rejected) -> Response[Any]:
    """Answer what the owner of the data refuses."""
    answer = error.answer
    if answer.field == IF_VERSION:
        return problem(HTTP_412_PRECONDITION_FAILED, "it was changed meanwhile: read it again")
    errors = [FieldError(field=answer.field, reason=answer.reason)] if answer.field else []
    return problem(STATUS_OF[answer.kind], answer.reason, errors)


def on_still_running(request: Request[Any, Any, Any], error: StillRunning) -> Response[Any]:
    """Answer 202 with the place where the outcome will stand."""
    # What an admin orders for an agent is that agent's command.
    commands = "/api/admin/commands" if ADMIN_ONLY in request.route_handler.opt else "/api/commands"
    location = f"{commands}/{error.command_id}"
    return Response(
        {"status": "pending", "command_id": str(error.command_id)},
        status_code=202,
        headers={"Location": location},
    )


def on_away(request: Request[Any, Any, Any], error: BaseException) -> Response[Any]:
    """Answer 503 when Kafka or MongoDB is away, or this process about to be."""
    log.warning("dependency_away", error=type(error).__name__)
    return problem(
        HTTP_503_SERVICE_UNAVAILABLE,
        "a part of the system is away; nothing is lost, please try again",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def answered_when_stopped(app: ASGIApp) -> ASGIApp:
    """Answer 503 where a stop cancels a request that is still waiting.

    What has begun to be answered, as streams have, cannot be answered otherwise any more.
    """

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        begun = scope["type"] != ScopeType.HTTP

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await app(scope, receive, noted)
        except asyncio.CancelledError as error:
            if begun:
                raise
            request: Request[Any, Any, Any] = Request(scope, receive, send)
            answer = on_away(request, error).to_asgi_response(scope["litestar_app"], request)
            await answer(scope, receive, send)

    return answered


def on_too_deep(request: Request[Any, Any, Any], error: RecursionError) -> Response[Any]:
    """Answer 422 for JSON that is nested too deep to be read."""
    return problem(
        HTTP_422_UNPROCESSABLE_ENTITY,
        "body: is nested too deep",
        [FieldError(field="body", reason="is nested too deep")],
    )


def on_bug(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer 500 without a word about the inside."""
    log.error("request_failed", path=request.url.path, exc_info=error)
    return problem(HTTP_500_INTERNAL_SERVER_ERROR, "something went wrong here")


def on_forged(request: Request[Any, Any, Any], error: ForgedWebhook) -> Response[Any]:
    """Answer 403 to a webhook that is not signed by the provider."""
    log.warning("webhook_forged", error=str(error))
    return problem(HTTP_403_FORBIDDEN, "the signature is missing or wrong")


HANDLERS: dict[Any, Any] = {
    HTTPException: on_http,
    Rejected: on_rejected,
    InvalidCredentials: on_not_recognised,
    EmailTaken: on_taken,
    TooManyRequests: on_too_many,
    IdempotencyKeyReused: on_reused,
    StillRunning: on_still_running,
    Unavailable: on_away,
    TimeoutError: on_away,
    ForgedWebhook: on_forged,
    KafkaError: on_away,
    PyMongoError: on_away,
    RecursionError: on_too_deep,
    Exception: on_bug,
}
