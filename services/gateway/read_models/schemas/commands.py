"""Requests and responses about commands, and about the switch of all sending."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.message import Time
from contracts.replies import RejectionKind
from services.gateway.read_models.documents import CommandOutcome
from services.gateway.read_models.schemas.common import Reason
from services.gateway.read_models.sending import SendingState


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
