"""The owner of tallies: its log, its relay and its topic, and what may happen to them."""

import contextlib
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import NotLeaderForPartitionError
from aiokafka.structs import RecordMetadata

from chassis.eventlog.event_store import EventLog
from chassis.eventlog.relay import Relay
from chassis.kafka.topic_reader import topic_reader
from chassis.mongo.client import Database, Raw
from chassis.recovery.reconciliation import Reconciliation, ReconciliationResult
from contracts import cloudevents
from contracts.catalogue import PARTITIONS
from tests.chassis.raw_records import send
from tests.chassis.tally import STORE, TallyEvent, change, now
from tests.chassis.waiting import until
from tests.servers import Server

COLLECTIONS = ("commits", "tallies", "published")


class Owner:
    """The owner of tallies: its log, its relay and its topic."""

    def __init__(
        self,
        database: Database,
        log: EventLog,
        producer: AIOKafkaProducer,
        kafka: Server,
        topics: str,
    ) -> None:
        self.database, self.log, self.producer = database, log, producer
        self.server, self.topics = kafka, topics
        self.topic = f"{topics}emails"
        self.relay = Relay(log, producer, "mailer", topics)

    async def publish(self, of: UUID, *events: TallyEvent) -> None:
        """Append one commit and publish it."""
        stored = (await self.log.load(STORE.aggregates[0], [of])).get(of)
        assert await self.log.append([change(of, *events, stored=stored)]) == [None]
        await self.relay.finish()

    async def reconcile(self, *, full: bool = False) -> ReconciliationResult:
        """Do what a service does at its start, and let the relay sweep."""
        async with topic_reader(self.server.servers, "test") as reader:
            found = await Reconciliation("mailer", STORE, self.database, reader, self.topics).run(
                full=full
            )
        await self.relay.sweep(timedelta(0))
        return found

    async def backup(self) -> dict[str, list[Raw]]:
        """Copy what the database holds."""
        return {name: await self.database[name].find().to_list() for name in COLLECTIONS}

    async def restore(self, copy: dict[str, list[Raw]]) -> None:
        """Restore a copy."""
        for name, documents in copy.items():
            await self.database[name].delete_many({})
            if documents:
                await self.database[name].insert_many(documents)

    async def lose_topic(self) -> None:
        """Delete all records of the topic."""
        partitions = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
        admin: Any = AIOKafkaAdminClient(bootstrap_servers=self.server.address)
        await admin.start()

        async def deleted() -> bool:
            # A client that has just started knows no leaders yet.
            with contextlib.suppress(NotLeaderForPartitionError):
                await admin.delete_records(
                    {p: RecordsToDelete(before_offset=-1) for p in partitions}
                )
                return True
            return False

        try:
            await until(deleted)
        finally:
            await admin.close()

    async def forge(
        self, event: TallyEvent, version: int, source: str = "mailer", *, cause: bool = True
    ) -> RecordMetadata:
        """Write an event into the topic that is not in the log; return its place."""
        envelope = cloudevents.about(
            event,
            id=uuid4(),
            source=source,
            time=now(),
            correlation=uuid4(),
            cause=uuid4() if cause else None,
            version=version,
        )
        headers = cloudevents.write(envelope)
        return await send(
            self.producer, self.topic, str(event.key).encode(), headers, event.to_json().encode()
        )
