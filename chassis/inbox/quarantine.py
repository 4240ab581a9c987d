"""Quarantine: a record that cannot be handled waits in a topic of its own, and nothing is lost.

The topic `<service>.quarantine` is compacted. A key names one record by where it came from; its
latest record is the raw one with the reason, or a tombstone once an operator has settled it.
"""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from aiokafka import AIOKafkaProducer
from prometheus_client import Counter

from chassis.kafka.origin import HEADER_PREFIX, Origin, headers_of, origin_of
from chassis.kafka.servers import KafkaServers
from chassis.kafka.topic_reader import topic_reader
from contracts.message import rfc3339

QUARANTINED = Counter(
    "realtoros_quarantined_total", "Records that could not be handled, by their topic.", ["topic"]
)

# A reason may quote a header that is as large as the record.
LONGEST_REASON = 500
BATCH_RECORDS = 500
# An offset has 63 bits, a UUID 128.
_BITS_ABOVE_OFFSET = 128 - 63

log = structlog.get_logger(__name__)


class Quarantine:
    """Writes to the topic `<service>.quarantine`."""

    def __init__(self, producer: AIOKafkaProducer, service: str, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix
        self._topic = f"{prefix}{service}.quarantine"
        self._retries = f"{prefix}{service}.retries"

    async def put(self, record: Any, reason: str) -> None:
        """Store the raw record with its origin and the reason, which is without personal data.

        Raises KafkaError when it could not be stored: then the record must not be acknowledged.
        """
        reason = reason[:LONGEST_REASON]
        topic = record.topic.removeprefix(self._prefix)
        origin, headers = Origin(topic, record.partition, record.offset), record.headers
        if record.topic == self._retries:
            # A record that was not put there by `realtoros quarantine retry` has no other origin.
            with contextlib.suppress(LookupError, ValueError):
                origin, headers = origin_of(record)
        added = {}
        if record.key is not None:
            added["quarantine_key"] = record.key.hex()
        if record.value is None:
            added["quarantine_null"] = "value"
        await self._store(origin, headers, record.value or b"", reason, added)

    async def put_foreign(self, source: str, id_: UUID, value: bytes, reason: str) -> None:
        """Store what came from outside of Kafka, from `source`; what has the same id, once.

        Sent back by `realtoros quarantine retry` it is no record of a topic, so it comes again.
        """
        origin = Origin(source, 0, id_.int >> _BITS_ABOVE_OFFSET)
        await self._store(origin, [], value, reason[:LONGEST_REASON], {})

    async def _store(
        self,
        origin: Origin,
        headers: Iterable[tuple[str, bytes | None]],
        value: bytes,
        reason: str,
        added: Mapping[str, str],
    ) -> None:
        added = {
            **headers_of(origin),
            "quarantine_reason": reason,
            "quarantine_at": rfc3339(datetime.now(UTC)),
            **added,
        }
        await self._producer.send_and_wait(
            self._topic,
            key=origin.key.encode(),
            value=value,
            headers=[*headers, *((name, text.encode()) for name, text in added.items())],
        )
        QUARANTINED.labels(origin.topic).inc()
        log.warning("quarantined", **origin._asdict(), reason=reason)


@dataclass(frozen=True)
class QuarantinedRecord:
    """A record in quarantine; headers, key and value are those it was first read with."""

    service: str
    origin: Origin
    reason: str
    at: str
    headers: list[tuple[str, bytes | None]]
    key: bytes | None
    value: bytes | None

    @property
    def name(self) -> str:
        """Its name for operators: `<service>/<topic>-<partition>-<offset>`."""
        return f"{self.service}/{self.origin.key}"

    @property
    def type(self) -> str:
        """The type in its headers; `?` without one."""
        return (dict(self.headers).get("ce_type") or b"?").decode(errors="replace")


async def read_quarantine(
    servers: KafkaServers, client_id: str, prefix: str, services: Iterable[str]
) -> list[QuarantinedRecord]:
    """Return the records in quarantine, by service and origin. Raises KafkaError."""
    topics = {f"{prefix}{service}.quarantine": service for service in services}
    found: dict[tuple[str, bytes | None], QuarantinedRecord] = {}
    async with topic_reader(servers, client_id) as reader:
        begins, ends = await reader.bounds(list(topics))
        async for records, _ in reader.batches(begins, ends, BATCH_RECORDS):
            for record in records:
                key = (record.topic, record.key)
                # A tombstone means that it is settled.
                if record.value is None:
                    found.pop(key, None)
                else:
                    found[key] = _quarantined(topics[record.topic], record)
    return sorted(found.values(), key=lambda record: (record.service, record.origin))


def _quarantined(service: str, record: Any) -> QuarantinedRecord:
    origin, headers = origin_of(record)
    added = {n.removeprefix(HEADER_PREFIX): v for n, v in record.headers if v is not None}
    return QuarantinedRecord(
        service=service,
        origin=origin,
        reason=added["reason"].decode(),
        at=added["at"].decode(),
        headers=headers,
        key=bytes.fromhex(added["key"].decode()) if "key" in added else None,
        value=None if "null" in added else record.value,
    )
