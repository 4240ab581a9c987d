"""What the gateway refuses or cannot do; `http.problem_details` maps each to a response."""

from uuid import UUID

from pydantic import BaseModel

from contracts.replies import CommandRejected


class Unavailable(Exception):
    """A dependency does not answer; the caller may try again."""


class Rejected(Exception):
    """The owner rejected the command; `reply` has the reason and the field."""

    def __init__(self, reply: CommandRejected) -> None:
        super().__init__(reply.reason)
        self.reply = reply


class CommandPending(Exception):
    """The command is durable, but its reply, or the view of its result, did not come in time."""

    def __init__(self, command_id: UUID) -> None:
        super().__init__(str(command_id))
        self.command_id = command_id


class InvalidCredentials(Exception):
    """The credentials are wrong; which part of them is never disclosed."""


class SecondFactorRequired(Exception):
    """Password or link are right, the second factor's code is missing, wrong or used: `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidField(Exception):
    """A field of the request has a value that this account cannot have."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


class PreconditionRequired(Exception):
    """The request says nothing of what it is about: `If-Match` has to (RFC 6585)."""


class Conflict(Exception):
    """What is stored does not allow the request; the text says what to do first."""


class DuplicateEmail(Exception):
    """Another client of the agent has the email: `client_id`, once the views show it."""

    def __init__(self, reason: str, client_id: UUID | None) -> None:
        super().__init__(reason)
        self.client_id = client_id


class EmailTaken(Exception):
    """There is an account with this email."""


class TooManyRequests(Exception):
    """A limit is reached, which `reason` names; `seconds` until requests are accepted again."""

    def __init__(self, seconds: float, reason: str = "too many requests") -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.reason = reason


class IdempotencyKeyReused(Exception):
    """The key belongs to another request."""


class InvalidWebhookSignature(Exception):
    """The webhook request is not signed by the expected key."""


class FieldError(BaseModel):
    """What is wrong with one field of the request."""

    field: str
    reason: str
