"""The topics of one system: lost or cut by disasters, and how far they go."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from ops.servers.stores import apply_topics
from tests.journeys.agent_user import until
from tests.servers import Server


async def lose_topics(kafka: Server, prefix: str) -> int:
    """Delete all topics of the prefix, and make them anew; give how many records that cost.

    Stop the services before. Apache Kafka forgets the groups' offsets in them, too; the embedded
    broker keeps those, so that groups stand behind the ends of their topics.
    """
    lost = (await ends(kafka, prefix)).total()
    async with _admin(kafka) as admin:
        await admin.delete_topics(await _topics(admin, prefix))

        async def gone() -> bool:
            return not await _topics(admin, prefix)

        # Apache Kafka answers before it has deleted them.
        await until(gone, "the topics are deleted")
    await apply_topics(kafka.address, prefix)
    return lost


async def cut(kafka: Server, topic: str) -> int:
    """Delete the older half of each partition of a topic; give how many records that cost."""
    found = await ends(kafka, topic)
    halves = {p: end // 2 for p, end in found.items() if p.topic == topic and end > 1}
    async with _admin(kafka) as admin:
        await admin.delete_records({p: RecordsToDelete(at) for p, at in halves.items()})
    return sum(halves.values())


async def ends(kafka: Server, prefix: str) -> Counter[TopicPartition]:
    """Give where the partitions of all topics end whose names begin like this."""
    async with _admin(kafka) as admin:
        described = await admin.describe_topics(await _topics(admin, prefix))
    places = [
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        for partition in topic["partitions"]
    ]
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.address)
    await consumer.start()
    try:
        return Counter(await consumer.end_offsets(places))
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
