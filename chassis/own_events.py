"""What a service has told: its own topics, and the events in them."""

import structlog
from pydantic import ValidationError

from chassis.arrived import Record, parse
from chassis.intake import Told
from contracts.catalogue import EVENTS
from contracts.cloudevents import Malformed
from contracts.message import Message

log = structlog.get_logger(__name__)


def own_topics(service: str, prefix: str) -> list[str]:
    """Give the full names of the topics whose only writer the service is."""
    return [prefix + topic.name for topic in EVENTS if topic.writer == service]


def own_types(service: str) -> set[type[Message]]:
    """Give the types of event that the service writes."""
    return {type_ for topic in EVENTS if topic.writer == service for type_ in topic.types}


def told_by(record: Record, service: str, types: set[type[Message]]) -> Told | None:
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
    return Told(arrived.envelope, arrived.message, json, place)
