"""Spans over OTLP, by OpenTelemetry's SDK and its variables; imported only where tracing is on."""

from importlib.metadata import version
from uuid import UUID

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from chassis.observability.tracing import Span

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
FLUSH_MS = 2000
# A UUID is random in its last 56 bits; samplers compare the last 64 of a trace's id.
_RANDOM_BITS = 56


class OtlpExporter:
    """Samples by trace, so that all processes keep the same ones; sends in a thread of its own."""

    def __init__(self, service: str) -> None:
        self._resource = Resource.create(
            {
                "service.name": service,
                "service.namespace": "realtoros",
                "service.version": version("realtoros"),
            }
        )
        self._sampler = TracerProvider(resource=self._resource, shutdown_on_exit=False).sampler
        self._processor = BatchSpanProcessor(OTLPSpanExporter())
        self._scope = InstrumentationScope("realtoros", version("realtoros"))

    def export(self, span: Span) -> None:
        """Queue the span if its trace is sampled; a full queue drops it."""
        if not self._is_sampled(span.trace, span.name):
            return
        parent = None if span.parent is None else _context(span.trace, span.parent, remote=True)
        error = {"error.type": span.error} if span.error else {}
        self._processor.on_end(
            ReadableSpan(
                span.name,
                context=_context(span.trace, span.id, remote=False),
                parent=parent,
                resource=self._resource,
                attributes={**span.attributes, **error},
                kind=SpanKind[span.kind.upper()],
                status=Status(StatusCode.ERROR if span.error else StatusCode.UNSET),
                start_time=span.began,
                end_time=max(span.began, span.ended),
                instrumentation_scope=self._scope,
            )
        )

    def close(self) -> None:
        """Send what is queued."""
        self._processor.force_flush(FLUSH_MS)

    def _is_sampled(self, trace: UUID, name: str) -> bool:
        spread = (trace.int & (1 << _RANDOM_BITS) - 1) << (64 - _RANDOM_BITS)
        decision = self._sampler.should_sample(None, spread, name).decision
        return decision is Decision.RECORD_AND_SAMPLE


def _context(trace: UUID, span: int, *, remote: bool) -> SpanContext:
    return SpanContext(trace.int, span, is_remote=remote, trace_flags=_SAMPLED)
