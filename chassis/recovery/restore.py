"""Restoring a service's own events, from its topics or its log, as commits and states."""

from collections.abc import Container, Sequence
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from pydantic import ValidationError
from pymongo import InsertOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from chassis.eventlog.aggregate import Aggregate, Commit, RecordedEvent, StateDocument, commit_id
from chassis.eventlog.event_store import BY_CAUSE, EventLog
from chassis.kafka.records import Record, parse
from chassis.mongo.client import Database, Raw
from contracts.catalogue import EVENTS, topic_of
from contracts.cloudevents import EventEnvelope, Malformed
from contracts.message import Message

log = structlog.get_logger(__name__)


class OwnEvent(NamedTuple):
    """An event of the service's own; `position`: partition and offset, None if unpublished."""

    envelope: EventEnvelope
    cause: UUID
    event: Message
    json: str
    position: Raw | None

    @property
    def stream(self) -> str:
        return self.envelope.subject

    @property
    def version(self) -> int:
        return self.envelope.version

    @property
    def recorded(self) -> RecordedEvent:
        return RecordedEvent(self.event, self.envelope, self.json)


def own_topics(service: str, prefix: str) -> list[str]:
    """Return the full names of the topics whose only writer the service is."""
    return [prefix + topic.name for topic in EVENTS if topic.writer == service]


def own_types(service: str) -> set[type[Message]]:
    """Return the types of event that the service writes."""
    return {type_ for topic in EVENTS if topic.writer == service for type_ in topic.types}


def read_own_event(record: Record, types: Container[type[Message]], prefix: str) -> OwnEvent | None:
    """Read an event of the service's own `types`; None for a record that is none of them."""
    try:
        parsed = parse(record, prefix=prefix, reads=types, follows=())
        if (
            parsed is None
            or parsed.message is None
            or not isinstance(parsed.envelope, EventEnvelope)
        ):
            raise Malformed("ce_type", "is not an event of the topic")
        if parsed.envelope.cause is None:
            raise Malformed("ce_causationid", "is missing")
    except (Malformed, ValidationError) as error:
        log.warning(
            "passed_over",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            error=str(error) if isinstance(error, Malformed) else type(error).__name__,
        )
        return None
    return OwnEvent(
        parsed.envelope,
        parsed.envelope.cause,
        parsed.message,
        (record.value or b"").decode(),
        {"partition": record.partition, "offset": record.offset},
    )


class Fork(Exception):
    """Two different events are the same version of a stream: in topic and log, or in the topic."""

    def __init__(self, event: OwnEvent) -> None:
        super().__init__(
            f"a fork: the topic {topic_of(type(event.event))} has {event.envelope.id} as"
            f" {event.stream}@{event.version} at {event.position}, but that version is another"
            " event already; decide which is right (docs/operations.md, “When a server lost its"
            " data”)"
        )


