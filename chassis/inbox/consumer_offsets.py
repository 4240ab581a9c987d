"""How far a service has consumed, stored with the data that it led to."""

import asyncio
from collections.abc import Collection, Iterable, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from chassis.kafka.checkpoints import Checkpoints, ConsumedDocument, continued_partitions
from chassis.kafka.records import Record
from chassis.kafka.topic_reader import TopicReader
from chassis.mongo.client import Database

RETRY_SECONDS = 1

log = structlog.get_logger(__name__)


class ConsumerOffsets(ConsumerRebalanceListener):
    """How far the effects of each topic are stored: reading goes back there if Kafka is further.

    `commands` are the topics for which Kafka's offsets count: a refused command must not be
    decided again.
    """

    def __init__(
        self, database: Database, topics: Sequence[str], commands: Collection[str]
    ) -> None:
        self._checkpoints = Checkpoints(database, ConsumedDocument)
        self._topics = topics
        self._commands = commands
        self._assigned: set[TopicPartition] = set()
        # By partition: the offset of the next record to handle.
        self.handled: dict[TopicPartition, int] = {}
        # Set when all that is assigned is read from where it has to be.
        self.settled = asyncio.Event()

    async def forget_replaced_topics(self, reader: TopicReader) -> None:
        """Delete the checkpoints of topics that were lost and created again since."""
        begins, ends = await reader.bounds(self._topics)
        checkpoints = await self._checkpoints.find(ends)
        continued = await continued_partitions(reader, checkpoints, begins, ends)
        if replaced := checkpoints.keys() - continued:
            log.warning("topics_begun_anew", partitions=len(replaced))
            await self._checkpoints.delete(replaced)

    async def advance(self, records: Iterable[Record]) -> None:
        """Remember that the effects of these, and of all before them, are stored."""
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            self._checkpoints.advance(partition, (record.offset, record.timestamp))
            self.handled[partition] = record.offset + 1
        await self._checkpoints.flush()

    async def flush(self) -> None:
        """Store what is remembered. Raises PyMongoError."""
        await self._checkpoints.flush(now=True)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Store how far they are read, for the replica that reads them next."""
        await self.flush()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Have `seek_assigned` seek them before the next record."""
        self._assigned = set(assigned)
        self.settled.clear()

    async def seek_assigned(self, consumer: AIOKafkaConsumer) -> bool:
        """Seek what has just been assigned to where its effects end; return whether there was any.

        Tries again until store and broker answer.
        """
        if not self._assigned:
            return False
        while self._assigned:
            try:
                await self._seek(consumer)
            except (KafkaError, PyMongoError) as error:
                log.warning("resuming_failed", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
        return True

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        assigned = self._assigned
        checkpoints = await self._checkpoints.find(assigned)
        begins = await consumer.beginning_offsets(list(assigned))
        committed = await asyncio.gather(*map(consumer.committed, assigned))
        if self._assigned is not assigned:
            return
        back = {}
        for partition, offset in zip(assigned, committed, strict=True):
            begin = begins[partition]
            stored = checkpoints[partition]["offset"] + 1 if partition in checkpoints else begin
            if offset is not None and stored < offset and partition.topic not in self._commands:
                back[partition] = stored
            start = back.get(partition, begin if offset is None else offset)
            consumer.seek(partition, start)
            self.handled[partition] = start
        if back:
            # The group's offsets in Kafka have to show it, too.
            await consumer.commit(back)
            log.info("reading_again", partitions=len(back))
        if self._assigned is assigned:
            self._assigned = set()
            self.settled.set()
