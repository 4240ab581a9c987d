"""Traces: every message is a span, with the ids that its header carries anyway (ADR 24).

Nothing is passed along: the trace is the correlation, a message's span comes from its id, and the
span of handling a message from that id and the service. So a span's parent can be named by any
process, also days later and after a restart. Without OpenTelemetry's variables nothing is recorded.
"""

import os
import secrets
import time
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol
from uuid import UUID, uuid5

from contracts.cloudevents import Envelope

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

Kind = Literal["server", "client", "producer", "consumer", "internal"]


@dataclass(frozen=True, slots=True)
class Span:
    """One finished span. Times are of the epoch, in nanoseconds."""

    name: str
    kind: Kind
    trace: UUID
    id: int
    parent: int | None
    began: int
    ended: int
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    error: str | None = None


class Exporter(Protocol):
    """Where finished spans go."""

    def export(self, span: Span) -> None: ...
    def close(self) -> None: ...


class _Tracing:
    """The process's exporter, if any, and its service's name."""

    exporter: Exporter | None = None
    service = ""


_tracing = _Tracing()
# The due work that is being done: its trace and span.
current: ContextVar[tuple[UUID, int] | None] = ContextVar("current", default=None)
# The commands that the request in hand has sent.
sent_by_request: ContextVar[list[UUID] | None] = ContextVar("sent_by_request", default=None)


def configure(service: str, environment: Mapping[str, str] = os.environ) -> None:
    """Record spans if the environment names an OTLP endpoint. Raises ImportError."""
    asked = any(environment.get(name) for name in ENDPOINTS)
    disabled = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if not asked or disabled or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return
    from chassis.observability.otlp import OtlpExporter  # noqa: PLC0415 - of the extra `tracing`

    start(service, OtlpExporter(service))


def start(service: str, exporter: Exporter | None) -> None:
    """Record spans of the service there; None stops it."""
    _tracing.service, _tracing.exporter = service, exporter


def is_on() -> bool:
    """Return whether spans are recorded."""
    return _tracing.exporter is not None


def close() -> None:
    """Send what is left, for two seconds at most."""
    if _tracing.exporter:
        _tracing.exporter.close()


def span_of(message_id: UUID) -> int:
    """Return the span of a message: the one in its `traceparent`."""
    return int(message_id.hex[:16], 16)


def handling_of(message_id: UUID, what: str = "") -> int:
    """Return the span in which this service handles the message, or does `what` because of it."""
    return span_of(uuid5(message_id, _tracing.service + what))


def due_work_of(due_set_by: UUID) -> int:
    """Return the span of the work whose date that event has set."""
    return handling_of(due_set_by, " due")


def record(
    name: str,
    kind: Kind,
    *,
    trace: UUID,
    id: int,  # noqa: A002 - the word of the standard
    parent: int | None,
    began: int,
    **rest: Any,
) -> None:
    """Record a span that ends now."""
    if _tracing.exporter:
        _tracing.exporter.export(Span(name, kind, trace, id, parent, began, time.time_ns(), **rest))


def published(topic: str, envelopes: Iterable[Envelope], parent: int | None) -> None:
    """Record messages that were made durable for the topic (its name without the prefix)."""
    if not _tracing.exporter:
        return
    for envelope in envelopes:
        record(
            f"send {topic}",
            "producer",
            trace=envelope.correlation,
            id=span_of(envelope.id),
            parent=parent,
            began=_nanoseconds(envelope.time),
            attributes=_messaging("send", topic, envelope),
        )


def handled(topic: str, envelope: Envelope, began: int, place: Mapping[str, str | int]) -> None:
    """Record that a message from the topic was handled; `place` says where it stood."""
    record(
        f"process {topic}",
        "consumer",
        trace=envelope.correlation,
        id=handling_of(envelope.id),
        parent=span_of(envelope.id),
        began=began,
        attributes={**_messaging("process", topic, envelope), **place},
    )


def called(outcome: str, began: int) -> None:
    """Record a call to a provider that the due work in hand has made."""
    if not _tracing.exporter or (work := current.get()) is None:
        return
    trace, parent = work
    error = None if outcome == "answered" else outcome
    record(
        "call provider",
        "client",
        trace=trace,
        id=secrets.randbits(64) or 1,
        parent=parent,
        began=began,
        error=error,
    )


def _messaging(operation: str, topic: str, envelope: Envelope) -> dict[str, str | int]:
    """Return the attributes of OpenTelemetry's semantic conventions for messaging."""
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": topic,
        "messaging.message.id": str(envelope.id),
        "messaging.message.conversation_id": str(envelope.correlation),
        "cloudevents.event_type": envelope.type,
    }


def _nanoseconds(time_: datetime) -> int:
    return int((time_ - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000) * 1_000_000
