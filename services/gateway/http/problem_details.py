"""Errors as problem details (RFC 9457), with what is wrong with the request field by field."""

import asyncio
import math
from typing import Any
from uuid import UUID

import structlog
from aiokafka.errors import KafkaError
from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, ValidationException
from litestar.status_codes import (
    HTTP_400_BAD_REQUEST,
    HTTP_401_UNAUTHORIZED,
)
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from pydantic import BaseModel, Field
from pymongo.errors import PyMongoError

from chassis.observability.series import at_zero
from chassis.process.metrics import REFUSALS, count_refusal
from services.gateway.errors import (
    CommandPending,
    Conflict,
    DuplicateEmail,
    EmailTaken,
    FieldError,
    IdempotencyKeyReused,
    InvalidCredentials,
    InvalidField,
    InvalidWebhookSignature,
    PreconditionRequired,
    Rejected,
    SecondFactorRequired,
    TooManyRequests,
    Unavailable,
)
from services.gateway.http import problem_types as types
from services.gateway.http.idempotency import HEADER
from services.gateway.http.problem_types import ProblemType
from services.gateway.markers import ADMIN_ONLY

log = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 5
# The field of a rejection because the stream is at another version than the command requires.
IF_VERSION = "if_version"
NOT_FOUND = "no resource with this id exists, or you have no access to it"
CHANGED = "the resource has changed since it was read: get it again, then repeat the change"
TYPE_OF = {
    "not_found": types.NOT_FOUND,
    "conflict": types.CONFLICT,
    "invalid": types.INVALID_REQUEST,
}


class Problem(BaseModel):
    """Problem details (RFC 9457), with an entry in `errors` for each field that is wrong.

    `code` is the name of the `type`, for programs; more of them may come. `client_id`: of a
    `duplicate_email`, the client that has the email.
    """

    type: str = Field(json_schema_extra={"format": "uri-reference"})
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] = []
    client_id: UUID | None = Field(default=None, exclude_if=lambda value: value is None)


