"""Quarantine: a record that cannot be handled waits in a topic of its own, and nothing is lost.

The topic `<service>.quarantine` is compacted. A key names one record by where it came from; its
latest record is the raw one with the reason, or a tombstone once an operator has seen to it.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from prometheus_client import Counter

from chassis.kafka.topic_reader import topic_reader
from contracts.message import rfc3339

QUARANTINED = Counter(
    "realtoros_quarantined_total", "Records that could not be handled, by their topic.", ["topic"]
)

MARK = "quarantine_"
# A reason may quote a header that is as large as the record.
LONGEST_REASON = 500

log = structlog.get_logger(__name__)


class Origin(NamedTuple):
    """Where a record was first read; `topic` is without the prefix."""

    topic: str
    partition: int
    offset: int

    @property
    def key(self) -> str:
        """What the record is called in quarantine."""
        return f"{self.topic}-{self.partition}-{self.offset}"


class Quarantine:
    """Writes to the topic `<service>.quarantine`."""

    def __init__(self, producer: AIOKafkaProducer, service: str, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix
        self._topic = f"{prefix}{service}.quarantine"
        self._retries = f"{prefix}{service}.retries"

    async def put(self, record: Any, reason: str) -> None:
        """Keep the raw record with where it was and why it is here; `reason` without personal data.

        Raises KafkaError when it could not be stored: then the record must not be acknowledged.
        """
        reason = reason[:LONGEST_REASON]
        topic = record.topic.removeprefix(self._prefix)
        origin, headers = Origin(topic, record.partition, record.offset), record.headers
        if record.topic == self._retries:
            # What somebody else has put there has no origin but this.
            with contextlib.suppress(LookupError, ValueError):
                origin, headers = origin_of(record)
        told = {
            **headers_of(origin),
            "quarantine_reason": reason,
            "quarantine_at": rfc3339(datetime.now(UTC)),
        }
        if record.key is not None:
            told["quarantine_key"] = record.key.hex()
        if record.value is None:
            told["quarantine_null"] = "value"
        await self._producer.send_and_wait(
            self._topic,
            key=origin.key.encode(),
            value=record.value or b"",
            headers=[*headers, *((name, text.encode()) for name, text in told.items())],
        )
        QUARANTINED.labels(origin.topic).inc()
        log.warning("read_quarantine", **origin._asdict(), reason=reason)


def headers_of(origin: Origin) -> dict[str, str]:
    """Give the headers that keep the origin with the record."""
    return {f"{MARK}{name}": str(value) for name, value in origin._asdict().items()}


def origin_of(record: Any) -> tuple[Origin, list[tuple[str, bytes | None]]]:
    """Give the origin of a record that was in quarantine, and the headers it had before.

    Raises LookupError or ValueError for one that was not.
    """
    told = {name: value or b"" for name, value in record.headers if name.startswith(MARK)}
    origin = Origin(
        told[f"{MARK}topic"].decode(),
        int(told[f"{MARK}partition"]),
        int(told[f"{MARK}offset"]),
    )
    return origin, [header for header in record.headers if not header[0].startswith(MARK)]


_BATCH = 500


@dataclass(frozen=True)
class QuarantinedRecord:
    """A record in quarantine; headers, key and value are as it came.

    It is called by who could not handle it and where it came from:
    `<service>/<topic>-<partition>-<offset>`.
    """

    service: str
    origin: Origin
    reason: str
    at: str
    headers: list[tuple[str, bytes | None]]
    key: bytes | None
    value: bytes | None

    @property
    def name(self) -> str:
        """What operators call it."""
        return f"{self.service}/{self.origin.key}"

    @property
    def type(self) -> str:
        """What the record says it is."""
        return (dict(self.headers).get("ce_type") or b"?").decode(errors="replace")


async def read_quarantine(
    bootstrap: str, client_id: str, prefix: str, services: Iterable[str]
) -> list[QuarantinedRecord]:
    """Read what waits, in the order in which it came. Raises KafkaError."""
    topics = {f"{prefix}{service}.quarantine": service for service in services}
    found: dict[tuple[str, bytes | None], QuarantinedRecord] = {}
    async with topic_reader(bootstrap, client_id) as reader:
        begins, ends = await reader.bounds(list(topics))
        async for records, _ in reader.batches(begins, ends, _BATCH):
            for record in records:
                place = (record.topic, record.key)
                found.pop(place, None)
                # A tombstone means that it is settled.
                if record.value is not None:
                    found[place] = _kept(topics[record.topic], record)
    return sorted(found.values(), key=lambda kept: (kept.service, kept.origin))


def _kept(service: str, record: Any) -> QuarantinedRecord:
    origin, headers = origin_of(record)
    told = {name.removeprefix(MARK): value for name, value in record.headers if value is not None}
    return QuarantinedRecord(
        service=service,
        origin=origin,
        reason=told["reason"].decode(),
        at=told["at"].decode(),
        headers=headers,
        key=bytes.fromhex(told["key"].decode()) if "key" in told else None,
        value=None if "null" in told else record.value,
    )
