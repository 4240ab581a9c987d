"""Spans: ids that follow from the message, nothing without a configuration."""

import subprocess
import sys
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from chassis.observability import tracing
from chassis.observability.otlp import OtlpExporter
from contracts.cloudevents import Envelope


def envelope() -> Envelope:
    return Envelope(uuid4(), "realtoros.T.v1", "crm", "client-1", datetime.now(UTC), uuid4(), None)


def test_the_span_of_a_message_is_the_one_in_its_header() -> None:
    message = envelope()
    assert f"{tracing.span_of(message.id):016x}" == message.traceparent.split("-")[2]


def test_without_an_endpoint_nothing_is_recorded_and_opentelemetry_is_not_imported() -> None:
    script = (
        "import sys, os\n"
        "from chassis.observability import tracing\n"
        "tracing.configure('crm', {'OTEL_TRACES_SAMPLER': 'always_on'})\n"
        "tracing.configure('crm', {'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://x', "
        "'OTEL_SDK_DISABLED': 'true'})\n"
        "assert not tracing.is_on()\n"
        "assert not any(name.startswith('opentelemetry') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_one_in_ten_is_one_in_ten_of_the_ids_that_commands_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.1")
    first, second = OtlpExporter("crm"), OtlpExporter("mailer")
    traces: list[UUID] = [uuid4() for _ in range(5000)]
    sampled = [trace for trace in traces if first._is_sampled(trace, "a")]
    assert 380 < len(sampled) < 630
    assert sampled == [trace for trace in traces if second._is_sampled(trace, "b")]
    first._processor.shutdown()  # type: ignore[no-untyped-call]
    second._processor.shutdown()  # type: ignore[no-untyped-call]
