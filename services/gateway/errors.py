"""What the gateway refuses or cannot do; `http.problem_details` says how each is answered."""

from uuid import UUID

from pydantic import BaseModel

from contracts.replies import CommandRejected


class Unavailable(Exception):
    """Kafka is away; the caller may try again."""


class Rejected(Exception):
    """The owner says no; `answer` tells why and which field."""

    def __init__(self, answer: CommandRejected) -> None:
        super().__init__(answer.reason)
        self.answer = answer


class StillRunning(Exception):
    """The command is durable but not answered, or not shown, yet."""

    def __init__(self, command_id: UUID) -> None:
        super().__init__(str(command_id))
        self.command_id = command_id


class InvalidCredentials(Exception):
    """Whoever calls has not shown who he is; it is never said what was wrong."""


class EmailTaken(Exception):
    """There is an account with this email."""


class TooManyRequests(Exception):
    """The limit is reached; it opens again in so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class IdempotencyKeyReused(Exception):
    """The key was used for another request."""


class ForgedWebhook(Exception):
    """The request is not signed by the key that is expected."""


class FieldError(BaseModel):
    """What is wrong with one field of the request."""

    field: str
    reason: str
