"""An aggregate: its state document, its fold, and the change that one decision makes to both."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid5

from pydantic import BaseModel
from pymongo import IndexModel

from chassis.domain.errors import Refused
from chassis.domain.state import State
from chassis.mongo.client import Raw, UuidDocument
from chassis.observability import tracing
from contracts import cloudevents
from contracts.catalogue import topic_of
from contracts.cloudevents import EventEnvelope
from contracts.message import Event, Message

S = TypeVar("S", bound=State)

# Work on hold stands apart, so that looking for due work does not pass over it each time.
DUE_ORDER = (("claim.holder", 1), ("claim.until", 1), ("state.due_at", 1))
DUE = IndexModel(
    DUE_ORDER,
    name="due_in_turns",
    partialFilterExpression={"state.due_at": {"$exists": True}},
)


class Claim(BaseModel):
    """A worker's request to the others to leave a due document alone until then.

    With a `holder`: for as long as that one holds the work.
    """

    token: UUID
    until: datetime
    holder: UUID | None = None


class StateDocument(UuidDocument, Generic[S]):
    """The stored form of a state: what is folded from the stream's events 1 to `version`.

    `due_set_by` is the id of the event that set `state.due_at`; `claim` is no part of the state.
    """

    version: int
    correlation: UUID
    due_set_by: UUID | None = None
    claim: Claim | None = None
    state: S


def commit_id(stream: str, first: int) -> str:
    """Return the id of the commit that begins with this version; a stream's ids sort in order."""
    return f"{stream}@{first:09}"


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event with its envelope and the exact text that is stored and published."""

    event: Message
    envelope: EventEnvelope
    json: str


@dataclass(frozen=True, slots=True)
class Commit:
    """Events of one stream from version `first` on, with one cause, appended together."""

    stream: str
    first: int
    cause: UUID
    correlation: UUID
    at: datetime
    key: UUID
    topic: str
    events: tuple[RecordedEvent, ...]

    @property
    def last(self) -> int:
        return self.first + len(self.events) - 1

    def to_raw(self) -> Raw:
        """Return the document of the collection `commits`."""
        return {
            "_id": commit_id(self.stream, self.first),
            "stream": self.stream,
            "first": self.first,
            "last": self.last,
            "cause": self.cause,
            "correlation": self.correlation,
            "at": self.at,
            "key": self.key,
            "topic": self.topic,
            "events": [
                {"id": e.envelope.id, "type": e.envelope.type, "data": e.json} for e in self.events
            ],
            "published": False,
        }


@dataclass(frozen=True, slots=True)
class Change(Generic[S]):
    """A commit and the state document that follows from it; the log writes both or neither."""

    aggregate: "Aggregate[S, Any]"
    commit: Commit
    document: StateDocument[S]

    def record(self, parent: int) -> None:
        """Record the appended events as spans of the trace, below the span `parent`."""
        tracing.published(self.commit.topic, (e.envelope for e in self.commit.events), parent)


E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Aggregate(Generic[S, E]):
    """One kind of stream. Streams are named `<name>-<uuid>`.

    `unique`: the refusal for each unique index on the state.
    """

    name: str
    document: type[StateDocument[S]]
    evolve: Callable[[S | None, E], S]
    unique: Mapping[str, Refused] = field(default_factory=dict)

    @property
    def collection(self) -> str:
        settings: Any = self.document.Settings
        return str(settings.name)

    def id_of(self, stream: str) -> UUID:
        """Return the id of the aggregate whose stream this is."""
        return UUID(stream.removeprefix(f"{self.name}-"))

    def change(
        self,
        of: UUID,
        stored: StateDocument[S] | None,
        events: Sequence[E],
        *,
        source: str,
        cause: UUID,
        correlation: UUID,
        at: datetime,
    ) -> Change[S]:
        """Return the commit of `events`, and the document that follows from them and `stored`."""
        stream = f"{self.name}-{of}"
        first = stored.version + 1 if stored else 1
        recorded = []
        for version, event in enumerate(events, first):
            if event.stream != stream:
                raise ValueError(f"{event.wire_name} of {event.stream} decided for {stream}")
            envelope = cloudevents.about(
                event,
                id=uuid5(cause, f"{stream}@{version}"),
                source=source,
                time=at,
                correlation=correlation,
                cause=cause,
                version=version,
            )
            recorded.append(RecordedEvent(event, envelope, event.to_json()))
        commit = Commit(
            stream=stream,
            first=first,
            cause=cause,
            correlation=correlation,
            at=at,
            key=events[0].key,
            topic=topic_of(type(events[0])),
            events=tuple(recorded),
        )
        return Change(self, commit, self.fold(of, stored, recorded))

    def fold(
        self, of: UUID, stored: StateDocument[S] | None, recorded: Sequence[RecordedEvent]
    ) -> StateDocument[S]:
        """Return the document that follows from `stored` and the events after it, one at least."""
        state = stored.state if stored else None
        due_set_by = stored.due_set_by if stored else None
        for each in recorded:
            before = state.due_at if state else None
            state = self.evolve(state, each.event)  # type: ignore[arg-type]
            if state.due_at != before:
                due_set_by = each.envelope.id if state.due_at else None
        last = recorded[-1].envelope
        folded: StateDocument[S] = self.document.model_construct(
            id=of,
            version=last.version,
            correlation=last.correlation,
            due_set_by=due_set_by,
            claim=None,
            state=state,
        )
        return folded


def to_raw(document: StateDocument[Any]) -> Raw:
    """Return the stored form; fields that are None are absent, to keep sparse indexes small."""
    state = document.state.model_dump()
    raw: Raw = {
        "_id": document.id,
        "version": document.version,
        "correlation": document.correlation,
        "state": {name: value for name, value in state.items() if value is not None},
    }
    if document.due_set_by is not None:
        raw["due_set_by"] = document.due_set_by
    return raw
