"""Damage to one system's topics: wiped or truncated; and their end offsets."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from ops.servers.stores import apply_topics
from tests.journeys.agent_user import until
from tests.servers import Server


async def wipe_topics(kafka: Server, prefix: str) -> int:
    """Delete and recreate all topics of the prefix; return how many records were lost.

    Stop the services first. Apache Kafka also deletes the groups' offsets; the embedded broker
    keeps them, so that they lie beyond the ends of the new topics.
    """
    lost = (await end_offsets(kafka, prefix)).total()
    async with _admin(kafka) as admin:
        await admin.delete_topics(await _topics(admin, prefix))

        async def gone() -> bool:
            return not await _topics(admin, prefix)

        # Apache Kafka answers before it has deleted them.
        await until(gone, "the topics are deleted")
    await apply_topics(kafka.servers, prefix)
    return lost


async def truncate_topic(kafka: Server, topic: str) -> int:
    """Delete the older half of each partition of a topic; return how many records were lost."""
    found = await end_offsets(kafka, topic)
    halves = {p: end // 2 for p, end in found.items() if p.topic == topic and end > 1}
    async with _admin(kafka) as admin:
        await admin.delete_records({p: RecordsToDelete(at) for p, at in halves.items()})
    return sum(halves.values())


async def end_offsets(kafka: Server, prefix: str) -> Counter[TopicPartition]:
    """Return the end offsets of all partitions of the topics with this prefix."""
    async with _admin(kafka) as admin:
        described = await admin.describe_topics(await _topics(admin, prefix))
    partitions = [
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        for partition in topic["partitions"]
    ]
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.address)
    await consumer.start()
    try:
        return Counter(await consumer.end_offsets(partitions))
    finally:
        await consumer.stop()


@asynccontextmanager
async def _admin(kafka: Server) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def _topics(admin: AIOKafkaAdminClient, prefix: str) -> list[str]:
    return [name for name in await admin.list_topics() if name.startswith(prefix)]
