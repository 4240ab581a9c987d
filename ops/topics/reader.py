"""Reading topics as an operator: by names without prefix, without a consumer group."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError

from chassis.kafka.servers import ConsumerFactory, KafkaServers
from chassis.kafka.start_check import kafka_start_errors
from chassis.kafka.topic_reader import standalone_consumer
from contracts.catalogue import Topic
from ops.errors import OperatorError

CLIENT = "realtoros-events"
POLL_MS = 200
_COORDINATOR_SECONDS = 15


def select_topics(names: Sequence[str], topics: Iterable[Topic]) -> list[str]:
    """Return the names once each. Raises OperatorError for one that none of the topics has."""
    known = [topic.name for topic in topics]
    if unknown := [name for name in names if name not in known]:
        raise OperatorError(f"no topic {', '.join(unknown)}; use {', '.join(known)}")
    return list(dict.fromkeys(names))


async def committed_offsets(
    servers: KafkaServers, prefix: str, service: str
) -> dict[TopicPartition, int]:
    """Return the offsets that a service's group has committed, by partition."""
    deadline = time.monotonic() + _COORDINATOR_SECONDS
    admin = servers.admin(CLIENT)
    with kafka_start_errors(servers):
        try:
            await admin.start()
            found = None
            while found is None:
                try:
                    found = await admin.list_consumer_group_offsets(f"{prefix}{service}")
                except GroupCoordinatorNotAvailableError:
                    # The first request makes the broker create its topic for offsets.
                    if time.monotonic() > deadline:
                        raise
                    await asyncio.sleep(POLL_MS / 1000)
        finally:
            await admin.close()
    return {partition: at.offset for partition, at in found.items() if at.offset >= 0}


@contextlib.asynccontextmanager
async def reader(
    servers: KafkaServers, consumer: ConsumerFactory = AIOKafkaConsumer
) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a consumer without assigned partitions. Raises StartError."""
    with kafka_start_errors(servers):
        async with standalone_consumer(servers, CLIENT, consumer) as started:
            yield started


async def partitions(
    servers: KafkaServers, prefix: str, names: Iterable[str], *, within: float = 0
) -> list[TopicPartition]:
    """Return all partitions of the topics, in order. Raises OperatorError for a missing topic.

    `within`: seconds to wait for topics that have just been created.
    """
    topics = [prefix + name for name in names]
    deadline = time.monotonic() + within
    admin = servers.admin(CLIENT)
    with kafka_start_errors(servers):
        try:
            await admin.start()
            while True:
                described = {topic["topic"]: topic for topic in await admin.describe_topics()}
                missing = [topic for topic in topics if topic not in described]
                if not missing or time.monotonic() >= deadline:
                    break
                await asyncio.sleep(POLL_MS / 1000)
        finally:
            await admin.close()
    if missing:
        raise OperatorError(
            f"Kafka at {servers} has no topic {', '.join(missing)}: check KAFKA_TOPIC_PREFIX,"
            " or create them with `realtoros topics apply`"
        )
    return [
        TopicPartition(topic, number)
        for topic in topics
        for number in sorted(each["partition"] for each in described[topic]["partitions"])
    ]
