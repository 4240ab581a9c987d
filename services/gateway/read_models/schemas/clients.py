"""Requests and responses about clients, their addresses and their events."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.crm import (
    ClientDetailsPatch,
    CreateClient,
    NewClientDetails,
    PlannedSequence,
    PropertyType,
    Review,
    Stage,
)
from contracts.mailer import SuppressionReason
from contracts.message import UNSET, Time, Unset
from contracts.steps import SequenceName
from services.gateway.read_models.documents import ClientEmailStatus, EmailStatus
from services.gateway.read_models.schemas.common import KnownZone, ReadModel, Reason


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
    source: str | None = None
    lead_since: date | None = None
    review: Review | None = None
    created_at: Time
    updated_at: Time
    last_contacted: Time | None = None
    plan_paused: bool = False
    replied_at: Time | None = None
    email_status: ClientEmailStatus | None = None
    unsubscribed_at: Time | None = None


class ListedClient(Client):
    """A client in a list.

    `next_followup_at`: when the first of its follow-ups that are still to be sent is planned, also
    of a paused plan. `last_email_status`: of the email that was written last. `needs_attention`:
    whether something of it is under `GET /api/dashboard/attention`.
    """

    model_config = ConfigDict(title="ListedClient")

    next_followup_at: Time | None = None
    last_email_status: EmailStatus | None = None
    needs_attention: bool


class ClientCounts(BaseModel):
    """How many clients match, by stage; of a search at most 5,000 altogether are counted."""

    total: int
    by_stage: dict[Stage, int]


class NewClient(NewClientDetails):
    """A client to add. `sequence`: the name of the one to begin, else the one of its stage."""

    model_config = ConfigDict(extra="forbid", title="NewClient")

    stage: Stage = "lead"
    property_type: PropertyType = "residential"
    time_zone: KnownZone | None = None
    sequence: SequenceName | None = None

    def to_command(
        self,
        agent_id: UUID,
        client_id: UUID,
        *,
        agent_time_zone: str | None,
        sequence: PlannedSequence | None,
    ) -> CreateClient:
        """Return the command that creates the client under the id."""
        return CreateClient(
            agent_id=agent_id,
            client_id=client_id,
            stage=self.stage,
            property_type=self.property_type,
            personal=NewClientDetails.model_validate(self.model_dump()),
            agent_time_zone=agent_time_zone,
            sequence=sequence,
        )


class NewReply(BaseModel):
    """A client's answer. `replied_at` is now unless it is given, and never later."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    replied_at: Time | None = None


class ClientPatch(ClientDetailsPatch):
    """Changes to a client (RFC 7396): what is absent stays, null empties what may be empty."""

    model_config = ConfigDict(extra="forbid", title="ClientPatch")

    stage: Stage | Unset = UNSET
    property_type: PropertyType | Unset = UNSET
    time_zone: KnownZone | Unset | None = UNSET


class Created(BaseModel):
    """A client was added."""

    model_config = ConfigDict(title="ClientCreated")

    client_id: UUID
    status: Literal["ok"] = "ok"


class Deletion(BaseModel):
    """What the deletion of a client does; nothing of it can be undone.

    `tasks_cancelled`: follow-ups that are not sent yet. `emails_erased`: emails whose address and
    text go; their status stays for the counts. An address that opted out stays suppressed.
    """

    client_id: UUID
    tasks_cancelled: int
    emails_erased: int


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
