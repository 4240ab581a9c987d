"""The timeline: a document per event of a client, and the entries made of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from chassis.mongo.client import Database, Raw
from chassis.projections.journal import Journal
from contracts.catalogue import EVENTS
from contracts.cloudevents import EventEnvelope
from contracts.mailer import AddressResubscribed, AddressSuppressed, SuppressionReleased
from contracts.message import AboutClient, Event, Time, rfc3339
from contracts.scheduler import FollowupReassigned
from services.gateway.read_models.documents import TimelineDocument
from services.gateway.read_models.timeline_text import describe

TOPICS = ("clients", "followups", "drafts", "emails")
NEWEST_FIRST = [("at", -1), ("version", -1), ("_id", 1)]
_EXCLUDED = {"personal", "agent_id", "client_id", "reported_client"}
# They are about an address, but told of a client.
_OF_ADDRESSES = (AddressSuppressed, AddressResubscribed, SuppressionReleased)


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


def project_event(envelope: EventEnvelope, event: Any) -> Raw | None:
    """Return the document of an event, without personal data, so a deletion need not touch it.

    None for one that is not about a client.
    """
    client_id = event.reported_client if isinstance(event, _OF_ADDRESSES) else event.client_id
    if client_id is None:
        return None
    return {
        "_id": envelope.id,
        "agent_id": event.agent_id,
        "client_id": client_id,
        "type": type(event).__name__,
        "stream": envelope.subject,
        "version": envelope.version,
        "at": envelope.time,
        "data": event.model_dump(exclude=_EXCLUDED),
    }


TIMELINE = Journal(
    TimelineDocument,
    project_event,
    tuple(
        type_
        for topic in EVENTS
        if topic.name in TOPICS
        for type_ in topic.types
        if issubclass(type_, (AboutClient, *_OF_ADDRESSES)) and issubclass(type_, Event)
        # Several for each client that was reassigned, of which ClientReassigned tells.
        if not issubclass(type_, FollowupReassigned)
    ),
)


async def to_entries(
    database: Database, documents: Sequence[Raw], viewer: UUID | None = None
) -> list[TimelineEntry]:
    """Return the entries with names, subjects and types from the views, in one query each.

    `viewer`: the agent who sees them; None if that is each entry's own. What belongs to another
    agent now has neither name nor subject, as if it were deleted.
    """
    event_data = [raw["data"] for raw in documents]
    client_ids = (raw["client_id"] for raw in documents)
    names = await _field_by_id(database, "clients", "name", client_ids)
    subjects = await _field_by_id(database, "email_logs", "subject", _ids(event_data, "email_id"))
    kinds = await _field_by_id(database, "tasks", "followup_type", _ids(event_data, "followup_id"))
    return [
        TimelineEntry(
            id=raw["_id"],
            type=raw["type"],
            at=raw["at"],
            client_id=raw["client_id"],
            client_name=names.get((agent, raw["client_id"])),
            subject=subjects.get((agent, data.get("email_id"))),
            words=describe(raw["type"], data, kinds.get((agent, data.get("followup_id")))),
            data=_to_json(data),
        )
        for raw, data in zip(documents, event_data, strict=True)
        for agent in (viewer or raw["agent_id"],)
    ]


def _ids(event_data: Iterable[Raw], field: str) -> Iterable[UUID]:
    return (data[field] for data in event_data if field in data)


async def _field_by_id(
    database: Database, collection: str, field: str, ids: Iterable[UUID]
) -> dict[tuple[UUID, UUID | None], str]:
    """Return the field's values by the document's agent and id, where there is one."""
    if not (wanted := list(set(ids))):
        return {}
    found = database[collection].find({"_id": {"$in": wanted}}, {"agent_id": 1, field: 1})
    return {(raw["agent_id"], raw["_id"]): raw[field] async for raw in found if field in raw}


def _to_json(value: Any) -> Any:
    """Return the value for JSON, times in RFC 3339."""
    match value:
        case dict():
            return {name: _to_json(part) for name, part in value.items()}
        case list():
            return [_to_json(part) for part in value]
        case datetime():
            return rfc3339(value)
        case UUID():
            return str(value)
    return value
