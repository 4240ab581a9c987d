"""What goes in and out over HTTP."""

from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.crm import (
    ClientDetailsPatch,
    CreateClient,
    NewClientDetails,
    Notes,
    PropertyType,
    Stage,
)
from contracts.mailer import Resolution
from contracts.message import Time
from contracts.replies import RejectionKind
from contracts.scheduler import FollowupType, Priority
from services.gateway.read_models.documents import EmailStatus, TaskStatus


class NewClient(NewClientDetails):
    """A client to add."""

    model_config = ConfigDict(extra="forbid", title="NewClient")

    stage: Stage = "lead"
    property_type: PropertyType = "residential"

    def ordered(self, agent_id: UUID, client_id: UUID) -> CreateClient:
        """Give the command that adds it under the id."""
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

    stage: Stage = "lead"
    property_type: PropertyType = "residential"


class TaskPatch(BaseModel):
    """Changes to a follow-up (RFC 7396): date and priority while it is pending, notes always."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    scheduled_for: AwareDatetime = datetime.min.replace(tzinfo=UTC)
    priority: Priority = "medium"
    notes: Notes | None = None


class EmailResolution(BaseModel):
    """What a person says of an email that failed or whose outcome is unknown."""

    model_config = ConfigDict(extra="forbid")

    resolution: Resolution


class Created(BaseModel):
    """A client was added."""

    client_id: UUID
    status: Literal["ok"] = "ok"


class Shown(BaseModel):
    """Base of what is read from the views."""

    model_config = ConfigDict(populate_by_name=True, hide_input_in_errors=True)

    id: UUID = Field(alias="_id")
    agent_id: UUID


class Client(Shown):
    """A client."""

    name: str
    email: str
    phone: str | None = None
    property_address: str | None = None
    property_type: PropertyType
    stage: Stage
    notes: str | None = None
    custom_fields: dict[str, Any] = {}
    created_at: Time
    updated_at: Time
    last_contacted: Time | None = None
    plan_paused: bool = False


class Task(Shown):
    """A follow-up."""

    client_id: UUID
    followup_type: FollowupType
    scheduled_for: Time
    status: TaskStatus
    priority: Priority
    email_sent_id: UUID | None = None
    notes: str | None = None
    error_message: str | None = None
    created_at: Time
    updated_at: Time


class Email(Shown):
    """An email and what became of it."""

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
    created_at: Time


class TimelineEntry(BaseModel):
    """Something that happened to a client: in words for people, and what the event tells.

    The name, the subject and the kind of follow-up are as they are now, where there still is one.
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
    """A command is durable, but not answered yet."""

    status: Literal["pending"] = "pending"
    command_id: UUID


class CommandStatus(BaseModel):
    """What became of a command that was not answered in time.

    `client_id` is the client that it is about: for a new one, its id.
    """

    status: Literal["pending", "accepted", "rejected"]
    client_id: UUID | None = None
    kind: RejectionKind | None = None
    reason: str | None = None
    field: str | None = None
