"""Reconciliation: what either of log and topic has lost is restored from the other."""

import contextlib
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import NotLeaderForPartitionError

from chassis.eventlog.event_store import EventLog
from chassis.eventlog.relay import Relay
from chassis.kafka.topic_reader import topic_reader
from chassis.mongo.client import Database, Raw
from chassis.recovery.reconciliation import MissingEvents, Reconciliation, ReconciliationResult
from chassis.recovery.restore import Fork
from contracts import cloudevents
from contracts.catalogue import PARTITIONS
from tests.chassis.raw_records import all_of, send, versions
from tests.chassis.tally import STORE, TallyEvent, change, labelled, now, opened
from tests.chassis.waiting import until
from tests.servers import Server

IN_STEP = ReconciliationResult(0, 0)
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
        self._relay = Relay(log, producer, "mailer", topics)

    async def publish(self, of: UUID, *events: TallyEvent) -> None:
        """Append one commit and publish it."""
        stored = (await self.log.load(STORE.aggregates[0], [of])).get(of)
        assert await self.log.append([change(of, *events, stored=stored)]) == [None]
        await self._relay.finish()

    async def reconcile(self, *, full: bool = False) -> ReconciliationResult:
        """Do what a service does at its start, and let the relay sweep."""
        async with topic_reader(self.server.address, "test") as reader:
            found = await Reconciliation("mailer", STORE, self.database, reader, self.topics).run(
                full=full
            )
        await self._relay.sweep(timedelta(0))
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

    async def forge(self, of: UUID, event: TallyEvent, version: int, source: str) -> None:
        """Write an event into the topic that is not in the log."""
        envelope = cloudevents.about(
            event,
            id=uuid4(),
            source=source,
            time=now(),
            correlation=uuid4(),
            cause=uuid4(),
            version=version,
        )
        headers = cloudevents.write(envelope)
        await send(
            self.producer, self.topic, str(event.key).encode(), headers, event.to_json().encode()
        )


@pytest.fixture
def owner(
    database: Database, log: EventLog, producer: AIOKafkaProducer, kafka: Server, topics: str
) -> Owner:
    return Owner(database, log, producer, kafka, topics)


def without_positions(copy: dict[str, list[Raw]]) -> Any:
    """Return commits and states without their positions in Kafka."""
    kept = {name: copy[name] for name in ("commits", "tallies")}
    return {
        name: sorted(
            ({k: v for k, v in raw.items() if k != "published"} for raw in raws),
            key=lambda raw: str(raw["_id"]),
        )
        for name, raws in kept.items()
    }


async def test_log_and_topic_that_agree_are_left_alone(owner: Owner) -> None:
    of = uuid4()
    await owner.publish(of, opened(of))
    before = await owner.backup()
    assert await owner.reconcile() == IN_STEP
    assert await owner.backup() == before
    assert await versions(owner.server.address, owner.topic) == {f"email-{of}": [1]}


async def test_a_database_put_back_to_an_older_copy_restores_what_it_lacks(owner: Owner) -> None:
    known, new = uuid4(), uuid4()
    await owner.publish(known, opened(known))
    copy = await owner.backup()
    await owner.publish(known, opened(known), opened(known))
    await owner.publish(new, labelled(new, "new"), opened(new))
    await owner.publish(new, opened(new))
    expected, records = await owner.backup(), await all_of(owner.server.address, owner.topic)
    await owner.restore(copy)
    assert await owner.reconcile() == ReconciliationResult(restored=3, to_publish=0)
    assert without_positions(await owner.backup()) == without_positions(expected)
    assert len(await all_of(owner.server.address, owner.topic)) == len(records)
    assert await owner.reconcile() == IN_STEP


async def test_an_empty_database_restores_all_whichever_stream_had_a_unique_value_first(
    owner: Owner,
) -> None:
    for number in range(6):
        # In either order of their partitions, one of the pair is read too early.
        for first, second in ((UUID(int=number), UUID(int=99)), (UUID(int=99), UUID(int=number))):
            one, other = uuid4(), uuid4()
            label = labelled(one, f"{number}").model_copy(update={"client_id": first})
            gone = labelled(one, f"of {one}").model_copy(update={"client_id": first})
            taken = labelled(other, f"{number}").model_copy(update={"client_id": second})
            freed = labelled(other, f"of {other}").model_copy(update={"client_id": second})
            for of, event in ((one, label), (one, gone), (other, taken), (other, freed)):
                await owner.publish(of, event)
    expected = await owner.backup()
    await owner.restore({name: [] for name in COLLECTIONS})
    await owner.reconcile()
    assert without_positions(await owner.backup()) == without_positions(expected)


async def test_a_topic_that_was_lost_is_filled_again_in_order(owner: Owner) -> None:
    ids = [uuid4() for _ in range(3)]
    for of in ids * 2:
        await owner.publish(of, opened(of), opened(of))
    await owner.lose_topic()
    assert await owner.reconcile() == ReconciliationResult(restored=0, to_publish=6)
    assert await versions(owner.server.address, owner.topic) == {
        f"email-{of}": [1, 2, 3, 4] for of in ids
    }
    assert await owner.reconcile() == IN_STEP


async def test_a_lost_topic_and_then_an_older_copy_of_the_database(owner: Owner) -> None:
    known, new = uuid4(), uuid4()
    await owner.publish(known, opened(known))
    await owner.publish(known, opened(known))
    copy = await owner.backup()
    await owner.publish(known, opened(known))
    await owner.publish(new, opened(new))
    expected = await owner.backup()
    await owner.lose_topic()
    await owner.reconcile()
    await owner.restore(copy)
    assert (await owner.reconcile()).restored == 2
    assert without_positions(await owner.backup()) == without_positions(expected)
    assert await owner.reconcile() == IN_STEP


async def test_what_only_a_full_comparison_finds_is_published_again(owner: Owner) -> None:
    of = uuid4()
    for _ in range(3):
        await owner.publish(of, opened(of))
    await owner.lose_topic()
    # What follows makes the topic look as if it went on.
    await owner.publish(of, opened(of))
    await owner.reconcile(full=True)
    found = (await versions(owner.server.address, owner.topic))[f"email-{of}"]
    assert found[-4:] == [1, 2, 3, 4]


async def test_another_event_of_the_same_version_is_a_fork(owner: Owner) -> None:
    of = uuid4()
    await owner.publish(of, opened(of))
    await owner.forge(of, opened(of), 1, "mailer")
    with pytest.raises(Fork, match=f"email-{of}@1"):
        await owner.reconcile()


async def test_a_version_whose_predecessor_is_nowhere_is_missed(owner: Owner) -> None:
    of = uuid4()
    await owner.publish(of, opened(of))
    await owner.forge(of, opened(of), 3, "mailer")
    with pytest.raises(MissingEvents, match=f"email-{of}@3"):
        await owner.reconcile()


async def test_what_another_writer_put_into_the_topic_is_skipped(owner: Owner) -> None:
    of = uuid4()
    await owner.publish(of, opened(of))
    before = await owner.backup()
    await owner.forge(of, opened(of), 2, "other")
    await send(owner.producer, owner.topic, b"key", [], b"no event")
    assert await owner.reconcile() == IN_STEP
    assert without_positions(await owner.backup()) == without_positions(before)
