"""The timeline: a line for each event of a client, and how it is shown to the agent."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.mongo.client import Database, Raw
from chassis.projections.journal import Journal
from contracts.catalogue import EVENTS
from contracts.cloudevents import Envelope
from contracts.message import AboutClient, Event, rfc3339
from services.gateway.read_models.documents import TimelineDocument
from services.gateway.read_models.schemas import TimelineEntry
from services.gateway.read_models.timeline_text import describe

TOPICS = ("clients", "followups", "drafts", "emails")
NEWEST_FIRST = [("at", -1), ("version", -1), ("_id", 1)]
_APART = {"personal", "agent_id", "client_id"}


def line(envelope: Envelope, event: Any) -> Raw:
    """Give the line of an event; what is personal stays out, so a deletion finds nothing here."""
    return {
        "_id": envelope.id,
        "agent_id": event.agent_id,
        "client_id": event.client_id,
        "type": type(event).__name__,
        "stream": envelope.subject,
        "version": envelope.version,
        "at": envelope.time,
        "data": event.model_dump(exclude=_APART),
    }


TIMELINE = Journal(
    TimelineDocument,
    line,
    tuple(
        type_
        for topic in EVENTS
        if topic.name in TOPICS
        for type_ in topic.types
        if issubclass(type_, AboutClient) and issubclass(type_, Event)
    ),
)


async def entries(database: Database, lines: Sequence[Raw]) -> list[TimelineEntry]:
    """Put lines into words, with the names that the views know: one query for each of them."""
    told = [raw["data"] for raw in lines]
    names = await _known(database, "clients", "name", (raw["client_id"] for raw in lines))
    subjects = await _known(database, "email_logs", "subject", _ids(told, "email_id"))
    kinds = await _known(database, "tasks", "followup_type", _ids(told, "followup_id"))
    return [
        TimelineEntry(
            id=raw["_id"],
            type=raw["type"],
            at=raw["at"],
            client_id=raw["client_id"],
            client_name=names.get(raw["client_id"]),
            subject=subjects.get(data.get("email_id")),
            words=describe(raw["type"], data, kinds.get(data.get("followup_id"))),
            data=_plain(data),
        )
        for raw, data in zip(lines, told, strict=True)
    ]


def _ids(told: Iterable[Raw], field: str) -> Iterable[UUID]:
    return (data[field] for data in told if field in data)


async def _known(
    database: Database, collection: str, field: str, ids: Iterable[UUID]
) -> dict[UUID | None, str]:
    """Give the field by id, where there is one."""
    if not (wanted := list(set(ids))):
        return {}
    found = database[collection].find({"_id": {"$in": wanted}}, {field: 1})
    return {raw["_id"]: raw[field] async for raw in found if field in raw}


def _plain(value: Any) -> Any:
    """Give the data as JSON, times as everywhere."""
    match value:
        case dict():
            return {name: _plain(part) for name, part in value.items()}
        case list():
            return [_plain(part) for part in value]
        case datetime():
            return rfc3339(value)
        case UUID():
            return str(value)
    return value
