"""Reading topics without a group: any partition, from any offset to any other."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import UnknownTopicOrPartitionError

from chassis.kafka.client import LARGEST_RECORD
from chassis.kafka.servers import ConsumerFactory, KafkaServers
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

    async def bounds(
        self, topics: Sequence[str], within: float = CREATION_SECONDS
    ) -> tuple[Offsets, Offsets]:
        """Return each partition's first offset, and the one after its last, as of now.

        `within`: seconds to wait for topics that have just been created.

        Raises UnknownTopicOrPartitionError when there is no such topic, KafkaError.
        """
        deadline = time.monotonic() + within
        while missing := set(topics) - await self._consumer.topics():
            if time.monotonic() > deadline:
                raise UnknownTopicOrPartitionError(", ".join(sorted(missing)))
            await asyncio.sleep(POLL_MS / 1000)
        partitions = [TopicPartition(t, number) for t in topics for number in range(PARTITIONS)]
        if not partitions:
            return {}, {}
        # Without it, the first request fails for want of metadata, and is repeated after a pause.
        await self._consumer._client.set_topics(topics)  # noqa: SLF001
        begins = await self._consumer.beginning_offsets(partitions)
        return dict(begins), dict(await self._consumer.end_offsets(partitions))

    async def batches(
        self, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int], size: int
    ) -> AsyncIterator[tuple[Sequence[Record], Offsets]]:
        """Yield up to `size` records at a time, and how far the partitions are read with them.

        Reads from `starts` to before `ends`, of the partitions of `ends`.
        """
        unread = {p: end for p, end in ends.items() if starts.get(p, 0) < end}
        self._consumer.assign(list(unread))
        for partition in unread:
            self._consumer.seek(partition, starts.get(partition, 0))
        while unread:
            found = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=size)
            records = [r for p, batch in found.items() for r in batch if r.offset < ends[p]]
            reached = {p: await self._consumer.position(p) for p in unread}
            yield records, {p: min(offset, ends[p]) for p, offset in reached.items()}
            if done := [p for p, offset in reached.items() if offset >= ends[p]]:
                for partition in done:
                    del unread[partition]
                self._consumer.pause(*done)


@contextlib.asynccontextmanager
async def topic_reader(servers: KafkaServers, client_id: str) -> AsyncIterator[TopicReader]:
    """Connect. Raises KafkaConnectionError when no broker answers."""
    async with standalone_consumer(servers, client_id) as consumer:
        yield TopicReader(consumer)


@contextlib.asynccontextmanager
async def standalone_consumer(
    servers: KafkaServers, client_id: str, consumer: ConsumerFactory = AIOKafkaConsumer
) -> AsyncIterator[AIOKafkaConsumer]:
    """Start a consumer whose partitions are still to be assigned.

    It skips only what has expired. Raises KafkaConnectionError.
    """
    started = servers.consumer(
        make=consumer,
        client_id=client_id,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=LARGEST_RECORD,
    )
    try:
        await started.start()
        yield started
    finally:
        await started.stop()