def problem(
    type_: ProblemType | int,
    detail: str,
    errors: list[FieldError] | None = None,
    headers: dict[str, str] | None = None,
    client_id: UUID | None = None,
) -> Response[Any]:
    """Return the response; of a status alone, the type that stands for it."""
    if isinstance(type_, int):
        type_ = types.BY_STATUS.get(type_) or ProblemType("error", type_, "Error", "")
    body = Problem(
        type=type_.uri,
        title=type_.title,
        status=type_.status,
        detail=detail,
        code=type_.code,
        errors=errors or [],
        client_id=client_id,
    )
    return Response(
        body.model_dump(mode="json"),
        status_code=type_.status,
        media_type="application/problem+json",
        headers=headers,
    )


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Respond to what Litestar or a route refuses."""
    if isinstance(error, ValidationException):
        found = error.extra if isinstance(error.extra, list) else []
        # A parameter that is a word of Python's ends with "_" in its function.
        errors = [
            FieldError(
                field=str(e.get("key") or "body").removesuffix("_"),
                reason=str(e.get("message", "is invalid")),
            )
            for e in found
        ]
        return problem(
            types.INVALID_REQUEST,
            "; ".join(f"{e.field}: {e.reason}" for e in errors) or error.detail,
            errors,
        )
    if error.status_code == HTTP_400_BAD_REQUEST:
        return problem(
            types.INVALID_REQUEST,
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
    return problem(types.INVALID_CREDENTIALS, "Invalid credentials", None, headers)


def on_second_factor_required(
    request: Request[Any, Any, Any], error: SecondFactorRequired
) -> Response[Any]:
    """Respond with 401, of the type that says that the password was right."""
    errors = [FieldError(field="code", reason=error.reason)]
    headers = {"WWW-Authenticate": "Bearer"}
    return problem(types.SECOND_FACTOR_REQUIRED, f"code: {error.reason}", errors, headers)


def on_invalid_field(request: Request[Any, Any, Any], error: InvalidField) -> Response[Any]:
    """Respond with 422 to a value that does not go with what is stored."""
    errors = [FieldError(field=error.field, reason=error.reason)]
    return problem(types.INVALID_REQUEST, f"{error.field}: {error.reason}", errors)


def on_conflict(request: Request[Any, Any, Any], error: Conflict) -> Response[Any]:
    """Respond with 409 and what to do first."""
    return problem(types.CONFLICT, str(error))


def on_precondition_required(
    request: Request[Any, Any, Any], error: PreconditionRequired
) -> Response[Any]:
    """Respond with 428 to an approval that does not say of what."""
    reason = "is missing: send the ETag that the draft was read with"
    errors = [FieldError(field="If-Match", reason=reason)]
    return problem(types.PRECONDITION_REQUIRED, f"If-Match {reason}", errors)


def on_email_taken(request: Request[Any, Any, Any], error: EmailTaken) -> Response[Any]:
    """Respond with 409 to a registration under an email that has an account."""
    reason = "an account with this email exists already: use another email"
    return problem(types.ACCOUNT_EXISTS, reason, [FieldError(field="email", reason=reason)])


def on_too_many_requests(request: Request[Any, Any, Any], error: TooManyRequests) -> Response[Any]:
    """Respond with 429 and the seconds to wait."""
    count_refusal("too_many_requests")
    seconds = str(max(1, math.ceil(error.seconds)))
    detail = f"{error.reason}: try again in {seconds} s"
    return problem(types.TOO_MANY_REQUESTS, detail, headers={"Retry-After": seconds})


def on_idempotency_key_reused(
    request: Request[Any, Any, Any], error: IdempotencyKeyReused
) -> Response[Any]:
    """Respond with 422 to a key that was used for another request."""
    reason = "was used for another request: send a new key"
    errors = [FieldError(field=HEADER, reason=reason)]
    return problem(types.IDEMPOTENCY_KEY_REUSED, f"{HEADER} {reason}", errors)


def on_rejected(request: Request[Any, Any, Any], error: Rejected) -> Response[Any]:
    """Respond to what the owner of the data rejects."""
    reply = error.reply
    if reply.field == IF_VERSION:
        return problem(types.PRECONDITION_FAILED, CHANGED)
    errors = [FieldError(field=reply.field, reason=reply.reason)] if reply.field else []
    return problem(TYPE_OF[reply.kind], reply.reason, errors)


def on_duplicate_email(request: Request[Any, Any, Any], error: DuplicateEmail) -> Response[Any]:
    """Respond with 409 and the client that has the email."""
    errors = [FieldError(field="email", reason=str(error))]
    return problem(types.DUPLICATE_EMAIL, str(error), errors, client_id=error.client_id)


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
        types.UNAVAILABLE,
        f"a dependency is unavailable{_what_next(request)}",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _what_next(request: Request[Any, Any, Any]) -> str:
    """Return what to do after a 503: a write may be durable although its answer never came."""
    written = ", and the request may have been carried out all the same"
    if request.method in ("GET", "HEAD"):
        return f": try again in {RETRY_AFTER_SECONDS} s"
    if request.method != "POST":
        return f"{written}: it is safe to send it again in {RETRY_AFTER_SECONDS} s"
    if HEADER in request.headers:
        return f"{written}: send it again in {RETRY_AFTER_SECONDS} s with the same {HEADER}"
    return f"{written}: look first, or send an {HEADER}, with which trying again is safe"


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


def on_no_text(request: Request[Any, Any, Any], error: UnicodeDecodeError) -> Response[Any]:
    """Respond with 422 to JSON that is not UTF-8."""
    return problem(
        types.INVALID_REQUEST,
        "body: is not UTF-8",
        [FieldError(field="body", reason="is not UTF-8")],
    )


def on_too_deep(request: Request[Any, Any, Any], error: RecursionError) -> Response[Any]:
    """Respond with 422 to JSON that is nested too deeply to be parsed."""
    return problem(
        types.INVALID_REQUEST,
        "body: is nested too deeply",
        [FieldError(field="body", reason="is nested too deeply")],
    )


def on_bug(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Respond with 500 and disclose nothing; the log has the error."""
    # Not the path itself: it may hold a token.
    log.error("request_failed", path=request.scope.get("path_template"), exc_info=error)
    return problem(
        types.INTERNAL_ERROR,
        "an unexpected error occurred and was logged: try again, or report it with the time of day",
    )


def on_invalid_webhook_signature(
    request: Request[Any, Any, Any], error: InvalidWebhookSignature
) -> Response[Any]:
    """Respond with 403 to a webhook request that the provider has not signed."""
    count_refusal("webhook_forged")
    return problem(types.UNSIGNED_WEBHOOK, "the signature is missing or invalid")


at_zero(REFUSALS, ("too_many_requests", "webhook_forged"))

HANDLERS: dict[Any, Any] = {
    HTTPException: on_http_exception,
    Rejected: on_rejected,
    InvalidCredentials: on_invalid_credentials,
    SecondFactorRequired: on_second_factor_required,
    InvalidField: on_invalid_field,
    Conflict: on_conflict,
    PreconditionRequired: on_precondition_required,
    DuplicateEmail: on_duplicate_email,
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
    UnicodeDecodeError: on_no_text,
    Exception: on_bug,
}
