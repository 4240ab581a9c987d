"""`realtoros events tail`: which records are shown, how, and what is not."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from chassis.kafka import client as chassis_kafka
from contracts import cloudevents
from contracts.message import Message
from ops.cli.main import app
from ops.errors import OperatorError
from ops.topics.record_format import TopicRecord
from ops.topics.tail import RecordFilter, parse_time, tail
from tests.contracts.samples import CLIENT, NOON, SAMPLES
from tests.servers import Server

OTHER = uuid4()


def sample(name: str, **changes: Any) -> Any:
    [found] = [message for message in SAMPLES if type(message).__name__ == name]
    return found.model_copy(update=changes)


def headers_of(message: Message) -> list[tuple[str, bytes]]:
    envelope = cloudevents.about(
        message, id=uuid4(), source="test", time=NOON, correlation=uuid4(), version=7
    )
    return cloudevents.write(envelope)


@pytest.fixture
async def producer(kafka: Server, prefix: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer, when the topics are there."""
    await chassis_kafka.apply_topics(kafka.servers, prefix)
    async with chassis_kafka.producer(kafka.servers, "test") as producer:
        yield producer


@pytest.fixture
async def filled(producer: AIOKafkaProducer, prefix: str) -> list[str]:
    """Events of two clients and a malformed record, a minute apart; gives their types."""
    rows: list[tuple[str, Any]] = [
        ("clients", sample("ClientCreated")),
        ("clients", sample("ClientCreated", client_id=OTHER)),
        ("emails", sample("EmailSent")),
        ("emails", None),
        ("emails", sample("EmailSent", client_id=OTHER)),
        ("emails", sample("EmailQueued")),
    ]
    begin = int(NOON.timestamp() * 1000)
    for number, (topic, message) in enumerate(rows):
        await producer.send_and_wait(
            prefix + topic,
            key=str(message.key if message else CLIENT).encode(),
            value=message.to_json().encode() if message else b"\xff{",
            headers=headers_of(message) if message else [("ce_type", None)],
            timestamp_ms=begin + number * 60_000,
        )
    return [type(message).__name__ if message else "?" for _, message in rows]


async def shown(
    kafka: Server, prefix: str, since: datetime | None = None, **wanted: Any
) -> list[TopicRecord]:
    lines: list[TopicRecord] = []
    await tail(
        kafka.servers,
        prefix,
        ["clients", "emails"],
        lines.append,
        record_filter=RecordFilter(**wanted),
        since=since,
        follow=False,
    )
    return sorted(lines, key=lambda line: line.record.timestamp)


async def test_everything_is_shown_and_malformed_records_stop_nothing(
    kafka: Server, prefix: str, filled: list[str]
) -> None:
    lines = await shown(kafka, prefix)
    assert [line.type for line in lines] == filled
    sent = lines[2].text(personal=False)
    place = f"emails/{lines[2].record.partition}/{lines[2].record.offset}"
    assert sent.startswith(f"2026-01-31T12:00:00.250Z  {place}  EmailSent  email-")
    assert f"@7 agent_id={sample('EmailSent').agent_id} " in sent
    assert " attempt=" in sent
    malformed = lines[3].text(personal=False)
    assert 'MALFORMED "content-type: has to be application/json"' in malformed
    assert f"key={CLIENT} bytes=2" in malformed


async def test_filters_show_exactly_what_they_name(
    kafka: Server, prefix: str, filled: list[str]
) -> None:
    sent = await shown(kafka, prefix, types=frozenset({"EmailSent"}))
    assert [line.type for line in sent] == ["EmailSent"] * 2
    of_other = await shown(kafka, prefix, client=str(OTHER))
    assert [line.type for line in of_other] == ["ClientCreated", "EmailSent"]
    # What is malformed but has the client's key is the client's.
    of_client = await shown(kafka, prefix, client=str(CLIENT))
    assert [line.type for line in of_client] == ["ClientCreated", "EmailSent", "?", "EmailQueued"]
    late = await shown(kafka, prefix, since=NOON + timedelta(minutes=3))
    assert [line.type for line in late] == filled[3:]
    assert await shown(kafka, prefix, since=NOON + timedelta(hours=1)) == []


