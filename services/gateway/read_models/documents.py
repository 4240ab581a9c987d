"""The read models: what the API shows, under the names that the outside sees."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.collation import Collation

from chassis.domain.state import Sparse
from chassis.mongo.client import UuidDocument
from contracts.crm import AgentProfile, PropertyType, Stage
from contracts.message import Time
from contracts.replies import RejectionKind
from contracts.scheduler import FollowupType, Priority

TaskStatus = Literal[
    "pending", "due", "composed", "sent", "failed", "cancelled", "withheld", "unknown"
]
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

COMMAND_KEPT = timedelta(hours=24)

# What clients can be sorted by, and the directions that the indexes have.
CLIENT_ORDERS = {"created_at": -1, "name": 1, "last_contacted": -1}
WHATEVER_CASE = Collation("en", strength=2)


def client_index(field: str) -> dict[str, int]:
    """Give the index that serves an order of clients."""
    return {"agent_id": 1, "stage": 1, field: CLIENT_ORDERS[field], "_id": 1}


def name_of(index: Mapping[str, int]) -> str:
    """Give the name that MongoDB gives to an index; a hint by it goes with any command."""
    return "_".join(f"{field}_{direction}" for field, direction in index.items())


_SEARCHED = {"agent_id": 1, "search": 1, "stage": 1}
SEARCH = name_of(_SEARCHED)


def _having(field: str, *fields: str) -> IndexModel:
    """Index the documents that have the field."""
    return IndexModel(list(fields), partialFilterExpression={field: {"$exists": True}})


class AgentDocument(UuidDocument):
    """An agent as crm last told."""

    personal: AgentProfile

    class Settings:
        name = "agents"


class ClientDocument(UuidDocument):
    """A client; one that is not heard of yet, or is deleted, has no stage, and no list shows it.

    `search` holds the words of name, email and address in lower case; `plan_paused` is True or
    absent.
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
    created_at: Time | None = None
    updated_at: Time | None = None
    last_contacted: Time | None = None
    plan_paused: bool | None = None

    class Settings:
        name = "clients"
        indexes: ClassVar = [
            IndexModel(client_index("created_at")),
            IndexModel(client_index("name"), collation=WHATEVER_CASE),
            IndexModel(client_index("last_contacted")),
            IndexModel(_SEARCHED),
        ]


class PlanPart(Sparse):
    """What the plan says of a follow-up."""

    followup_type: FollowupType
    scheduled_for: Time
    priority: Priority
    status: Literal["pending", "due", "cancelled"] = "pending"
    notes: str | None = None
    created_at: Time
    at: Time


class DraftPart(BaseModel):
    """What the draft says of a follow-up."""

    status: Literal["requested", "composed", "failed"]
    error: str | None = None
    at: Time


class EmailPart(BaseModel):
    """What the email says of a follow-up."""

    email_id: UUID
    status: Literal["queued", "sent", "failed", "withheld", "unknown"]
    error: str | None = None
    at: Time


class TaskDocument(UuidDocument):
    """A follow-up: a part from each stream that tells of it, and what follows from the parts."""

    agent_id: UUID
    client_id: UUID
    plan: PlanPart | None = None
    draft: DraftPart | None = None
    email: EmailPart | None = None
    followup_type: FollowupType | None = None
    scheduled_for: Time | None = None
    status: TaskStatus | None = None
    priority: Priority | None = None
    email_sent_id: UUID | None = None
    notes: str | None = None
    error_message: str | None = None
    created_at: Time | None = None
    updated_at: Time | None = None

    class Settings:
        name = "tasks"
        # Most requests are an agent's, so the agent comes first. A list without a status asks for
        # all of them: a task that the plan has not told of yet has none.
        indexes: ClassVar = [
            IndexModel([("client_id", ASCENDING), ("scheduled_for", ASCENDING)]),
            IndexModel([("agent_id", 1), ("status", 1), ("scheduled_for", 1), ("_id", 1)]),
            # Admins ask for what has failed, whoever's it is.
            IndexModel([("status", 1), ("scheduled_for", 1), ("_id", 1)]),
        ]


class EmailLogDocument(UuidDocument):
    """An email and what became of it."""

    agent_id: UUID
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

    class Settings:
        name = "email_logs"
        indexes: ClassVar = [
            IndexModel([("client_id", ASCENDING), ("created_at", DESCENDING)]),
            IndexModel([("agent_id", 1), ("status", 1), ("created_at", -1), ("_id", 1)]),
            IndexModel([("status", 1), ("created_at", -1), ("_id", 1)]),
            # The dashboard counts on these, each holding only what it counts.
            _having("sent_at", "agent_id", "sent_at"),
            _having("opened_at", "agent_id", "opened_at", "sent_at"),
            _having("clicked_at", "agent_id", "clicked_at", "opened_at", "sent_at"),
        ]


class TimelineDocument(UuidDocument):
    """One event of a client's story, named by its own id. `data` holds nothing personal.

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
    """A command that was not answered in time, and its answer once it comes; kept for a day."""

    agent_id: UUID
    client_id: UUID | None = None
    status: Literal["pending", "accepted", "rejected"] = "pending"
    kind: RejectionKind | None = None
    reason: str | None = None
    field: str | None = None
    created_at: Time

    class Settings:
        name = "commands"
        indexes: ClassVar = [
            IndexModel(
                [("created_at", ASCENDING)], expireAfterSeconds=int(COMMAND_KEPT.total_seconds())
            )
        ]
