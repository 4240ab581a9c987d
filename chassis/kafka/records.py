"""Records, checked and parsed as far as the service needs them."""

from collections.abc import Container
from dataclasses import dataclass

from aiokafka import ConsumerRecord

from chassis.kafka.origin import origin_of
from contracts import cloudevents
from contracts.catalogue import RETRIES, TOPIC_OF, TYPES
from contracts.cloudevents import Envelope, EventEnvelope, Malformed
from contracts.message import Event, Message

Record = ConsumerRecord[bytes | None, bytes | None]

_RETRIES = frozenset(topic.name for topic in RETRIES)


@dataclass(frozen=True, slots=True)
class ParsedRecord:
    """A record that could be parsed; `message` is None where only its version matters."""

    record: Record
    envelope: Envelope
    message: Message | None


def parse(
    record: Record,
    *,
    prefix: str,
    reads: Container[type[Message]],
    follows: Container[type[Message]],
) -> ParsedRecord | None:
    """Return the record parsed: all of it if its type is in `reads`, its envelope if in `follows`.

    Returns None for other types of the catalogue. Raises Malformed or ValidationError for a record
    that is not valid, of an unknown type, from another topic than its type's, or from another
    writer than that topic's. `prefix` is that of the topics.
    """
    raw = dict(record.headers).get("ce_type")
    type_ = TYPES.get(raw.decode(errors="replace")) if raw else None
    if type_ is not None and type_ not in reads and type_ not in follows:
        return None
    envelope = cloudevents.read(record.headers)
    if type_ is None:
        raise Malformed("ce_type", f"{envelope.type} is not known here")
    _require_own_topic(record, envelope, type_, prefix)
    if issubclass(type_, Event) and not isinstance(envelope, EventEnvelope):
        raise Malformed("ce_streamversion", "is missing")
    if type_ not in reads:
        return ParsedRecord(record, envelope, None)
    message = type_.model_validate_json(record.value or b"")
    if message.stream != envelope.subject and issubclass(type_, Event):
        raise Malformed("ce_subject", "is not the stream that the value is about")
    return ParsedRecord(record, envelope, message)


def _require_own_topic(
    record: Record, envelope: Envelope, type_: type[Message], prefix: str
) -> None:
    """Raise Malformed unless the record is from the topic of its type and from its writer."""
    topic = TOPIC_OF[type_]
    found = record.topic.removeprefix(prefix)
    if found in _RETRIES:
        found = _topic_before_retry(record)
    if found != topic.name:
        raise Malformed("ce_type", f"{type_.wire_name} belongs to {topic.name}, not to {found}")
    if envelope.source not in topic.writers:
        writers = " or ".join(topic.writers)
        raise Malformed(
            "ce_source", f"{envelope.source!r} does not write to {topic.name}: only {writers} does"
        )


def _topic_before_retry(record: Record) -> str:
    """Return the topic from which a record came into quarantine. Raises Malformed."""
    try:
        return origin_of(record)[0].topic
    except (LookupError, ValueError) as error:
        raise Malformed(
            "quarantine_topic",
            "and the partition and offset of a retry are missing or wrong: only"
            " `realtoros quarantine retry` writes retries",
        ) from error
