"""The process's one producer, and the topics of the catalogue."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError, for_code

from chassis.kafka.servers import KafkaServers
from contracts.catalogue import FOREVER, PARTITIONS, TOPICS, Topic

PUBLISH_SECONDS = 10
# Above what brokers take by default (1 MiB), so that the topics refuse what is too large, and
# a quarantine takes the largest record with the reason added.
LARGEST_RECORD = 2 * 1024 * 1024
# Less than brokers take by default (1 MiB). With aiokafka's 16 KiB, ten records and more wait for a
# round trip each time, and a burst is sent at a fifth of the rate.
LARGEST_BATCH = 512 * 1024
# How soon consumers learn of topics that were missing, which they take for empty until then.
METADATA_MS = 10_000


@contextlib.asynccontextmanager
async def producer(servers: KafkaServers, client_id: str) -> AsyncIterator[AIOKafkaProducer]:
    """Start the process's producer: acknowledged by all replicas, not idempotent (aiokafka #1017).

    Raises KafkaConnectionError when no broker answers.
    """
    started = servers.producer(
        client_id,
        acks="all",
        enable_idempotence=False,
        request_timeout_ms=PUBLISH_SECONDS * 1000,
        max_request_size=LARGEST_RECORD,
        max_batch_size=LARGEST_BATCH,
    )
    try:
        await started.start()
        yield started
    finally:
        await started.stop()


async def apply_topics(servers: KafkaServers, prefix: str) -> list[str]:
    """Create the topics of the catalogue that are missing and return their names.

    Raises ValueError when a topic has another number of partitions: keys would have moved.
    """
    admin = servers.admin("realtoros-topics")
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [topic for topic in TOPICS if prefix + topic.name not in existing]
        if present := [prefix + t.name for t in TOPICS if prefix + t.name in existing]:
            for described in await admin.describe_topics(present):
                if (count := len(described["partitions"])) != PARTITIONS:
                    raise ValueError(
                        f"topic {described['topic']} has {count} partitions instead of "
                        f"{PARTITIONS}; keys would move, so export it and import it again"
                    )
        if missing:
            replicas = min(3, len((await admin.describe_cluster())["brokers"]))
            answer: Any = await admin.create_topics(
                [
                    NewTopic(
                        name=prefix + topic.name,
                        num_partitions=PARTITIONS,
                        replication_factor=replicas,
                        topic_configs=_configs(topic),
                    )
                    for topic in missing
                ]
            )
            for name, code, *_ in answer.topic_errors:
                error = for_code(code)
                if code and error.__name__ != "TopicAlreadyExistsError":
                    raise KafkaError(f"topic {name}: {error.__name__}")
        return [prefix + topic.name for topic in missing]
    finally:
        await admin.close()


def _configs(topic: Topic) -> dict[str, str]:
    milliseconds = -1 if topic.retention == FOREVER else int(topic.retention.total_seconds() * 1000)
    configs = {"retention.ms": str(milliseconds)}
    if not topic.types:
        configs["max.message.bytes"] = str(LARGEST_RECORD)
    if topic.compacted:
        configs["cleanup.policy"] = "compact"
    return configs
