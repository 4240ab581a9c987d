"""What a log line and a counter tell of appended events: the story of each follow-up."""

from collections.abc import Sequence
from typing import Any

import structlog
from prometheus_client import Counter

from chassis.eventlog.aggregate import Change
from chassis.observability.series import at_zero
from contracts.catalogue import EVENTS as TOPICS
from contracts.catalogue import MILESTONES

EVENTS = Counter("realtoros_events_total", "Events appended by this process.", ["type"])
# What is told of a milestone, where the event has it; never anything personal.
FACTS = ("agent_id", "client_id", "followup_id", "email_id", "attempt")

log = structlog.get_logger(__name__)


def declare_events(service: str) -> None:
    """Create the series of all events that the service may append."""
    types = (t for topic in TOPICS if topic.writer == service for t in topic.types)
    at_zero(EVENTS, (type_.__name__ for type_ in types))


def tell(changes: Sequence[Change[Any]]) -> None:
    """Count the events of appended changes, and log the milestones."""
    for change in changes:
        for recorded in change.commit.events:
            event = recorded.event
            EVENTS.labels(type(event).__name__).inc()
            if milestone := MILESTONES.get(type(event)):
                facts = {f: str(value) for f in FACTS if (value := getattr(event, f, None))}
                log.info(milestone, correlation=str(change.commit.correlation), **facts)
