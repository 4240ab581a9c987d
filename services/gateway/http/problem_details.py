"""Errors as problem details (RFC 9457), with what is wrong with the request field by field."""

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

from chassis.observability.series import at_zero
from chassis.process.metrics import REFUSALS, count_refusal
from services.gateway.errors import (
    CommandPending,
    Conflict,
    EmailTaken,
    FieldError,
    IdempotencyKeyReused,
    InvalidCredentials,
    InvalidField,
    InvalidWebhookSignature,
    Rejected,
    SecondFactorRequired,
    TooManyRequests,
    Unavailable,
)
from services.gateway.http.idempotency import HEADER
from services.gateway.markers import ADMIN_ONLY

log = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 5
SECOND_FACTOR_REQUIRED = "second_factor_required"
# The field of a rejection because the stream is at another version than the command requires.
IF_VERSION = "if_version"
NOT_FOUND = "no resource with this id exists, or you have no access to it"
CHANGED = "the resource has changed since it was read: get it again, then repeat the change"
STATUS_OF = {
    "not_found": HTTP_404_NOT_FOUND,
    "conflict": HTTP_409_CONFLICT,
    "invalid": HTTP_422_UNPROCESSABLE_ENTITY,
}
TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Precondition failed",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Unprocessable content",
    429: "Too many requests",
    431: "Request header fields too large",
    500: "Internal server error",
    503: "Service unavailable",
}


class Problem(BaseModel):
    """Problem details (RFC 9457), with an entry in `errors` for each field that is wrong.

    `code` tells apart what a client has to react to: `second_factor_required`.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str | None = None
    errors: list[FieldError] = []


def problem(
    status: int,
    detail: str,
    errors: list[FieldError] | None = None,
    headers: dict[str, str] | None = None,
    code: str | None = None,
) -> Response[Any]:
    """Return the response."""
    title = TITLES.get(status, "Error")
    body = Problem(title=title, status=status, detail=detail, code=code, errors=errors or [])
    return Response(
        body.model_dump(exclude_none=True),
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Respond to what Litestar or a route refuses."""
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


def on_invalid_credentials(
    request: Request[Any, Any, Any], error: InvalidCredentials
) -> Response[Any]:
    """Respond with 401, the same whatever was wrong."""
    headers = {"WWW-Authenticate": "Bearer"}
    return problem(HTTP_401_UNAUTHORIZED, "Invalid credentials", None, headers)


def on_second_factor_required(
    request: Request[Any, Any, Any], error: SecondFactorRequired
) -> Response[Any]:
    """Respond with 401 and a code that says that the password was right."""
    errors = [FieldError(field="code", reason=error.reason)]
    headers = {"WWW-Authenticate": "Bearer"}
    detail, code = f"code: {error.reason}", SECOND_FACTOR_REQUIRED
    return problem(HTTP_401_UNAUTHORIZED, detail, errors, headers, code)


def on_invalid_field(request: Request[Any, Any, Any], error: InvalidField) -> Response[Any]:
    """Respond with 422 to a value that does not go with what is stored."""
    errors = [FieldError(field=error.field, reason=error.reason)]
    return problem(HTTP_422_UNPROCESSABLE_ENTITY, f"{error.field}: {error.reason}", errors)


def on_conflict(request: Request[Any, Any, Any], error: Conflict) -> Response[Any]:
    """Respond with 409 and what to do first."""
    return problem(HTTP_409_CONFLICT, str(error))


def on_email_taken(request: Request[Any, Any, Any], error: EmailTaken) -> Response[Any]:
    """Respond with 409 to a registration under an email that has an account."""
    reason = "an account with this email exists already: use another email"
    return problem(HTTP_409_CONFLICT, reason, [FieldError(field="email", reason=reason)])


def on_too_many_requests(request: Request[Any, Any, Any], error: TooManyRequests) -> Response[Any]:
    """Respond with 429 and the seconds to wait."""
    count_refusal("too_many_requests")
    seconds = str(max(1, math.ceil(error.seconds)))
    detail = f"{error.reason}: try again in {seconds} s"
    return problem(HTTP_429_TOO_MANY_REQUESTS, detail, headers={"Retry-After": seconds})


