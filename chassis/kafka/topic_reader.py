"""Topics read by themselves: any partition from any offset to any other, without a group."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import UnknownTopicOrPartitionError

from chassis.kafka.client import LARGEST_RECORD
from contracts.catalogue import PARTITIONS

POLL_MS = 200
# Brokers learn from their controller of topics that have just been created.
CREATION_SECONDS = 10

Record = ConsumerRecord[bytes | None, bytes | None]
Offsets = dict[TopicPartition, int]


class TopicReader:
    """Reads records in batches, in order within a partition; never commits, never publishes."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer: Any = consumer

    async def bounds(self, topics: Sequence[str]) -> tuple[Offsets, Offsets]:
        """Give of each partition the first offset, and the one after the last, as of now.

        Raises UnknownTopicOrPartitionError when there is no such topic, KafkaError.
        """
        deadline = time.monotonic() + CREATION_SECONDS
        while missing := set(topics) - await self._consumer.topics():
            if time.monotonic() > deadline:
                raise UnknownTopicOrPartitionError(", ".join(sorted(missing)))
            await asyncio.sleep(POLL_MS / 1000)
        places = [TopicPartition(t, number) for t in topics for number in range(PARTITIONS)]
        if not places:
            return {}, {}
        # Else it learns of them by asking in vain, and again after a pause.
        await self._consumer._client.set_topics(topics)  # noqa: SLF001
        begins = await self._consumer.beginning_offsets(places)
        return dict(begins), dict(await self._consumer.end_offsets(places))

    async def batches(
        self, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int], size: int
    ) -> AsyncIterator[tuple[Sequence[Record], Offsets]]:
        """Yield up to `size` records at a time, and how far the partitions are read with them.

        Reads from `starts` to before `ends`, of the partitions of `ends`.
        """
        unread = {place: end for place, end in ends.items() if starts.get(place, 0) < end}
        self._consumer.assign(list(unread))
        for place in unread:
            self._consumer.seek(place, starts.get(place, 0))
        while unread:
            found = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=size)
            records = [r for place, rs in found.items() for r in rs if r.offset < ends[place]]
            reached = {place: await self._consumer.position(place) for place in unread}
            yield records, {place: min(at, ends[place]) for place, at in reached.items()}
            if done := [place for place, at in reached.items() if at >= ends[place]]:
                for place in done:
                    del unread[place]
                self._consumer.pause(*done)


@contextlib.asynccontextmanager
async def topic_reader(bootstrap: str, client_id: str) -> AsyncIterator[TopicReader]:
    """Connect. Raises KafkaConnectionError when no broker answers."""
    async with standalone_consumer(bootstrap, client_id) as consumer:
        yield TopicReader(consumer)


@contextlib.asynccontextmanager
async def standalone_consumer(bootstrap: str, client_id: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Start a consumer that is to be assigned its partitions.

    What has expired is passed over; nothing else is. Raises KafkaConnectionError.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        client_id=client_id,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=LARGEST_RECORD,
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()
