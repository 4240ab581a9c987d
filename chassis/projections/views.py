"""Views: read models of other services' streams; each version is applied exactly once."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from beanie import Document
from pymongo import InsertOne, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from chassis.mongo.client import Database, Raw, duplicate_index, in_transaction
from chassis.projections.journal import DuplicateEntry, Journal
from contracts.catalogue import EVENTS
from contracts.cloudevents import EventEnvelope
from contracts.message import Message

D = TypeVar("D", bound=Document)

# How often a batch is retried because another replica wrote the same documents.
MAX_RACES = 20


class PositionDocument(Document):
    """The last version of a foreign stream that the views have applied, and when."""

    id: str  # type: ignore[assignment]
    version: int
    applied_at: datetime

    class Settings:
        name = "positions"
        indexes: ClassVar[list[Any]] = []


@dataclass(frozen=True)
class View(Generic[D]):
    """One kind of view document.

    `ids` returns the ids of the documents that an event concerns. `apply` returns such a document
    after the event, from the one before (None if there was none); when nothing changes, the same
    object, which is then not written. Both are pure.
    """

    document: type[D]
    ids: Callable[[Any], Iterable[UUID]]
    apply: Callable[[D | None, Any, UUID], D]
    types: tuple[type[Message], ...]

    @property
    def collection(self) -> str:
        settings: Any = self.document.Settings
        return str(settings.name)


class Views:
    """All views and journals of a service.

    A batch of events is one transaction over them and the positions.
    """

    def __init__(
        self, database: Database, views: Sequence[View[Any]], journals: Sequence[Journal] = ()
    ) -> None:
        self._database = database
        self._positions = database[PositionDocument.Settings.name]
        self._views = views
        self._journals = journals
        projections: list[View[Any] | Journal] = [*views, *journals]
        self.reads: set[type[Message]] = {type_ for each in projections for type_ in each.types}
        # A position counts every version of a stream, also of types that no view reads.
        self.topics = [topic for topic in EVENTS if self.reads & set(topic.types)]
        self.follows: set[type[Message]] = {t for topic in self.topics for t in topic.types}
        self.listeners: list[Callable[[Mapping[str, int]], None]] = []

    async def versions(self, streams: Collection[str]) -> dict[str, int]:
        """Return the versions of the streams that are applied; 0 for an unknown stream."""
        found = self._positions.find({"_id": {"$in": list(streams)}}, {"version": 1})
        known = {raw["_id"]: int(raw["version"]) async for raw in found}
        return {stream: known.get(stream, 0) for stream in streams}

    async def apply(self, events: Sequence[tuple[EventEnvelope, Message | None]]) -> list[int]:
        """Apply the events; return the indices of those that came too early (a gap before them).

        A version that was applied already is a repeat and changes nothing. Raises PyMongoError
        when the store is away, DuplicateEntry when an event has the id of another one: then
        nothing is applied.
        """
        if not events:
            return []

        async def work(session: AsyncClientSession) -> tuple[list[int], dict[str, int]]:
            return await self.apply_in(session, events)

        races = 0
        while True:
            try:
                gaps, reached = await in_transaction(self._database, work)
            except (PyMongoError, DuplicateEntry) as error:
                # Another replica made the same document first: read what it wrote.
                races += 1
                if races == MAX_RACES or not (
                    isinstance(error, DuplicateEntry) or duplicate_index(error)
                ):
                    raise
                continue
            for listener in self.listeners:
                listener(reached)
            return gaps

    async def apply_in(
        self, session: AsyncClientSession, events: Sequence[tuple[EventEnvelope, Message | None]]
    ) -> tuple[list[int], dict[str, int]]:
        """Apply the events in a transaction.

        Returns the indices of those that came too early, and the versions that are reached.
        """
        accepted, gaps, reached = await self._in_order(events, session)
        if reached:
            now = datetime.now(UTC)
            marks = [
                UpdateOne(
                    {"_id": stream}, {"$set": {"version": version, "applied_at": now}}, upsert=True
                )
                for stream, version in reached.items()
            ]
            # First: while a swap holds writers off, this write is refused, before documents that
            # the swap has put in place already could make the events look like duplicates.
            await self._positions.bulk_write(marks, ordered=False, session=session)
            for view in self._views:
                await self._write(view, [event for _, event in accepted], session)
            for journal in self._journals:
                await journal.write(self._database, session, accepted)
        return gaps, reached

    async def _in_order(
        self, events: Sequence[tuple[EventEnvelope, Message | None]], session: AsyncClientSession
    ) -> tuple[list[tuple[EventEnvelope, Message]], list[int], dict[str, int]]:
        streams = list({envelope.subject for envelope, _ in events})
        found = self._positions.find({"_id": {"$in": streams}}, session=session)
        positions = {raw["_id"]: raw["version"] async for raw in found}
        reached: dict[str, int] = {}
        accepted, gaps = [], []
        for index, (envelope, event) in enumerate(events):
            last = reached.get(envelope.subject, positions.get(envelope.subject, 0))
            if envelope.version == last + 1:
                reached[envelope.subject] = envelope.version
                if event is not None:
                    accepted.append((envelope, event))
            elif envelope.version > last:
                gaps.append(index)
        return accepted, gaps, reached

    async def _write(
        self, view: View[Any], events: Sequence[Message], session: AsyncClientSession
    ) -> None:
        concerned = [(e, list(view.ids(e))) for e in events if isinstance(e, view.types)]
        wanted = list({id_ for _, ids in concerned for id_ in ids})
        if not wanted:
            return
        collection = self._database[view.collection]
        found = collection.find({"_id": {"$in": wanted}}, session=session)
        before = {raw["_id"]: view.document.model_validate(raw) async for raw in found}
        documents = dict(before)
        for event, ids in concerned:
            for id_ in ids:
                documents[id_] = view.apply(documents.get(id_), event, id_)
        writes: list[InsertOne[Raw] | ReplaceOne[Raw]] = [
            ReplaceOne({"_id": id_}, view_raw(after))
            if id_ in before
            else InsertOne(view_raw(after))
            for id_, after in documents.items()
            if after is not before.get(id_)
        ]
        if writes:
            await collection.bulk_write(writes, ordered=False, session=session)


def view_raw(document: Document) -> Raw:
    """Return the stored form of a view document; fields that are None are absent."""
    raw = document.model_dump(by_alias=True, exclude={"revision_id"})
    return {name: value for name, value in raw.items() if value is not None}
