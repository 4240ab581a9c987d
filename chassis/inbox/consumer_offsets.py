"""What a service has consumed, kept beside the data that it led to."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from chassis.kafka.checkpoints import Checkpoints, ConsumedDocument, unchanged_partitions
from chassis.kafka.records import Record
from chassis.kafka.topic_reader import TopicReader
from chassis.mongo.client import Database

RETRY_SECONDS = 1

log = structlog.get_logger(__name__)


class ConsumerOffsets(ConsumerRebalanceListener):
    """How far the effects of each topic are stored: reading goes back there if Kafka is further.

    `commands` are the topics where Kafka's word is good: what was refused must not be decided anew.
    """

    def __init__(
        self, database: Database, topics: Sequence[str], commands: Collection[str]
    ) -> None:
        self._places = Checkpoints(database, ConsumedDocument)
        self._topics = topics
        self._commands = commands
        self._assigned: set[TopicPartition] = set()
        # Set when all that is assigned is read from where it has to be.
        self.settled = asyncio.Event()

    async def recognise(self, reader: TopicReader) -> None:
        """Forget what is remembered of topics that were lost and begun anew since."""
        begins, ends = await reader.bounds(self._topics)
        places = await self._places.find(ends)
        if others := places.keys() - await unchanged_partitions(reader, places, begins, ends):
            log.warning("topics_begun_anew", partitions=len(others))
            await self._places.forget(others)

    async def note(self, records: Iterable[Record]) -> None:
        """Remember that the effects of these, and of all before them, are stored."""
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            self._places.note(place, (record.offset, record.timestamp))
        await self._places.keep()

    async def keep(self) -> None:
        """Write down what is remembered."""
        await self._places.keep(now=True)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Let who reads them next know how far that is."""
        await self.keep()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """See to it before the next record."""
        self._assigned = set(assigned)
        self.settled.clear()

    def resume(self, consumer: Any) -> None:
        """Let the consumer's `getmany` begin where the effects of what was read end."""
        getmany = consumer.getmany

        async def resumed(*partitions: Any, **limits: Any) -> Any:
            while True:
                while self._assigned:
                    try:
                        await self._seek(consumer)
                    except (KafkaError, PyMongoError) as error:
                        log.warning("resuming_failed", error=type(error).__name__)
                        await asyncio.sleep(RETRY_SECONDS)
                records = await getmany(*partitions, **limits)
                # Given out anew meanwhile: these may come after some that have to come again.
                if not self._assigned:
                    return records

        consumer.getmany = resumed

    async def _seek(self, consumer: Any) -> None:
        assigned = self._assigned
        places = await self._places.find(assigned)
        begins = await consumer.beginning_offsets(list(assigned))
        committed = await asyncio.gather(*map(consumer.committed, assigned))
        if self._assigned is not assigned:
            return
        offsets = dict(zip(assigned, committed, strict=True))
        again = {}
        for place, offset in offsets.items():
            known = places[place]["offset"] + 1 if place in places else begins[place]
            if offset is not None and known < offset and place.topic not in self._commands:
                again[place] = known
            consumer.seek(place, again.get(place, begins[place] if offset is None else offset))
        if again:
            # Whoever asks Kafka how far this service is has to hear it, too.
            await consumer.commit(again)
            log.info("reading_again", partitions=len(again))
        if self._assigned is assigned:
            self._assigned = set()
            self.settled.set()
