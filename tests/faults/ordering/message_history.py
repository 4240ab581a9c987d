"""A history of messages in a canonical order, with ids that derive from a namespace."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from contracts import cloudevents
from contracts.catalogue import TOPIC_OF
from contracts.cloudevents import Envelope
from contracts.message import Command, Event, Message

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RecordedMessage:
    """A message of a history. `by_worker`: appended by a worker, not caused by a record."""

    message: Message
    envelope: Envelope
    by_worker: bool


class MessageHistory:
    """Commands, each sent twice, and events, with the versions of their streams.

    Another namespace gives another history of the same shape.
    """

    def __init__(self, namespace: UUID) -> None:
        self.namespace = namespace
        self.messages: list[RecordedMessage] = []
        self._versions: Counter[str] = Counter()

    @property
    def streams(self) -> set[str]:
        """The streams of the messages."""
        return {recorded.envelope.subject for recorded in self.messages}

    @property
    def _now(self) -> datetime:
        return NOON + timedelta(minutes=len(self.messages))

    def _append(
        self, type_: type[Message], about: dict[str, UUID], *, by_worker: bool = False, **rest: Any
    ) -> UUID:
        if issubclass(type_, Command):
            self._add(type_(**about, **rest), by_worker=by_worker)
        return self._add(type_(**about, **rest), by_worker=by_worker)

    def _add(self, message: Message, *, by_worker: bool) -> UUID:
        version = None
        if isinstance(message, Event):
            self._versions[message.stream] += 1
            version = self._versions[message.stream]
        envelope = cloudevents.about(
            message,
            id=uuid5(self.namespace, f"{len(self.messages)}"),
            source=TOPIC_OF[type(message)].writers[0],
            time=self._now,
            correlation=uuid5(self.namespace, f"correlation {len(self.messages)}"),
            version=version,
        )
        self.messages.append(RecordedMessage(message, envelope, by_worker))
        return envelope.id