class Restorer:
    """Restores events to a log and its states.

    `missing`: by stream, the last version that was read without all the versions before it.
    """

    def __init__(self, database: Database, aggregates: Sequence[Aggregate[Any, Any]]) -> None:
        self._log = EventLog(database)
        self._aggregates = {aggregate.name: aggregate for aggregate in aggregates}
        self.missing: dict[str, int] = {}

    async def restore(self, session: AsyncClientSession, events: Sequence[OwnEvent]) -> None:
        """Append the events that follow the log's last version of their stream, in a transaction.

        What the log holds already changes nothing; what follows a gap is noted in `missing`.
        Raises Fork, PyMongoError.
        """
        streams: dict[str, list[OwnEvent]] = {}
        for event in events:
            streams.setdefault(event.stream, []).append(event)
        stored = await self._load(session, streams)
        known = await self._known_commits(session, streams, stored)
        commits: list[InsertOne[Raw] | UpdateOne] = []
        documents: list[tuple[Aggregate[Any, Any], StateDocument[Any]]] = []
        for stream, of_stream in streams.items():
            before = stored.get(stream)
            new = self._new(of_stream, before.version if before else 0, known)
            if not new:
                continue
            for cause, run in groupby(new, key=lambda event: event.cause):
                begun = known.get((cause, stream)) if before else None
                commits.append(_commit_write(list(run), begun))
            aggregate, of = self._aggregate(stream)
            recorded = [event.recorded for event in new]
            documents.append((aggregate, aggregate.fold(of, before, recorded)))
        if commits:
            await self._log.write(session, commits, documents)

    def _aggregate(self, stream: str) -> tuple[Aggregate[Any, Any], UUID]:
        aggregate = self._aggregates[stream.partition("-")[0]]
        return aggregate, aggregate.id_of(stream)

    async def _load(
        self, session: AsyncClientSession, streams: dict[str, list[OwnEvent]]
    ) -> dict[str, StateDocument[Any]]:
        ids: dict[str, list[UUID]] = {}
        for stream in streams:
            aggregate, of = self._aggregate(stream)
            ids.setdefault(aggregate.name, []).append(of)
        stored: dict[str, StateDocument[Any]] = {}
        for name, wanted in ids.items():
            found = await self._log.load(self._aggregates[name], wanted, session)
            stored |= {f"{name}-{of}": document for of, document in found.items()}
        return stored

    async def _known_commits(
        self,
        session: AsyncClientSession,
        streams: dict[str, list[OwnEvent]],
        stored: dict[str, StateDocument[Any]],
    ) -> dict[tuple[UUID, str], Raw]:
        """Find the commits that hold, or end just before, events that may not be new."""
        causes = {
            event.cause
            for stream, before in stored.items()
            for event in streams[stream]
            if event.version <= before.version + 1
        }
        if not causes:
            return {}
        found = self._log.commits.find(
            {"cause": {"$in": list(causes)}},
            {"cause": 1, "stream": 1, "first": 1, "last": 1, "events.id": 1},
            session=session,
        ).hint(BY_CAUSE)
        return {(raw["cause"], raw["stream"]): raw async for raw in found}

    def _new(
        self, events: Sequence[OwnEvent], last: int, known: dict[tuple[UUID, str], Raw]
    ) -> list[OwnEvent]:
        """Return the events of one stream that follow its version `last` without a gap."""
        new: list[OwnEvent] = []
        stream = events[0].stream
        for event in events:
            if event.version == last + 1:
                new.append(event)
                last = event.version
            elif event.version > last:
                self.missing[stream] = max(event.version, self.missing.get(stream, 0))
            elif new and event.version >= new[0].version:
                if new[event.version - new[0].version].envelope.id != event.envelope.id:
                    raise Fork(event)
            elif not _holds(known.get((event.cause, stream)), event):
                raise Fork(event)
        if self.missing.get(stream, last + 1) <= last:
            del self.missing[stream]
        return new


def _holds(commit: Raw | None, event: OwnEvent) -> bool:
    if commit is None or event.version < commit["first"]:
        return False
    index = event.version - commit["first"]
    return event.envelope.id in [each["id"] for each in commit["events"][index : index + 1]]


def _commit_write(run: Sequence[OwnEvent], begun: Raw | None) -> InsertOne[Raw] | UpdateOne:
    """Return the write of a commit's events; `begun` is what is stored of the same commit."""
    first, position = run[0], run[-1].position
    published: Any = False if position is None else position
    commit = Commit(
        stream=first.stream,
        first=first.version,
        cause=first.cause,
        correlation=first.envelope.correlation,
        at=first.envelope.time,
        key=first.event.key,
        topic=topic_of(type(first.event)),
        events=tuple(event.recorded for event in run),
    )
    raw = commit.to_raw() | {"published": published}
    if begun is None or begun["last"] != commit.first - 1:
        return InsertOne(raw)
    return UpdateOne(
        {"_id": commit_id(commit.stream, begun["first"])},
        {
            "$push": {"events": {"$each": raw["events"]}},
            "$set": {"last": commit.last, "published": published},
        },
    )
