"""Quarantine: a record that cannot be handled waits in a topic of its own, and nothing is lost."""

from datetime import UTC, datetime
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer

from contracts.message import rfc3339

log = structlog.get_logger(__name__)


class Quarantine:
    """Writes to the topic `<service>.quarantine`."""

    def __init__(self, producer: AIOKafkaProducer, service: str, prefix: str) -> None:
        self._producer = producer
        self._topic = f"{prefix}{service}.quarantine"

    async def put(self, record: Any, reason: str) -> None:
        """Keep the raw record with where it was and why it is here; `reason` without personal data.

        Raises KafkaError when it could not be stored: then the record must not be acknowledged.
        """
        origin = {
            "quarantine_reason": reason,
            "quarantine_topic": record.topic,
            "quarantine_partition": str(record.partition),
            "quarantine_offset": str(record.offset),
            "quarantine_at": rfc3339(datetime.now(UTC)),
        }
        await self._producer.send_and_wait(
            self._topic,
            key=record.key,
            value=record.value if record.value is not None or record.key is not None else b"",
            headers=[*record.headers, *((name, text.encode()) for name, text in origin.items())],
        )
        log.warning(
            "quarantined",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason,
        )
