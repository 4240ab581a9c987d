"""`realtoros events tail`: the records of topics, past and new."""

import heapq
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from aiokafka import TopicPartition

from chassis.kafka.consumer import PacedConsumer
from chassis.kafka.servers import KafkaServers
from contracts.catalogue import TYPES
from ops.errors import OperatorError
from ops.topics.reader import POLL_MS, partitions, reader
from ops.topics.record_format import TopicRecord

# The embedded broker answers empty fetches at once; a person does not see a tenth of a second.
_EMPTY_HOLD_MS = 100
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class RecordFilter:
    """Selects records: of one of these types (all if empty), about this client (if any)."""

    types: frozenset[str] = frozenset()
    client: str | None = None

    def __post_init__(self) -> None:
        """Raises OperatorError for a type that does not exist: it would never come."""
        known = {type_.__name__ for type_ in TYPES.values()}
        if unknown := sorted(self.types - known):
            raise OperatorError(f"no message type {', '.join(unknown)}: use one of docs/events.md")

    def __contains__(self, record: TopicRecord) -> bool:
        # All versions of a type: the version follows the name.
        if self.types and record.type.partition(".")[0] not in self.types:
            return False
        return self.client is None or record.is_about(self.client)


def parse_time(since: str, now: datetime) -> datetime:
    """Parse RFC 3339, or a duration before `now` such as `90s`, `15m`, `2h`, `3d`.

    Raises OperatorError.
    """
    try:
        if duration := re.fullmatch(r"(\d+)([smhd])", since, re.ASCII):
            return now - timedelta(**{_UNITS[duration[2]]: int(duration[1])})
        time = datetime.fromisoformat(since)
    except (ValueError, OverflowError):
        time = None
    if time is None or time.tzinfo is None:
        raise OperatorError(
            f"{since} is not a time: pass one such as 2026-01-31T09:30:00Z, or 90s, 15m, 2h, 3d"
        )
    return time


async def tail(
    servers: KafkaServers,
    prefix: str,
    names: list[str],
    show: Callable[[TopicRecord], None],
    *,
    record_filter: RecordFilter,
    since: datetime | None,
    follow: bool,
) -> int:
    """Show the selected records, each partition's in its order; return exit code 0.

    They begin at `since` by the records' timestamps. Without it: with `follow`, which never ends,
    at the present end; else at the beginning. Raises OperatorError.
    """
    async with aclosing(_records(servers, prefix, names, since, follow=follow)) as records:
        async for record in records:
            topic_record = TopicRecord(record.topic.removeprefix(prefix), record)
            if topic_record in record_filter:
                show(topic_record)
    return 0


async def _records(
    servers: KafkaServers, prefix: str, names: list[str], since: datetime | None, *, follow: bool
) -> AsyncGenerator[Any, None]:
    found = await partitions(servers, prefix, names)
    async with reader(servers, partial(PacedConsumer, empty_hold_ms=_EMPTY_HOLD_MS)) as consumer:
        consumer.assign(found)
        ends = await consumer.end_offsets(found)
        for partition, offset in (
            await _starts(consumer, found, ends, since, follow=follow)
        ).items():
            consumer.seek(partition, offset)
        while follow or any(
            [await consumer.position(partition) < ends[partition] for partition in found]
        ):
            batches = await consumer.getmany(timeout_ms=POLL_MS)
            # By time as far as this poll goes, but never against the order of a partition.
            for record in heapq.merge(*batches.values(), key=lambda record: record.timestamp):
                if follow or record.offset < ends[TopicPartition(record.topic, record.partition)]:
                    yield record


async def _starts(
    consumer: Any,
    found: list[TopicPartition],
    ends: dict[TopicPartition, int],
    since: datetime | None,
    *,
    follow: bool,
) -> dict[TopicPartition, int]:
    if since is None:
        return ends if follow else dict(await consumer.beginning_offsets(found))
    milliseconds = max(0, int(since.astimezone(UTC).timestamp() * 1000))
    offsets = await consumer.offsets_for_times(dict.fromkeys(found, milliseconds))
    return {partition: at.offset if at else ends[partition] for partition, at in offsets.items()}
