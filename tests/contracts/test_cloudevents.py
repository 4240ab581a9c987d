"""Our CloudEvents binding, held against the standard's own package and against bad records."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from cloudevents.core.bindings import kafka as theirs
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from contracts import cloudevents
from contracts.catalogue import TYPES
from contracts.cloudevents import Envelope, EventEnvelope, Malformed
from contracts.message import to_milliseconds
from tests.contracts.samples import NOON, SAMPLES

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
# As much as a header may hold that is readable text; a lone surrogate is not UTF-8.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
ATTRIBUTES: dict[str, st.SearchStrategy[Any]] = {
    "id": st.uuids(),
    "type": st.sampled_from(sorted(TYPES)),
    "source": st.sampled_from(["crm", "scheduler", "composer", "mailer", "gateway"]),
    "subject": TEXTS,
    "time": st.datetimes(
        datetime(1970, 1, 1),  # noqa: DTZ001 - the strategy wants naive bounds
        datetime(9000, 1, 1),  # noqa: DTZ001
        timezones=OFFSETS,
    ).map(to_milliseconds),
    "correlation": st.uuids(),
    "cause": st.none() | st.uuids(),
}
ENVELOPES = st.builds(Envelope, **ATTRIBUTES) | st.builds(
    EventEnvelope, **ATTRIBUTES, version=st.integers(1, 2**63 - 1)
)
ENVELOPE = EventEnvelope(
    uuid4(), "realtoros.ClientDeleted.v1", "crm", "client-1", NOON, uuid4(), uuid4(), 3
)


@given(ENVELOPES)
def test_an_envelope_reads_as_it_was_written(envelope: Envelope) -> None:
    assert cloudevents.read(cloudevents.write(envelope)) == envelope


@given(ENVELOPES)
def test_every_header_is_text_and_named_once(envelope: Envelope) -> None:
    headers = cloudevents.write(envelope)
    assert len({name for name, _ in headers}) == len(headers)
    assert all(value.decode() for _, value in headers)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.wire_name)
def test_the_standard_s_package_reads_what_we_write(sample: Any) -> None:
    envelope = cloudevents.about(
        sample, id=uuid4(), source="crm", time=NOON, correlation=uuid4(), cause=uuid4(), version=4
    )
    value = sample.to_json().encode()
    message = theirs.KafkaMessage(dict(cloudevents.write(envelope)), None, value)
    event = theirs.from_binary(message, JSONFormat(), CloudEvent)
    assert event.get_id() == str(envelope.id)
    assert event.get_type() == sample.wire_name
    assert event.get_source() == "/realtoros/crm"
    assert event.get_subject() == sample.stream
    assert event.get_time() == NOON
    assert event.get_specversion() == "1.0"
    assert event.get_datacontenttype() == "application/json"
    assert event.get_extension("streamversion") == "4"
    assert event.get_extension("causationid") == str(envelope.cause)
    assert event.get_extension("correlationid") == str(envelope.correlation)
    assert event.get_data() == json.loads(sample.to_json())


@given(ENVELOPES)
def test_we_read_what_the_standard_s_package_writes(envelope: Envelope) -> None:
    event = CloudEvent(
        attributes={
            "id": str(envelope.id),
            "type": envelope.type,
            "source": f"/realtoros/{envelope.source}",
            "subject": envelope.subject,
            "time": envelope.time,
            "specversion": "1.0",
            "datacontenttype": "application/json",
            "correlationid": str(envelope.correlation),
            **({"causationid": str(envelope.cause)} if envelope.cause else {}),
            **(
                {"streamversion": str(envelope.version)}
                if isinstance(envelope, EventEnvelope)
                else {}
            ),
        },
        data={"agent_id": "x"},
    )
    written = theirs.to_binary(event, JSONFormat())
    assert cloudevents.read(written.headers.items()) == envelope


def test_the_traceparent_is_one_of_the_w3c() -> None:
    version, trace, span, flags = ENVELOPE.traceparent.split("-")
    assert (version, flags) == ("00", "01")
    assert UUID(trace) == ENVELOPE.correlation
    assert len(bytes.fromhex(span)) == 8


REQUIRED = (
    "ce_specversion",
    "ce_id",
    "ce_type",
    "ce_source",
    "ce_subject",
    "ce_time",
    "ce_correlationid",
)


@pytest.mark.parametrize("name", [*REQUIRED, "content-type"])
@pytest.mark.parametrize("value", [None, "missing", b"\xff\xfe"])
def test_a_header_that_is_missing_null_or_not_utf8_is_named(
    name: str, value: bytes | str | None
) -> None:
    headers: dict[str, Any] = dict(cloudevents.write(ENVELOPE))
    headers.pop(name)
    if not isinstance(value, str):
        headers[name] = value
    with pytest.raises(Malformed) as caught:
        cloudevents.read(headers.items())
    assert caught.value.field == name
    assert str(caught.value).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content-type", b"text/plain"),
        ("ce_specversion", b"0.3"),
        ("ce_id", b"17"),
        ("ce_correlationid", b"not-a-uuid"),
        ("ce_causationid", b""),
        ("ce_causationid", b"\xff"),
        ("ce_streamversion", b"one"),
        ("ce_streamversion", b"\xff"),
        ("ce_streamversion", b"0"),
        ("ce_streamversion", b"-1"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-02-30T00:00:00Z"),
        ("ce_time", b"2026-01-31T12:00:00"),
        ("ce_time", b"2026-01-31"),
    ],
)
def test_a_header_that_is_not_of_its_form_is_named(name: str, value: bytes) -> None:
    headers: dict[str, Any] = dict(cloudevents.write(ENVELOPE)) | {name: value}
    with pytest.raises(Malformed) as caught:
        cloudevents.read(headers.items())
    assert caught.value.field == name


def test_headers_that_others_add_are_left_alone() -> None:
    headers = [*cloudevents.write(ENVELOPE), ("tracestate", b"\xff"), ("x-null", None)]
    assert cloudevents.read(headers) == ENVELOPE


def test_times_are_written_in_utc_with_milliseconds() -> None:
    berlin = datetime(2026, 7, 1, 14, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=2)))
    envelope = cloudevents.about(
        SAMPLES[0], id=uuid4(), source="crm", time=berlin, correlation=uuid4()
    )
    assert dict(cloudevents.write(envelope))["ce_time"] == b"2026-07-01T12:00:00.123Z"
    assert to_milliseconds(berlin) == datetime(2026, 7, 1, 12, 0, 0, 123_000, tzinfo=UTC)
