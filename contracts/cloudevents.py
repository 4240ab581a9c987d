"""CloudEvents 1.0, Kafka protocol binding, binary mode: attributes are headers, data the value.

Not the `cloudevents` package, since this runs for every record and has to say which header is
wrong; the tests compare it with that package.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import overload
from uuid import UUID

from contracts.message import Message, rfc3339

JSON = b"application/json"


class Malformed(ValueError):
    """A record is not one of our CloudEvents; `field` names the header or field at fault."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Envelope:
    """The attributes of one message.

    `cause` is the id of the message or event that this one follows from, None for a command;
    `correlation` the id of the command that everything follows from.
    """

    id: UUID
    type: str
    source: str
    subject: str
    time: datetime
    correlation: UUID
    cause: UUID | None

    @property
    def traceparent(self) -> str:
        """W3C trace context: the correlation is the trace, the message the span."""
        return f"00-{self.correlation.hex}-{self.id.hex[:16]}-01"


@dataclass(frozen=True, slots=True)
class EventEnvelope(Envelope):
    """The attributes of an event. `version` numbers the events of a stream, from 1."""

    version: int


@overload
def about(
    message: Message,
    *,
    id: UUID,
    source: str,
    time: datetime,
    correlation: UUID,
    cause: UUID | None = ...,
    version: int,
) -> EventEnvelope: ...
@overload
def about(
    message: Message,
    *,
    id: UUID,
    source: str,
    time: datetime,
    correlation: UUID,
    cause: UUID | None = ...,
    version: None = ...,
) -> Envelope: ...
def about(
    message: Message,
    *,
    id: UUID,  # noqa: A002 - the attribute's name in the standard
    source: str,
    time: datetime,
    correlation: UUID,
    cause: UUID | None = None,
    version: int | None = None,
) -> Envelope:
    """Make the envelope of `message`, written by the service `source`; `version`: of an event."""
    attributes = (id, message.wire_name, source, message.stream, time, correlation, cause)
    return Envelope(*attributes) if version is None else EventEnvelope(*attributes, version)


def write(envelope: Envelope) -> list[tuple[str, bytes]]:
    """Return the record's headers."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(envelope.id),
        "ce_type": envelope.type,
        "ce_source": f"/realtoros/{envelope.source}",
        "ce_subject": envelope.subject,
        "ce_time": rfc3339(envelope.time),
        "ce_correlationid": str(envelope.correlation),
        "traceparent": envelope.traceparent,
    }
    if isinstance(envelope, EventEnvelope):
        headers["ce_streamversion"] = str(envelope.version)
    if envelope.cause is not None:
        headers["ce_causationid"] = str(envelope.cause)
    return [("content-type", JSON), *((k, v.encode()) for k, v in headers.items())]


def read(headers: Iterable[tuple[str, bytes | None]]) -> Envelope:
    """Read the envelope of a record: an EventEnvelope if it has a `ce_streamversion`.

    Raises Malformed when a header is missing, null, not UTF-8 or not of its form.
    """
    found = dict(headers)
    if found.get("content-type") != JSON:
        raise Malformed("content-type", "has to be application/json")
    if _text(found, "ce_specversion") != "1.0":
        raise Malformed("ce_specversion", "only 1.0 is understood")
    cause, version = found.get("ce_causationid"), found.get("ce_streamversion")
    try:
        field = "ce_time"
        time = datetime.fromisoformat(_text(found, field))
        if time.tzinfo is None:
            raise Malformed(field, "has no offset from UTC")
        field = "ce_streamversion"
        number = None if version is None else int(_text(found, field))
        if number is not None and number < 1:
            raise Malformed(field, "is less than 1")
        field = "ce_causationid"
        causation = None if cause is None else UUID(_text(found, field))
        field = "ce_correlationid"
        correlation = UUID(_text(found, field))
        field = "ce_id"
        identity = UUID(_text(found, field))
    except Malformed:
        raise
    except ValueError as error:
        raise Malformed(field, str(error)) from error
    attributes = (
        identity,
        _text(found, "ce_type"),
        _text(found, "ce_source").removeprefix("/realtoros/"),
        _text(found, "ce_subject"),
        time,
        correlation,
        causation,
    )
    return Envelope(*attributes) if number is None else EventEnvelope(*attributes, number)


def _text(headers: dict[str, bytes | None], name: str) -> str:
    value = headers.get(name)
    if value is None:
        raise Malformed(name, "is missing or null")
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise Malformed(name, "is not UTF-8") from error
