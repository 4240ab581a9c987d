"""Records, parsed as far as the service needs them."""

from collections.abc import Container
from dataclasses import dataclass

from aiokafka import ConsumerRecord

from contracts import cloudevents
from contracts.catalogue import TYPES
from contracts.cloudevents import Envelope, EventEnvelope, Malformed
from contracts.message import Event, Message

Record = ConsumerRecord[bytes | None, bytes | None]


@dataclass(frozen=True, slots=True)
class ParsedRecord:
    """A record that could be parsed; `message` is None where only its version matters."""

    record: Record
    envelope: Envelope
    message: Message | None


def parse(
    record: Record, *, reads: Container[type[Message]], follows: Container[type[Message]]
) -> ParsedRecord | None:
    """Return the record parsed: all of it if its type is in `reads`, its envelope if in `follows`.

    Returns None for other types of the catalogue. Raises Malformed or ValidationError for a record
    that is not valid, or of an unknown type.
    """
    raw = dict(record.headers).get("ce_type")
    type_ = TYPES.get(raw.decode(errors="replace")) if raw else None
    if type_ is not None and type_ not in reads and type_ not in follows:
        return None
    envelope = cloudevents.read(record.headers)
    if type_ is None:
        raise Malformed("ce_type", f"{envelope.type} is not known here")
    if issubclass(type_, Event) and not isinstance(envelope, EventEnvelope):
        raise Malformed("ce_streamversion", "is missing")
    if type_ not in reads:
        return ParsedRecord(record, envelope, None)
    message = type_.model_validate_json(record.value or b"")
    if message.stream != envelope.subject and issubclass(type_, Event):
        raise Malformed("ce_subject", "is not the stream that the value is about")
    return ParsedRecord(record, envelope, message)
