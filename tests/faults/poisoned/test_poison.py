"""Poison in every partition of every topic is quarantined, and stops nothing."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from chassis.kafka import client as chassis_kafka
from contracts import cloudevents
from contracts.catalogue import COMMANDS, EVENTS, PARTITIONS, TOPICS, TYPES
from contracts.message import Command
from tests.chassis.raw_records import all_of
from tests.contracts.samples import NOON, SAMPLES
from tests.faults.ordering.reading_services import SERVICES
from tests.faults.poisoned.poison import Poison, foreign, poisons
from tests.journeys.agent_user import agent_at
from tests.servers import Server
from tests.system import Running, system

# Of each topic a type that is handled, and its readers.
HANDLED = {
    "agents": ("AgentUpdated", {"scheduler", "mailer", "gateway"}),
    "clients": ("ClientDeleted", {"scheduler", "mailer", "gateway"}),
    "followups": ("FollowupDue", {"composer", "gateway"}),
    "drafts": ("EmailComposed", {"mailer", "gateway"}),
    "emails": ("EmailSent", {"gateway"}),
    "agents.commands": ("RegisterAgent", {"crm"}),
    "clients.commands": ("CreateClient", {"crm"}),
    "followups.commands": ("RescheduleFollowup", {"scheduler"}),
    "drafts.commands": ("RetryDraft", {"composer"}),
    "emails.commands": ("RecordDelivery", {"mailer"}),
}
# Who follows that type, without handling it.
FOLLOWERS = {"followups": {"mailer"}}
READERS = {topic.name: set(topic.readers) for topic in (*EVENTS, *COMMANDS)}
GOOD = {type(sample).__name__: sample for sample in SAMPLES}
# How long a good record after poison may take, and the factor for a busy machine.
HANDLED_SECONDS = 2.0
NOISE = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProducedPoison:
    """Poison in a topic, at this offset; `readers` are the services that have to quarantine it."""

    poison: Poison
    topic: str
    partition: int
    offset: int
    readers: AbstractSet[str]

    @property
    def key(self) -> str:
        return f"{self.topic}-{self.partition}-{self.offset}"


def poisons_of(topic: str) -> Iterator[tuple[Poison, AbstractSet[str]]]:
    """Yield every kind of poison for the topic, each with the services that quarantine it."""
    name, handlers = HANDLED[topic]
    followers = handlers | FOLLOWERS.get(topic, set())
    readers = {"type": READERS[topic], "headers": followers, "value": handlers}
    for poison in poisons(GOOD[name]):
        yield poison, readers[poison.wrong]
    for other, (name, handlers) in HANDLED.items():
        if other != topic:
            # A reader of the topic that does not follow the type passes it over.
            followers = handlers | FOLLOWERS.get(other, set())
            yield foreign(GOOD[name]), followers & READERS[topic]


async def produce_all(producer: AIOKafkaProducer, prefix: str) -> list[ProducedPoison]:
    """Produce every kind of poison to each of the ten topics, in turn to every partition."""
    partitions = cycle(range(PARTITIONS))
    poisoned = []
    for topic, (name, _) in HANDLED.items():
        for poison, readers in poisons_of(topic):
            partition = next(partitions)
            metadata = await producer.send_and_wait(
                prefix + topic,
                key=str(GOOD[name].key).encode(),
                value=poison.value,
                headers=poison.headers,
                partition=partition,
            )
            poisoned.append(ProducedPoison(poison, topic, partition, metadata.offset, readers))
    return poisoned


async def until(condition: Callable[[], Awaitable[bool]], seconds: float, what: str) -> float:
    """Wait until the condition holds; return the seconds that took. Fail after `seconds`."""
    begin = time.monotonic()
    while not await condition():
        assert time.monotonic() - begin < seconds, f"not in {seconds:.0f} s: {what}"
        await asyncio.sleep(0.05)
    return time.monotonic() - begin


async def count(consumer: AIOKafkaConsumer, topic: str) -> int:
    """Count the records that the topic ever held."""
    ends = await consumer.end_offsets([TopicPartition(topic, n) for n in range(PARTITIONS)])
    return sum(ends.values())


def assert_quarantined(record: Any, produced: ProducedPoison, prefix: str) -> None:
    """Assert that a quarantined record is the raw one, with its reason and origin."""
    headers, raw = dict(record.headers), produced.poison
    assert list(record.headers[: len(raw.headers)]) == raw.headers, raw.kind
    assert record.value == (raw.value or b""), raw.kind
    assert headers.get("quarantine_null") == (b"value" if raw.value is None else None), raw.kind
    origin = [headers[f"quarantine_{name}"] for name in ("topic", "partition", "offset")]
    assert [part.decode() for part in origin] == [
        produced.topic,
        str(produced.partition),
        str(produced.offset),
    ]
    assert bytes.fromhex(headers["quarantine_key"].decode()).decode() == str(
        GOOD[HANDLED[produced.topic][0]].key
    )
    assert headers["quarantine_reason"], raw.kind
    assert headers["quarantine_at"].endswith(b"Z")


@pytest.fixture
async def running(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> AsyncIterator[Running]:
    """The five services, each as a process."""
    calendar = {"FOLLOWUP_DAY_SECONDS": "0.3", "SCHEDULER_POLL_SECONDS": "0.5"}
    async with system(tmp_path, kafka, mongodb, prefix=prefix, environment=calendar) as running:
        yield running


@pytest.mark.alone
@pytest.mark.timeout(600)
async def test_all_poison_is_quarantined_and_what_follows_is_handled(
    running: Running, kafka: Server, prefix: str
) -> None:
    async with chassis_kafka.producer(kafka.servers, "test-poison") as producer:
        poisoned = await produce_all(producer, prefix)
        assert min(len([p for p in poisoned if p.topic == topic]) for topic in HANDLED) >= 60
        expected = {s: {p.key: p for p in poisoned if s in p.readers} for s in SERVICES}
        consumer = AIOKafkaConsumer(bootstrap_servers=kafka.address)
        await consumer.start()
        try:
            for service, expected_poison in expected.items():
                topic = f"{prefix}{service}.quarantine"

                async def all_there(topic: str = topic, size: int = len(expected_poison)) -> bool:
                    return await count(consumer, topic) >= size

                await until(all_there, 120, f"{service} quarantines {len(expected_poison)} records")
        finally:
            await consumer.stop()
        commands = await answered(producer, kafka, prefix)
    shown = await a_client_is_followed_up(running)
    for service, expected_poison in expected.items():
        records = await all_of(kafka.address, f"{prefix}{service}.quarantine")
        found = {record.key.decode(): record for record in records}
        assert found.keys() == expected_poison.keys(), service
        for key, produced in expected_poison.items():
            assert_quarantined(found[key], produced, prefix)
    assert running.errors() == []
    log.info(
        "after %d poison: commands in %.2f s, a client in %.2f s", len(poisoned), commands, shown
    )


async def answered(producer: AIOKafkaProducer, kafka: Server, prefix: str) -> float:
    """Produce a valid command to every partition of every command topic; wait for the replies."""
    begin = time.monotonic()
    ids: set[UUID] = set()
    for topic in (name for name in HANDLED if name.endswith(".commands")):
        good = GOOD[HANDLED[topic][0]]
        assert isinstance(good, Command)
        for partition in range(PARTITIONS):
            id_ = UUID(int=len(ids) + 1)
            ids.add(id_)
            envelope = cloudevents.about(good, id=id_, source="gateway", time=NOON, correlation=id_)
            await producer.send_and_wait(
                f"{prefix}{topic}",
                value=good.to_json().encode(),
                headers=cloudevents.write(envelope),
                partition=partition,
            )

    async def all_answered() -> bool:
        replies = await all_of(kafka.address, f"{prefix}replies")
        return ids <= {cloudevents.read(reply.headers).cause for reply in replies}

    await until(all_answered, HANDLED_SECONDS * NOISE, "every command is answered")
    return time.monotonic() - begin


async def a_client_is_followed_up(running: Running) -> float:
    """Add a client; return the seconds until its plan was shown. Wait until all is sent."""
    async with agent_at(running.api[0]) as agent:
        # The sample of a profile, which a command has set, wants approval.
        automatic = await agent.http.patch("/api/agents/me", json={"review": "automatic"})
        assert automatic.status_code == 200, automatic.text
        begin = time.monotonic()
        client = await agent.add("Maria")

        async def planned() -> bool:
            return len(await agent.rows("/api/tasks", client_id=client)) == 5

        await until(planned, HANDLED_SECONDS * NOISE, "the plan is shown")
        took = time.monotonic() - begin
        await agent.until_sent(5, client_id=client)
    return took


def test_each_topic_s_type_is_one_of_its_own_and_its_readers_handle_it() -> None:
    assert set(HANDLED) == {topic.name for topic in (*EVENTS, *COMMANDS) if topic.readers}
    for topic in TOPICS:
        if topic.name in HANDLED:
            name, readers = HANDLED[topic.name]
            assert TYPES[f"realtoros.{name}.v1"] in topic.types
            assert readers <= set(topic.readers)