async def test_personal_data_is_shown_only_when_asked_for(
    kafka: Server, prefix: str, filled: list[str]
) -> None:
    for line in await shown(kafka, prefix):
        hidden = line.text(personal=False) + line.json(personal=False)
        assert not any(part in hidden for part in ("personal", "María", "Maria@", "base64"))
    created, *_, malformed, _, queued = await shown(kafka, prefix)
    assert "María José López" in created.text(personal=True)
    assert json.loads(queued.json(personal=True))["value"]["personal"]["to_name"]
    assert json.loads(malformed.json(personal=True))["value"] == {"base64": "/3s="}


def record(value: bytes | None, **headers: bytes | None) -> Any:
    """A record as aiokafka returns it, with valid headers but for these."""
    good: dict[str, bytes | None] = {**dict(headers_of(sample("ClientCreated"))), **headers}

    class Record:
        partition, offset, timestamp, key = 3, 5, 10**18, None

    Record.headers, Record.value = list(good.items()), value  # type: ignore[attr-defined]
    return Record()


@pytest.mark.parametrize(
    "odd",
    [
        record(None),
        record(b""),
        record(b"[1]"),
        record(b"[" * 100_000),
        record(b'{"a":' + b"9" * 5000 + b"}"),
        record(b"{}", ce_time=b"0001-01-01T00:00:00+14:00"),
        record(b"{}", ce_id=b"\xff"),
        record(b"{}", ce_subject=None),
    ],
)
def test_whatever_is_wrong_with_a_record_is_said(odd: Any) -> None:
    line = TopicRecord("clients", odd)
    assert "MALFORMED" in line.text(personal=False)
    assert "malformed" in json.loads(line.json(personal=True))


def test_nothing_in_a_record_can_write_to_the_terminal() -> None:
    value = json.dumps({"a\n": "x\x1b[2J\ud800\x9b", "b": "one word", "c": "ok"}).encode()
    line = TopicRecord("clients", record(value, ce_type=b"realtoros.\x1bOdd.v2"))
    readable = line.text(personal=True)
    assert readable.isprintable()
    assert readable.endswith(r'"a\n"="x\u001b[2J\ud800\u009b" b="one word" c=ok')
    assert line.json(personal=True).encode().isascii()


def test_since_is_a_time_or_a_duration() -> None:
    assert parse_time("15m", NOON) == NOON - timedelta(minutes=15)
    assert parse_time("3d", NOON) == NOON - timedelta(days=3)
    assert parse_time("2026-01-31T13:00:00+01:00", NOON) == datetime(2026, 1, 31, 12, tzinfo=UTC)
    for wrong in ("yesterday", "2026-01-31", "15", "9999999999d", "٣d"):
        with pytest.raises(OperatorError, match="is not a time"):
            parse_time(wrong, NOON)
    with pytest.raises(OperatorError, match="EmailSend"):
        RecordFilter(frozenset({"EmailSend"}))


def test_an_unknown_topic_or_prefix_is_named(kafka: Server) -> None:
    environment = {"KAFKA_BOOTSTRAP_SERVERS": kafka.address, "KAFKA_TOPIC_PREFIX": "nowhere."}
    for arguments, told in ((["clint"], "no topic clint"), ([], "has no topic nowhere.agents")):
        done = CliRunner().invoke(app, ["events", "tail", *arguments], env=environment)
        assert isinstance(done.exception, OperatorError)
        assert told in str(done.exception)


async def test_it_follows_until_ctrl_c_and_that_is_no_failure(
    kafka: Server, prefix: str, producer: AIOKafkaProducer
) -> None:
    environment = {"KAFKA_BOOTSTRAP_SERVERS": kafka.address, "KAFKA_TOPIC_PREFIX": prefix}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ops.cli", "events", "tail", "alerts", "--json", "--since", "1h"),
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    for name in ("AlertRaised", "AlertSent"):
        message = sample(name)
        await producer.send_and_wait(
            f"{prefix}alerts",
            key=str(message.key).encode(),
            value=message.to_json().encode(),
            headers=headers_of(message),
        )
        line = json.loads(await process.stdout.readline())
        assert line["headers"]["ce_type"] == f"realtoros.{name}.v1"
        assert line["value"] == json.loads(message.to_json())
    process.send_signal(signal.SIGINT)
    assert (await process.communicate())[0] == b""
    assert process.returncode == 0
