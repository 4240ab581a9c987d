"""Requests that change many clients or follow-ups alike, and what became of each."""

from typing import Final, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from contracts.crm import PropertyType, Stage
from contracts.mailer import SuppressionReason
from contracts.steps import Priority, SequenceName
from services.gateway.read_models.documents import TaskStatus
from services.gateway.read_models.search import LONGEST_QUERY, NO_NUL

# So many are changed by one request, and so many can be named: a body has its limit, too.
MOST_CHANGED: Final = 5_000
MOST_NAMED: Final = 1_000
BulkOutcomeKind = Literal["done", "unchanged", "refused", "pending"]
ClientActionKind = Literal["stage", "pause", "resume", "plan"]
TaskActionKind = Literal["cancel", "priority"]
_IDS: Final = Field(default=None, min_length=1, max_length=MOST_NAMED)
_SEARCH: Final = Field(default=None, max_length=LONGEST_QUERY, pattern=NO_NUL)


class Selection(BaseModel):
    """Either the ids, or a filter: that of the list, with all of its pages."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    ids: list[UUID] | None = _IDS

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(value is not None for _, value in self) != 1:
            raise ValueError("has to have either ids or filter")
        return self


class ClientsFilter(BaseModel):
    """The filters of `GET /api/clients`; without any, all clients match."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    q: str | None = _SEARCH
    stage: list[Stage] | None = None
    property_type: list[PropertyType] | None = None
    email_status: list[SuppressionReason] | None = None
    plan_paused: bool | None = None


class SelectedClients(Selection):
    """Clients, by their ids or by what the list filters by."""

    filter: ClientsFilter | None = None


class ClientAction(BaseModel):
    """What to do with each client.

    `stage` is the new one of the kind `stage`. `sequence` is the one that the kind `plan` begins,
    else the one that the client's stage suggests.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kind: ClientActionKind
    stage: Stage | None = None
    sequence: SequenceName | None = None

    @model_validator(mode="after")
    def _has_its_stage(self) -> Self:
        if (self.kind == "stage") != (self.stage is not None):
            raise ValueError("has to have a stage if it is of the kind stage, and only then")
        return self


class ClientsChange(BaseModel):
    """Clients to change alike. `expected_count`: how many they were when it was decided."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    selection: SelectedClients
    action: ClientAction
    expected_count: int = Field(ge=0, le=MOST_CHANGED)


class TasksFilter(BaseModel):
    """The filters of `GET /api/tasks`; without any, all follow-ups match."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    q: str | None = _SEARCH
    client_id: UUID | None = None
    status: list[TaskStatus] | None = None
    priority: list[Priority] | None = None
    due_after: AwareDatetime | None = None
    due_before: AwareDatetime | None = None


class SelectedTasks(Selection):
    """Follow-ups, by their ids or by what the list filters by."""

    filter: TasksFilter | None = None


class TaskAction(BaseModel):
    """What to do with each follow-up. `priority` is the new one of the kind `priority`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kind: TaskActionKind
    priority: Priority | None = None

    @model_validator(mode="after")
    def _has_its_priority(self) -> Self:
        if (self.kind == "priority") != (self.priority is not None):
            raise ValueError("has to have a priority if it is of the kind priority, and only then")
        return self


class TasksChange(BaseModel):
    """Follow-ups to change alike. `expected_count`: how many they were when it was decided."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    selection: SelectedTasks
    action: TaskAction
    expected_count: int = Field(ge=0, le=MOST_CHANGED)


class BulkOutcome(BaseModel):
    """What became of one.

    `unchanged`: it was so before. `pending`: what becomes of it will stand at
    `/api/commands/{command_id}`.
    """

    id: UUID
    outcome: BulkOutcomeKind
    command_id: UUID | None = None
    reason: str | None = None


class BulkReport(BaseModel):
    """How many were changed, and what became of each, in the order in which they were selected."""

    done: int
    unchanged: int
    refused: int
    pending: int
    outcomes: list[BulkOutcome]
