"""Kafka: the process's one producer, the topics, and the wait that the embedded broker needs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code

from chassis.process.pacing import PACE_SECONDS, Pace
from contracts.catalogue import FOREVER, PARTITIONS, TOPICS, Topic

PUBLISH_SECONDS = 10
# Above what brokers take by default (1 MiB), so that the topics refuse what is too large, and
# a quarantine takes the largest record with the reason added.
LARGEST_RECORD = 2 * 1024 * 1024
# Whoever reads learns so soon of topics that were missing, which he takes for empty until then.
METADATA_MS = 10_000
MAX_HOLD_STEPS = 16
IDLE_MS = 500


@contextlib.asynccontextmanager
async def producer(bootstrap: str, client_id: str) -> AsyncIterator[AIOKafkaProducer]:
    """Start the process's producer: acknowledged by all replicas, not idempotent (aiokafka #1017).

    Raises KafkaConnectionError when no broker answers.
    """
    started = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=client_id,
        acks="all",
        enable_idempotence=False,
        request_timeout_ms=PUBLISH_SECONDS * 1000,
        max_request_size=LARGEST_RECORD,
    )
    try:
        await started.start()
        yield started
    finally:
        await started.stop()


async def apply_topics(bootstrap: str, prefix: str) -> list[str]:
    """Create the topics of the catalogue that are missing and give their names.

    Raises ValueError when a topic has another number of partitions: keys would have moved.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="realtoros-topics")
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [topic for topic in TOPICS if prefix + topic.name not in existing]
        if present := [prefix + t.name for t in TOPICS if prefix + t.name in existing]:
            for described in await admin.describe_topics(present):
                if (count := len(described["partitions"])) != PARTITIONS:
                    raise ValueError(
                        f"topic {described['topic']} has {count} partitions instead of "
                        f"{PARTITIONS}; keys would move, so export it and import it anew"
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
    kept = -1 if topic.retention == FOREVER else int(topic.retention.total_seconds() * 1000)
    configs = {"retention.ms": str(kept)}
    if not topic.types:
        configs["max.message.bytes"] = str(LARGEST_RECORD)
    if topic.compacted:
        configs["cleanup.policy"] = "compact"
    return configs


def pace_fetches(consumer: Any, empty_hold_ms: int, seconds: float = PACE_SECONDS) -> None:
    """Fetch at a pace, so that records come in batches; each fetch names every partition.

    `getmany` returns only with records then: FastStream sleeps for as long again after a poll that
    found nothing, so records that come meanwhile would wait, and an idle service would poll all
    day. `empty_hold_ms` is for the embedded broker, which answers an empty fetch at once instead of
    waiting for records: the longer nothing comes, the nearer to it fetches are apart.
    """
    pace = Pace(seconds)
    _wait_for_records(consumer, pace)
    fetcher = consumer._fetcher  # noqa: SLF001 - aiokafka has no setting for it
    fetch = fetcher._proc_fetch_request  # noqa: SLF001
    empty = 0

    async def paced(assignment: Any, node_id: Any, request: Any) -> bool:
        nonlocal empty
        arrived = False
        # As aiokafka's own does: a stop and a rebalance cancel it, and await it without a care.
        with contextlib.suppress(asyncio.CancelledError):
            await pace.turn()
            arrived = await fetch(assignment, node_id, request)
            empty = 0 if arrived else min(empty + 1, MAX_HOLD_STEPS)
            if empty and empty_hold_ms:
                await asyncio.sleep(empty_hold_ms / 1000 * (empty / MAX_HOLD_STEPS) ** 2)
        return arrived

    fetcher._proc_fetch_request = paced  # noqa: SLF001


def _wait_for_records(consumer: Any, pace: Pace) -> None:
    getmany = consumer.getmany

    async def until_some(*partitions: Any, max_records: int | None = None, **_: Any) -> Any:
        while not (
            records := await getmany(*partitions, timeout_ms=IDLE_MS, max_records=max_records)
        ):
            pass
        pace.took(sum(map(len, records.values())))
        return records

    consumer.getmany = until_some
