"""Catching up: after a start or a rebalance, read what stands in the topics before acting."""

import asyncio
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

CHECK_SECONDS = 0.2

log = structlog.get_logger(__name__)


class CatchUp(ConsumerRebalanceListener):
    """Is `done` once the group has handled all that stood in its topics at the last rebalance."""

    def __init__(self, settled: asyncio.Event) -> None:
        self._settled = settled
        self.done = False
        self.consumer: Any = None
        self._watch: asyncio.Task[None] | None = None

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Stop acting: another replica may know more from now on."""
        self.done = False
        self.close()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Watch the group's progress towards the current ends of its topics."""
        self.close()
        self._watch = asyncio.create_task(self._until_done())

    def close(self) -> None:
        """Stop watching."""
        if self._watch:
            self._watch.cancel()

    async def _until_done(self) -> None:
        await self._settled.wait()
        while not self.done:
            try:
                ends = await self._ends()
                while ends:
                    await asyncio.sleep(CHECK_SECONDS)
                    ends = {tp: end for tp, end in ends.items() if await self._is_behind(tp, end)}
                self.done = True
            except KafkaError as error:
                log.warning("catching_up_failed", error=repr(error))
                await asyncio.sleep(1)
        log.info("caught_up")

    async def _ends(self) -> dict[TopicPartition, int]:
        """Return where partitions end that hold records, whichever replica reads them."""
        while self.consumer is None:
            await asyncio.sleep(CHECK_SECONDS)
        partitions = [
            TopicPartition(topic, partition)
            for topic in self.consumer.subscription()
            for partition in self.consumer.partitions_for_topic(topic) or ()
        ]
        begin = await self.consumer.beginning_offsets(partitions)
        end = await self.consumer.end_offsets(partitions)
        return {tp: end[tp] for tp in partitions if end[tp] > begin[tp]}

    async def _is_behind(self, partition: TopicPartition, end: int) -> bool:
        return (await self.consumer.committed(partition) or 0) < end
