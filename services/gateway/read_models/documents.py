"""The documents of the read models, with the field names of the API."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel
from pymongo import ASCENDING, IndexModel
from pymongo.collation import Collation

from chassis.domain.state import Sparse
from chassis.mongo.client import UuidDocument
from contracts.composer import FlaggedLetter, Letter
from contracts.crm import AgentProfile, PlannedSequence, PropertyType, Review, Stage
from contracts.mailer import SuppressionReason
from contracts.message import Time, added
from contracts.replies import RejectionKind
from contracts.scheduler import FollowupType
from contracts.steps import Priority

TaskStatus = Literal[
    "pending", "due", "written", "composed", "sent", "failed", "cancelled", "withheld", "unknown"
]
# Why a client's address must not be written to.
ClientEmailStatus = SuppressionReason
EmailStatus = Literal[
    "queued",
    "sent",
    "failed",
    "withheld",
    "unknown",
    "delivered",
    "opened",
    "clicked",
    "bounced",
]
CommandOutcome = Literal["pending", "accepted", "rejected"]

# The statuses of a follow-up that is still to be sent.
OPEN: tuple[TaskStatus, ...] = ("pending", "due", "written", "composed")

COMMAND_RETENTION = timedelta(hours=24)

# What clients can be sorted by, and the direction of each index.
CLIENT_ORDERS = {"created_at": -1, "name": 1, "last_contacted": -1}
CASE_INSENSITIVE = Collation("en", strength=2)
# What a list of clients is filtered by without reading those that do not match.
CLIENT_FILTERS = ("property_type", "plan_paused", "email_status")


def client_index(field: str) -> dict[str, int]:
    """Return the index that serves an order of clients."""
    order = {"agent_id": 1, "stage": 1, field: CLIENT_ORDERS[field], "_id": 1}
    return order | dict.fromkeys(CLIENT_FILTERS, 1)


def index_name(index: Mapping[str, int]) -> str:
    """Return MongoDB's default name of an index; as a hint, every command takes it."""
    return "_".join(f"{field}_{direction}" for field, direction in index.items())


_SEARCHED = {"agent_id": 1, "search": 1, "stage": 1}
SEARCH = index_name(_SEARCHED)


# Letters that wait for the agent, the longest waiting first; what they wait for is in their draft.
UNDECIDED = {"agent_id": 1, "undecided_since": 1, "_id": 1, "draft.status": 1}
TASKS_BY_STATUS = {"agent_id": 1, "status": 1, "scheduled_for": 1, "_id": 1, "priority": 1}
TASKS_OF_CLIENT = {"client_id": 1, "scheduled_for": 1}
EMAILS_OF_CLIENT = {"client_id": 1, "created_at": -1}
PAUSED = {"agent_id": 1, "plan_paused": 1, "stage": 1, "replied_at": 1, "_id": 1}


def _partial_index(field: str, *fields: str) -> IndexModel:
    """Return an index of the documents that have the field."""
    return IndexModel(list(fields), partialFilterExpression={field: {"$exists": True}})


class AgentDocument(UuidDocument):
    """An agent's profile, as last published by crm."""

    personal: AgentProfile

    class Settings:
        name = "agents"


class SequenceDocument(UuidDocument):
    """An agent's sequence; a retired one has none any more, and no list shows it."""

    agent_id: UUID
    sequence: PlannedSequence | None = None
    updated_at: Time | None = None

    class Settings:
        name = "sequences"
        indexes: ClassVar = [IndexModel([("agent_id", 1)])]


class ClientSuppression(Sparse):
    """The last suppression that was told of a client.

    Which address it is of follows from its id and the agent whom it was told: a deleted client
    keeps it, and no address.
    """

    suppression_id: UUID
    told_to: UUID | None = None
    reason: ClientEmailStatus
    at: Time


class ClientDocument(UuidDocument):
    """A client. One that is deleted or not created yet has no stage, and no list shows it.

    `search` holds the terms it is found by (`search.py`); `plan_paused` is True or absent.
    `email_status` and `unsubscribed_at` follow from `suppression`, while the client has its
    address.
    """

    agent_id: UUID
    search: list[str] = []
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    property_address: str | None = None
    property_type: PropertyType | None = None
    stage: Stage | None = None
    notes: str | None = None
    custom_fields: dict[str, Any] | None = None
    greeting: str | None = None
    language: str | None = None
    time_zone: str | None = None
    source: str | None = None
    lead_since: str | None = None
    review: Review | None = None
    created_at: Time | None = None
    updated_at: Time | None = None
    last_contacted: Time | None = None
    plan_paused: bool | None = None
    replied_at: Time | None = None
    suppression: ClientSuppression | None = None
    email_status: ClientEmailStatus | None = None
    unsubscribed_at: Time | None = None

    class Settings:
        name = "clients"
        indexes: ClassVar = [
            IndexModel(client_index("created_at")),
            IndexModel(client_index("name"), collation=CASE_INSENSITIVE),
            IndexModel(client_index("last_contacted")),
            IndexModel(_SEARCHED),
            _partial_index("plan_paused", *PAUSED),
        ]


class Postponement(BaseModel):
    """Why a follow-up or its email waits, and from when on it goes on."""

    reason: str
    until: Time


