"""Requests and responses about clients, tasks, emails and commands."""

import unicodedata
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from contracts.crm import (
    ClientDetailsPatch,
    CreateClient,
    NewClientDetails,
    Notes,
    PropertyType,
    Stage,
)
from contracts.mailer import Resolution, SuppressionReason
from contracts.message import UNSET, Time, Unset
from contracts.replies import RejectionKind
from contracts.scheduler import FollowupType, Priority
from services.gateway.leads.locales import known_zone
from services.gateway.read_models.documents import (
    ClientEmailStatus,
    CommandOutcome,
    EmailStatus,
    TaskStatus,
)
from services.gateway.read_models.sending import SendingState

# They make text that follows run backwards.
_BIDI = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def _one_line(text: str) -> str:
    for character in text:
        if unicodedata.category(character) in ("Cc", "Zl", "Zp"):
            raise ValueError("has to be one line, without control characters")
        if unicodedata.bidirectional(character) in _BIDI:
            raise ValueError("has a character that changes the direction of text")
    return text


# Why something was decided, for people to read.
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_one_line),
]
KnownZone = Annotated[str, AfterValidator(known_zone), Field(examples=["America/New_York"])]


class NewClient(NewClientDetails):
    """A client to add."""

    model_config = ConfigDict(extra="forbid", title="NewClient")

    stage: Stage = "lead"
    property_type: PropertyType = "residential"
    time_zone: KnownZone | None = None

    def to_command(self, agent_id: UUID, client_id: UUID) -> CreateClient:
        """Return the command that creates the client under the id."""
        return CreateClient(
            agent_id=agent_id,
            client_id=client_id,
            stage=self.stage,
            property_type=self.property_type,
            personal=NewClientDetails.model_validate(self.model_dump()),
        )


class ClientPatch(ClientDetailsPatch):
    """Changes to a client (RFC 7396): what is absent stays, null empties what may be empty."""

    model_config = ConfigDict(extra="forbid", title="ClientPatch")

    stage: Stage | Unset = UNSET
    property_type: PropertyType | Unset = UNSET
    time_zone: KnownZone | Unset | None = UNSET


class TaskPatch(BaseModel):
    """Changes to a follow-up (RFC 7396): date and priority while it is pending, notes always."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    scheduled_for: AwareDatetime | Unset = UNSET
    priority: Priority | Unset = UNSET
    notes: Notes | Unset | None = UNSET


class EmailResolution(BaseModel):
    """How to resolve an email that failed or whose outcome is unknown."""

    model_config = ConfigDict(extra="forbid")

    resolution: Resolution


class Created(BaseModel):
    """A client was added."""

    model_config = ConfigDict(title="ClientCreated")

    client_id: UUID
    status: Literal["ok"] = "ok"


class ReadModel(BaseModel):
    """Base of responses from the read models."""

    model_config = ConfigDict(populate_by_name=True, hide_input_in_errors=True)

    id: UUID = Field(alias="_id")
    agent_id: UUID


class Client(ReadModel):
    """A client."""

    model_config = ConfigDict(title="ClientView")

    name: str
    email: str
    phone: str | None = None
    property_address: str | None = None
    property_type: PropertyType
    stage: Stage
    notes: str | None = None
    custom_fields: dict[str, Any] = {}
    greeting: str | None = None
    language: str | None = None
    time_zone: str | None = None
    created_at: Time
    updated_at: Time
    last_contacted: Time | None = None
    plan_paused: bool = False
    email_status: ClientEmailStatus | None = None
    unsubscribed_at: Time | None = None


class Suppression(ReadModel):
    """An address that the agent must not write to.

    `source`: by which way an opt-out came (`link`, `agent`, `provider`). Until `confirmed_at` an
    email that was on its way may still have been sent.
    """

    model_config = ConfigDict(title="SuppressionView")

    client_id: UUID | None = None
    email: str
    reason: SuppressionReason
    source: str | None = None
    suppressed_at: Time
    confirmed_at: Time | None = None


class Release(BaseModel):
    """Why a suppressed address may be written to again; an opt-out is lifted only for a reason."""

    model_config = ConfigDict(title="SuppressionRelease", extra="forbid", hide_input_in_errors=True)

    reason: Reason | None = None


class SendingPause(BaseModel):
    """Why all emails to clients are stopped, for other admins."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    reason: Reason | None = None


class Sending(BaseModel):
    """Whether emails to clients are sent.

    `pausing`: none is started, but some that had been are not settled yet. `since` and `by` are
    time and admin of the last order; null where nobody has given one.
    """

    model_config = ConfigDict(title="SendingView", hide_input_in_errors=True)

    state: SendingState
    reason: str | None = None
    since: Time | None = None
    by: UUID | None = None


class Postponed(BaseModel):
    """Why a follow-up or its email waits, and from when on it goes on.

    `reason`: `daily_limit`, the agent's letters or emails of a day are used up. Others may be
    added.
    """

    reason: str
    until: Time


class Task(ReadModel):
    """A follow-up. `error_message` is why it failed, was withheld, or was cancelled when due.

    `flags`: what the letter is not fit to send for, where it has failed for that.
    """

    model_config = ConfigDict(title="TaskView")

    client_id: UUID
    followup_type: FollowupType
    scheduled_for: Time
    status: TaskStatus
    priority: Priority
    email_sent_id: UUID | None = None
    notes: str | None = None
    error_message: str | None = None
    postponed: Postponed | None = None
    flags: list[str] = []
    created_at: Time
    updated_at: Time


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


class Email(ReadModel):
    """An email and its status."""

    model_config = ConfigDict(title="EmailView")

    task_id: UUID
    client_id: UUID
    to_email: str
    subject: str
    body: str
    status: EmailStatus
    written_by: str
    sendgrid_message_id: str | None = None
    sent_at: Time | None = None
    opened_at: Time | None = None
    clicked_at: Time | None = None
    error_message: str | None = None
    postponed: Postponed | None = None
    created_at: Time


class TimelineEntry(BaseModel):
    """An event of a client: `words` for people, `data` for programs.

    Name, subject and type of follow-up are the present ones, where they still exist.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    id: UUID
    type: str
    at: Time
    client_id: UUID
    client_name: str | None = None
    subject: str | None = None
    words: str
    data: dict[str, Any]


class Pending(BaseModel):
    """The command is durable, but has no reply yet."""

    model_config = ConfigDict(title="CommandPending")

    status: Literal["pending"] = "pending"
    command_id: UUID


class CommandStatus(BaseModel):
    """The status of a command without a reply in time.

    `client_id` is the client that it is about, also of one to be created.
    """

    status: CommandOutcome
    client_id: UUID | None = None
    kind: RejectionKind | None = None
    reason: str | None = None
    field: str | None = None
