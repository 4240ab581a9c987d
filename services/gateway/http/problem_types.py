"""What problems there are (RFC 9457): docs/problems.md lists them, `/problems/…` shows each.

Types are URIs relative to the gateway, since it has no address of its own that all know.
"""

from dataclasses import dataclass
from typing import Final

PATH: Final = "/problems"


@dataclass(frozen=True)
class ProblemType:
    """One type: `code` is its name for programs; `advice` tells what it means and what to do."""

    code: str
    status: int
    title: str
    advice: str

    @property
    def slug(self) -> str:
        """The name as the type's URI has it."""
        return self.code.replace("_", "-")

    @property
    def uri(self) -> str:
        """The type, as a reference relative to the gateway's address."""
        return f"{PATH}/{self.slug}"


UNAUTHORIZED: Final = ProblemType(
    "unauthorized",
    401,
    "Unauthorized",
    "The access token or API key is missing, invalid or expired: exchange the refresh token, log"
    " in, or send another key as `Authorization: Bearer`.",
)
INVALID_CREDENTIALS: Final = ProblemType(
    "invalid_credentials",
    401,
    "Invalid credentials",
    "Email, password or token are wrong; which of them is not told.",
)
SECOND_FACTOR_REQUIRED: Final = ProblemType(
    "second_factor_required",
    401,
    "Second factor required",
    "The password, or the link, is right. Send the request again with `code`, of the authenticator"
    " app or a recovery code.",
)
FORBIDDEN: Final = ProblemType(
    "forbidden",
    403,
    "Forbidden",
    "The caller may not do this: an API key lacks the scope, the route is for admins, or it needs a"
    " log-in. `detail` says which.",
)
UNSIGNED_WEBHOOK: Final = ProblemType(
    "unsigned_webhook",
    403,
    "Webhook not signed",
    "The report is not signed with the mail provider's key: compare it with the setting"
    " `SENDGRID_WEBHOOK_PUBLIC_KEY`.",
)
NOT_FOUND: Final = ProblemType(
    "not_found",
    404,
    "Not found",
    "There is no such route, no resource with this id, or it belongs to another agent.",
)
METHOD_NOT_ALLOWED: Final = ProblemType(
    "method_not_allowed",
    405,
    "Method not allowed",
    "The route exists, but not with this method: `/schema` has both.",
)
CONFLICT: Final = ProblemType(
    "conflict",
    409,
    "Conflict",
    "What is stored does not allow the request, for example since the email is sent already."
    " `detail` says what to do first.",
)
DUPLICATE_EMAIL: Final = ProblemType(
    "duplicate_email",
    409,
    "Duplicate email",
    "Another client of the agent has this email; `client_id` is that client, to be changed with"
    " `PATCH /api/clients/{client_id}` instead.",
)
ACCOUNT_EXISTS: Final = ProblemType(
    "account_exists",
    409,
    "Account exists",
    "An account logs in with this email: use another one.",
)
PRECONDITION_FAILED: Final = ProblemType(
    "precondition_failed",
    412,
    "Precondition failed",
    "The resource has changed since it was read with the `ETag` in `If-Match`: get it again, then"
    " repeat the change.",
)
PRECONDITION_REQUIRED: Final = ProblemType(
    "precondition_required",
    428,
    "Precondition required",
    "An approval is of one text: repeat it with `If-Match`, the `ETag` that the draft was read"
    " with.",
)
CONTENT_TOO_LARGE: Final = ProblemType(
    "content_too_large",
    413,
    "Content too large",
    "The body is larger than the route takes (`MAX_BODY_BYTES`; 10 MiB for imports): send less.",
)
UNSUPPORTED_MEDIA_TYPE: Final = ProblemType(
    "unsupported_media_type",
    415,
    "Unsupported media type",
    "The route does not take this `Content-Type`; `detail` names those that it takes.",
)
INVALID_REQUEST: Final = ProblemType(
    "invalid_request",
    422,
    "Unprocessable content",
    "`errors` names each part of the request that is wrong, and why: correct them all.",
)
IDEMPOTENCY_KEY_REUSED: Final = ProblemType(
    "idempotency_key_reused",
    422,
    "Idempotency-Key reused",
    "The key came with another request within a day: each request has a new one, and only a"
    " repetition has the same.",
)
TOO_MANY_REQUESTS: Final = ProblemType(
    "too_many_requests",
    429,
    "Too many requests",
    "A limit is reached, which `detail` names: try again after `Retry-After` seconds.",
)
INTERNAL_ERROR: Final = ProblemType(
    "internal_error",
    500,
    "Internal server error",
    "An error in the gateway, which is logged: try again, or report it with the time of day.",
)
UNAVAILABLE: Final = ProblemType(
    "unavailable",
    503,
    "Service unavailable",
    "Kafka or MongoDB cannot be reached, or the gateway is stopping. A write may have been carried"
    " out all the same. Send it again after `Retry-After` seconds: a `POST` with the"
    " `Idempotency-Key` that it had, so that it is carried out once; `PATCH` and `DELETE` may be"
    " repeated as they are.",
)

TYPES: Final = (
    *(UNAUTHORIZED, INVALID_CREDENTIALS, SECOND_FACTOR_REQUIRED, FORBIDDEN, UNSIGNED_WEBHOOK),
    *(NOT_FOUND, METHOD_NOT_ALLOWED, CONFLICT, DUPLICATE_EMAIL, ACCOUNT_EXISTS),
    *(
        PRECONDITION_FAILED,
        PRECONDITION_REQUIRED,
        CONTENT_TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
        INVALID_REQUEST,
    ),
    *(IDEMPOTENCY_KEY_REUSED, TOO_MANY_REQUESTS, INTERNAL_ERROR, UNAVAILABLE),
)
# The first of each status is what a problem is that is of no other type.
BY_STATUS: Final = {one.status: one for one in reversed(TYPES)}
BY_SLUG: Final = {one.slug: one for one in TYPES}
