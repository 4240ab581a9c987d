"""`realtoros events tail`: what stands in the topics, and what comes."""

import heapq
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import TopicPartition

from chassis.kafka import client as kafka
from contracts.catalogue import TYPES
from ops.errors import OperatorError
from ops.topics.reader import POLL_MS, partitions, reader
from ops.topics.record_format import Line

# The embedded broker answers empty fetches at once; a person does not see a tenth of a second.
_EMPTY_HOLD_MS = 100
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Wanted:
    """Which records are shown: of one of these types (all if none), about this client (if any)."""

    types: frozenset[str] = frozenset()
    client: str | None = None

    def __post_init__(self) -> None:
        """Refuse a type that there is not: it would be waited for in vain. Raises OperatorError."""
        known = {type_.__name__ for type_ in TYPES.values()}
        if unknown := sorted(self.types - known):
            raise OperatorError(f"no message is called {', '.join(unknown)} (see docs/events.md)")

    def __contains__(self, line: Line) -> bool:
        # Of every version: the version is what comes after the name.
        if self.types and line.type.partition(".")[0] not in self.types:
            return False
        return self.client is None or line.is_about(self.client)


def moment(since: str, now: datetime) -> datetime:
    """Read RFC 3339, or a duration before `now` such as `90s`, `15m`, `2h`, `3d`.

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
            f"{since} is no time: give one such as 2026-01-31T09:30:00Z, or 90s, 15m, 2h, 3d"
        )
    return time


async def tail(
    bootstrap: str,
    prefix: str,
    names: list[str],
    show: Callable[[Line], None],
    *,
    wanted: Wanted,
    since: datetime | None,
    follow: bool,
) -> int:
    """Show the wanted records of the topics, each partition's in its order; give exit code 0.

    They begin at `since` by the records' timestamps. Without it: with `follow`, which never ends,
    at what comes from now on; else at the beginning. Raises OperatorError.
    """
    async with aclosing(_records(bootstrap, prefix, names, since, follow=follow)) as records:
        async for record in records:
            line = Line(record.topic.removeprefix(prefix), record)
            if line in wanted:
                show(line)
    return 0


async def _records(
    bootstrap: str, prefix: str, names: list[str], since: datetime | None, *, follow: bool
) -> AsyncGenerator[Any, None]:
    found = await partitions(bootstrap, prefix, names)
    async with reader(bootstrap) as consumer:
        consumer.assign(found)
        ends = await consumer.end_offsets(found)
        for place, offset in (await _starts(consumer, found, ends, since, follow=follow)).items():
            consumer.seek(place, offset)
        kafka.pace_fetches(consumer, _EMPTY_HOLD_MS)
        while follow or any([await consumer.position(place) < ends[place] for place in found]):
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
    return {place: at.offset if at else ends[place] for place, at in offsets.items()}