class TaskPlan(Sparse):
    """The state of a follow-up by its plan's events.

    `cancel_reason`: it was cancelled after it had fallen due, and may have been sent all the same.
    `sequence` is None for the steps of a new lead, and for what the agent has added by itself.
    """

    followup_type: FollowupType
    step: str | None = None
    goal: str | None = None
    sequence: str | None = None
    scheduled_for: Time
    priority: Priority
    status: Literal["pending", "due", "cancelled"] = "pending"
    cancel_reason: str | None = None
    notes: str | None = None
    instructions: str | None = None
    created_at: Time
    at: Time


class TaskDraft(BaseModel):
    """The state of a follow-up by its draft's events."""

    status: Literal["requested", "written", "composed", "failed", "discarded"]
    error: str | None = None
    at: Time
    postponed: Postponement | None = added()
    flags: tuple[str, ...] | None = added()
    ahead: Literal[True] | None = added()
    written_by: str | None = added()
    written_at: Time | None = added()
    approved_at: Time | None = added()
    expires_at: Time | None = added()


class TaskEmail(BaseModel):
    """The state of a follow-up by its email's events."""

    email_id: UUID
    status: Literal["queued", "sent", "failed", "withheld", "cancelled", "unknown"]
    error: str | None = None
    at: Time
    postponed: Postponement | None = added()


class TaskDocument(UuidDocument):
    """A follow-up: a sub-document per source stream, and the fields that follow from them.

    `sender_id`: the agent in whose name it was written, if the client was reassigned since.
    `flagged`: the letter that was not fit to send, while it is for a person to decide; `letter`:
    the one that waits for its date or for approval; `undecided_since`: from when on the agent is
    waited for. `erased`: the client was deleted, and with it all texts.
    """

    agent_id: UUID
    client_id: UUID
    plan: TaskPlan | None = None
    draft: TaskDraft | None = None
    email: TaskEmail | None = None
    followup_type: FollowupType | None = None
    step: str | None = None
    goal: str | None = None
    scheduled_for: Time | None = None
    status: TaskStatus | None = None
    priority: Priority | None = None
    email_sent_id: UUID | None = None
    notes: str | None = None
    instructions: str | None = None
    error_message: str | None = None
    postponed: Postponement | None = None
    flags: tuple[str, ...] | None = None
    flagged: FlaggedLetter | None = None
    letter: Letter | None = None
    undecided_since: Time | None = None
    created_at: Time | None = None
    updated_at: Time | None = None
    sender_id: UUID | None = None
    erased: bool | None = None

    class Settings:
        name = "tasks"
        # Most requests are an agent's, so the agent comes first. A list of any status asks for
        # all of them: a task whose plan has not arrived yet has none.
        indexes: ClassVar = [
            IndexModel(TASKS_OF_CLIENT),
            IndexModel(TASKS_BY_STATUS),
            _partial_index("undecided_since", *UNDECIDED),
            # Admins list failures of all agents.
            IndexModel([("status", 1), ("scheduled_for", 1), ("_id", 1), ("priority", 1)]),
        ]


class EmailLogDocument(UuidDocument):
    """An email and its status; one that is not queued yet has none, and no list shows it.

    `sender_id`: the agent in whose name it is, if the client was reassigned since. `erased`: the
    client was deleted, and with it address and text; what is counted stays.
    """

    agent_id: UUID
    task_id: UUID
    client_id: UUID
    sender_id: UUID | None = None
    erased: bool | None = None
    to_email: str | None = None
    subject: str | None = None
    body: str | None = None
    status: EmailStatus | None = None
    written_by: str | None = None
    sendgrid_message_id: str | None = None
    sent_at: Time | None = None
    opened_at: Time | None = None
    clicked_at: Time | None = None
    error_message: str | None = None
    postponed: Postponement | None = None
    created_at: Time | None = None

    class Settings:
        name = "email_logs"
        indexes: ClassVar = [
            IndexModel(EMAILS_OF_CLIENT),
            IndexModel([("agent_id", 1), ("status", 1), ("created_at", -1), ("_id", 1)]),
            IndexModel([("status", 1), ("created_at", -1), ("_id", 1)]),
            # SendGrid's reports may name an email by this alone.
            IndexModel("sendgrid_message_id", sparse=True),
            # The dashboard counts on these; each holds only what it counts. Beanie takes two of the
            # same fields for one, hence the id.
            _partial_index("sent_at", "agent_id", "sent_at", "opened_at", "clicked_at", "_id"),
            _partial_index("opened_at", "agent_id", "opened_at", "sent_at"),
            _partial_index("clicked_at", "agent_id", "clicked_at", "opened_at", "sent_at"),
        ]


class TimelineDocument(UuidDocument):
    """One event of a client's timeline, by its own id. `data` holds nothing personal.

    `at` is when the event was written, `version` its number in the stream.
    """

    agent_id: UUID
    client_id: UUID
    type: str
    stream: str
    version: int
    at: Time
    data: dict[str, Any]

    class Settings:
        name = "timeline"
        indexes: ClassVar = [
            IndexModel([("agent_id", 1), ("at", -1), ("version", -1), ("_id", 1)]),
            IndexModel([("client_id", 1), ("at", -1), ("version", -1), ("_id", 1)]),
        ]


class CommandDocument(UuidDocument):
    """A command without a reply in time, and its reply once it comes; deleted after a day."""

    agent_id: UUID
    client_id: UUID | None = None
    status: CommandOutcome = "pending"
    kind: RejectionKind | None = None
    reason: str | None = None
    field: str | None = None
    created_at: Time

    class Settings:
        name = "commands"
        indexes: ClassVar = [
            IndexModel(
                [("created_at", ASCENDING)],
                expireAfterSeconds=int(COMMAND_RETENTION.total_seconds()),
            )
        ]
