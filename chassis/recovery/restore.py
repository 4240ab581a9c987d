"""Taking in: the events that stand in a topic become the commits and states they came from."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from pydantic import ValidationError
from pymongo import InsertOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from chassis.eventlog.aggregate import Aggregate, Commit, Recorded, StateDocument, commit_id
from chassis.eventlog.event_store import BY_CAUSE, EventLog
from chassis.kafka.records import Record, parse
from chassis.mongo.client import Database, Raw
from contracts.catalogue import EVENTS, topic_of
from contracts.cloudevents import Envelope, Malformed
from contracts.message import Message


class OwnEvent(NamedTuple):
    """An event of a service's own, from its topic, or from its log when `place` is None."""

    envelope: Envelope
    event: Message
    json: str
    place: Raw | None


class Fork(Exception):
    """Two different events are the same version of a stream: in topic and log, or in the topic."""

    def __init__(self, told: OwnEvent) -> None:
        envelope = told.envelope
        super().__init__(
            f"a fork: the topic {topic_of(type(told.event))} has {envelope.id} as"
            f" {envelope.subject}@{envelope.version} at {told.place}, but that version is another"
            " event already; decide which is right (docs/operations.md, “When a server lost its"
            " data”)"
        )


class Restorer:
    """Takes events into a log and its states; `missing` are streams of which some never came."""

    def __init__(self, database: Database, aggregates: Sequence[Aggregate[Any, Any]]) -> None:
        self._log = EventLog(database)
        self._aggregates = {aggregate.name: aggregate for aggregate in aggregates}
        # By stream a version that came before what precedes it.
        self.missing: dict[str, int] = {}

    async def take(self, session: AsyncClientSession, events: Sequence[OwnEvent]) -> None:
        """Append what follows the log's last version of a stream, in a transaction.

        What the log holds already changes nothing; what came too early is noted in `missing`.
        Raises Fork, PyMongoError.
        """
        streams: dict[str, list[OwnEvent]] = {}
        for told in events:
            streams.setdefault(told.envelope.subject, []).append(told)
        stored = await self._load(session, streams)
        known = await self._known(session, streams, stored)
        commits: list[InsertOne[Raw] | UpdateOne] = []
        documents: list[tuple[Aggregate[Any, Any], StateDocument[Any]]] = []
        for stream, told_ in streams.items():
            before = stored.get(stream)
            new = self._new(told_, before.version if before else 0, known)
            if not new:
                continue
            for cause, run in groupby(new, key=lambda told: told.envelope.cause):
                begun = known.get((cause, stream)) if before and cause else None
                commits.append(_commit(list(run), begun))
            aggregate, of = self._aggregate(stream)
            recorded = [Recorded(told.event, told.envelope, told.json) for told in new]
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

    async def _known(
        self,
        session: AsyncClientSession,
        streams: dict[str, list[OwnEvent]],
        stored: dict[str, StateDocument[Any]],
    ) -> dict[tuple[UUID, str], Raw]:
        """Find the commits that hold, or end just before, events that may not be new."""
        causes = {
            told.envelope.cause
            for stream, before in stored.items()
            for told in streams[stream]
            if told.envelope.cause and (told.envelope.version or 0) <= before.version + 1
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
        self, told_: Sequence[OwnEvent], version: int, known: dict[tuple[UUID, str], Raw]
    ) -> list[OwnEvent]:
        new: list[OwnEvent] = []
        for told in told_:
            envelope = told.envelope
            number = envelope.version or 0
            if number == version + 1:
                new.append(told)
                version = number
            elif number > version:
                self.missing[envelope.subject] = max(number, self.missing.get(envelope.subject, 0))
            elif new and number >= (new[0].envelope.version or 0):
                if new[number - (new[0].envelope.version or 0)].envelope.id != envelope.id:
                    raise Fork(told)
            elif not _holds(known.get((envelope.cause, envelope.subject)), envelope):  # type: ignore[arg-type]
                raise Fork(told)
        if told_ and self.missing.get(told_[0].envelope.subject, version + 1) <= version:
            del self.missing[told_[0].envelope.subject]
        return new


def _holds(commit: Raw | None, envelope: Envelope) -> bool:
    if commit is None:
        return False
    index = (envelope.version or 0) - commit["first"]
    ids = [event["id"] for event in commit["events"]]
    return envelope.id in ids[index : index + 1] and index >= 0


def _commit(run: Sequence[OwnEvent], begun: Raw | None) -> InsertOne[Raw] | UpdateOne:
    """Give the write of a commit's events; `begun` is what is stored of the same commit."""
    first, last = run[0], run[-1]
    published: Any = False if last.place is None else last.place
    envelope = first.envelope
    if envelope.version is None or envelope.cause is None or last.envelope.version is None:
        raise ValueError(f"{envelope.type} {envelope.id} is no event of a log")
    commit = Commit(
        stream=envelope.subject,
        first=envelope.version,
        cause=envelope.cause,
        correlation=envelope.correlation,
        at=envelope.time,
        key=first.event.key,
        topic=topic_of(type(first.event)),
        events=tuple(Recorded(told.event, told.envelope, told.json) for told in run),
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


log = structlog.get_logger(__name__)


def own_topics(service: str, prefix: str) -> list[str]:
    """Give the full names of the topics whose only writer the service is."""
    return [prefix + topic.name for topic in EVENTS if topic.writer == service]


def own_types(service: str) -> set[type[Message]]:
    """Give the types of event that the service writes."""
    return {type_ for topic in EVENTS if topic.writer == service for type_ in topic.types}


def read_own_event(record: Record, service: str, types: set[type[Message]]) -> OwnEvent | None:
    """Read an event of the service's own; what another hand put into its topic is passed over."""
    try:
        arrived = parse(record, reads=types, follows=())
        if arrived is None or arrived.message is None or arrived.envelope.source != service:
            raise Malformed("ce_source", "is not the topic's only writer")
        if arrived.envelope.cause is None:
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
    place = {"partition": record.partition, "offset": record.offset}
    json = (record.value or b"").decode()
    return OwnEvent(arrived.envelope, arrived.message, json, place)