def on_idempotency_key_reused(
    request: Request[Any, Any, Any], error: IdempotencyKeyReused
) -> Response[Any]:
    """Respond with 422 to a key that was used for another request."""
    reason = "was used for another request: send a new key"
    errors = [FieldError(field=HEADER, reason=reason)]
    return problem(HTTP_422_UNPROCESSABLE_ENTITY, f"{HEADER} {reason}", errors)


def on_rejected(request: Request[Any, Any, Any], error: Rejected) -> Response[Any]:
    """Respond to what the owner of the data rejects."""
    reply = error.reply
    if reply.field == IF_VERSION:
        return problem(HTTP_412_PRECONDITION_FAILED, CHANGED)
    errors = [FieldError(field=reply.field, reason=reply.reason)] if reply.field else []
    return problem(STATUS_OF[reply.kind], reply.reason, errors)


def on_command_pending(request: Request[Any, Any, Any], error: CommandPending) -> Response[Any]:
    """Respond with 202 and the address where the outcome will be."""
    # A command that an admin sends for an agent is that agent's.
    commands = "/api/admin/commands" if ADMIN_ONLY in request.route_handler.opt else "/api/commands"
    location = f"{commands}/{error.command_id}"
    return Response(
        {"status": "pending", "command_id": str(error.command_id)},
        status_code=202,
        headers={"Location": location},
    )


def on_unavailable(request: Request[Any, Any, Any], error: BaseException) -> Response[Any]:
    """Respond with 503 when Kafka or MongoDB is unreachable, or this process is stopping."""
    count_refusal(f"unavailable: {type(error).__name__}")
    return problem(
        HTTP_503_SERVICE_UNAVAILABLE,
        f"a dependency is unavailable; no data is lost: try again in {RETRY_AFTER_SECONDS} s",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def unavailable_when_stopped(app: ASGIApp) -> ASGIApp:
    """Respond with 503 where a stop cancels a request whose response has not begun."""

    async def cancellable(scope: Scope, receive: Receive, send: Send) -> None:
        begun = scope["type"] != ScopeType.HTTP

        async def send_first(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await app(scope, receive, send_first)
        except asyncio.CancelledError as error:
            if begun:
                raise
            request: Request[Any, Any, Any] = Request(scope, receive, send)
            response = on_unavailable(request, error).to_asgi_response(
                scope["litestar_app"], request
            )
            await response(scope, receive, send)

    return cancellable


def on_too_deep(request: Request[Any, Any, Any], error: RecursionError) -> Response[Any]:
    """Respond with 422 to JSON that is nested too deeply to be parsed."""
    return problem(
        HTTP_422_UNPROCESSABLE_ENTITY,
        "body: is nested too deeply",
        [FieldError(field="body", reason="is nested too deeply")],
    )


def on_bug(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Respond with 500 and disclose nothing; the log has the error."""
    # Not the path itself: it may hold a token.
    log.error("request_failed", path=request.scope.get("path_template"), exc_info=error)
    return problem(
        HTTP_500_INTERNAL_SERVER_ERROR,
        "an unexpected error occurred and was logged: try again, or report it with the time of day",
    )


def on_invalid_webhook_signature(
    request: Request[Any, Any, Any], error: InvalidWebhookSignature
) -> Response[Any]:
    """Respond with 403 to a webhook request that the provider has not signed."""
    count_refusal("webhook_forged")
    return problem(HTTP_403_FORBIDDEN, "the signature is missing or invalid")


at_zero(REFUSALS, ("too_many_requests", "webhook_forged"))

HANDLERS: dict[Any, Any] = {
    HTTPException: on_http_exception,
    Rejected: on_rejected,
    InvalidCredentials: on_invalid_credentials,
    SecondFactorRequired: on_second_factor_required,
    InvalidField: on_invalid_field,
    Conflict: on_conflict,
    EmailTaken: on_email_taken,
    TooManyRequests: on_too_many_requests,
    IdempotencyKeyReused: on_idempotency_key_reused,
    CommandPending: on_command_pending,
    Unavailable: on_unavailable,
    TimeoutError: on_unavailable,
    InvalidWebhookSignature: on_invalid_webhook_signature,
    KafkaError: on_unavailable,
    PyMongoError: on_unavailable,
    RecursionError: on_too_deep,
    Exception: on_bug,
}
