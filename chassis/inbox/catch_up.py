"""Catching up: after a start or a rebalance, know what was said before acting on what is known."""

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
        """Act no more: another replica may know more from now on."""
        self.done = False
        self.close()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Begin to watch the group's progress towards the ends of this moment."""
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
                behind = await self._behind()
                while behind:
                    await asyncio.sleep(CHECK_SECONDS)
                    behind = {tp: end for tp, end in behind.items() if await self._short(tp, end)}
                self.done = True
            except KafkaError as error:
                log.warning("catching_up_failed", error=repr(error))
                await asyncio.sleep(1)
        log.info("caught_up")

    async def _behind(self) -> dict[TopicPartition, int]:
        """Give the partitions with records in them, of whichever replica, and where they end."""
        while self.consumer is None:
            await asyncio.sleep(CHECK_SECONDS)
        every = [
            TopicPartition(topic, partition)
            for topic in self.consumer.subscription()
            for partition in self.consumer.partitions_for_topic(topic) or ()
        ]
        begin = await self.consumer.beginning_offsets(every)
        end = await self.consumer.end_offsets(every)
        return {tp: end[tp] for tp in every if end[tp] > begin[tp]}

    async def _short(self, partition: TopicPartition, end: int) -> bool:
        return (await self.consumer.committed(partition) or 0) < end
