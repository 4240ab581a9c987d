"""Requests and responses about follow-ups, which the API calls tasks, and their emails."""

from typing import Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.crm import Notes
from contracts.mailer import Resolution
from contracts.message import UNSET, Time, Unset
from contracts.scheduler import FollowupType
from contracts.steps import Priority
from services.gateway.read_models.documents import EmailStatus, TaskStatus
from services.gateway.read_models.schemas.common import ReadModel

# So many follow-ups are retried by one request.
MOST_RETRIED: Final = 1_000
RetryOutcome = Literal["retried", "refused", "pending"]


class Postponed(BaseModel):
    """Why a follow-up or its email waits, and from when on it goes on.

    `reason`: `daily_limit`, the agent's letters or emails of a day are used up; `provider_away`,
    the language model is, or refuses everybody; `sending_hours`, until they begin. Others may be
    added.
    """

    reason: str
    until: Time


class Task(ReadModel):
    """A follow-up. `error_message` is why it failed, was withheld, or was cancelled when due.

    `flags`: what the letter is not fit to send for, where it has failed for that. `instructions`:
    what the agent wants the letter to say. `step`: what the sequence calls one of type Custom;
    `goal`: what the step's letters are for.
    """

    model_config = ConfigDict(title="TaskView")

    client_id: UUID
    followup_type: FollowupType
    step: str | None = None
    goal: str | None = None
    scheduled_for: Time
    status: TaskStatus
    priority: Priority
    email_sent_id: UUID | None = None
    notes: str | None = None
    instructions: str | None = None
    error_message: str | None = None
    postponed: Postponed | None = None
    flags: list[str] = []
    created_at: Time
    updated_at: Time


class ListedTask(Task):
    """A follow-up in a list, with its client's name, and its email's subject and status.

    `client_name` and `subject` are null once the client was deleted.
    """

    model_config = ConfigDict(title="ListedTask")

    client_name: str | None = None
    subject: str | None = None
    email_status: EmailStatus | None = None


class FlaggedText(BaseModel):
    """A part of a letter that makes it unfit to send; `flag` names why."""

    flag: str
    excerpt: str


class UnsentLetter(BaseModel):
    """A letter as the writer wrote it."""

    to_email: str
    subject: str
    body: str
    language: str | None = None


class FlaggedLetter(BaseModel):
    """A letter that was not fit to send, and why."""

    model_config = ConfigDict(hide_input_in_errors=True)

    letter: UnsentLetter
    findings: list[FlaggedText]


class TaskDetails(Task):
    """A follow-up, with the letter where it has failed because that was not fit to send.

    Retry it to have another letter written.
    """

    model_config = ConfigDict(title="TaskDetails")

    flagged: FlaggedLetter | None = None


class TaskPatch(BaseModel):
    """Changes to a follow-up (RFC 7396): date and priority while it is pending, notes always.

    A date has to be in the future, unless `send_now`, which needs none.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    scheduled_for: AwareDatetime | Unset = UNSET
    send_now: bool = False
    priority: Priority | Unset = UNSET
    notes: Notes | Unset | None = UNSET


class NewTask(BaseModel):
    """A follow-up of type Custom to add: when, unless now, and what its letter should say."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    scheduled_for: AwareDatetime | None = None
    send_now: bool = False
    priority: Priority = "medium"
    instructions: Notes | None = None


class FailedTasks(BaseModel):
    """Which failed follow-ups to retry: all of them, or those that each given field describes."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    ids: list[UUID] | None = Field(default=None, min_length=1, max_length=MOST_RETRIED)
    client_id: UUID | None = None
    failed_since: AwareDatetime | None = None


class RetriedTask(BaseModel):
    """What became of a follow-up.

    `pending`: what becomes of it will stand at `/api/commands/{command_id}`.
    """

    task_id: UUID
    outcome: RetryOutcome
    command_id: UUID | None = None
    reason: str | None = None


class RetriedTasks(BaseModel):
    """What became of each follow-up; `remaining` others match, and want another request."""

    retried: int
    refused: int
    pending: int
    remaining: int
    tasks: list[RetriedTask]


class EmailSummary(ReadModel):
    """An email and its status, without its text; see EmailView."""

    task_id: UUID
    client_id: UUID
    to_email: str | None = None
    subject: str | None = None
    status: EmailStatus
    written_by: str
    sendgrid_message_id: str | None = None
    sent_at: Time | None = None
    opened_at: Time | None = None
    clicked_at: Time | None = None
    error_message: str | None = None
    postponed: Postponed | None = None
    created_at: Time


class Email(EmailSummary):
    """An email and its status; address and text are null once its client was deleted."""

    model_config = ConfigDict(title="EmailView")

    body: str | None = None


class ListedEmail(EmailSummary):
    """An email in a list: without its text, with its client's name.

    `step`: what its follow-up is called in its plan. `client_name`, address and subject are null
    once the client was deleted.
    """

    model_config = ConfigDict(title="ListedEmail")

    client_name: str | None = None
    step: str | None = None


class EmailResolution(BaseModel):
    """How to resolve an email that failed or whose outcome is unknown."""

    model_config = ConfigDict(extra="forbid")

    resolution: Resolution
