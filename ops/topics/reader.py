"""Topics as an operator reads them: by their names without prefix, without a group."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from chassis.kafka.topic_reader import standalone_consumer
from contracts.catalogue import Topic
from ops.errors import OperatorError

CLIENT = "realtoros-events"
POLL_MS = 200
_COORDINATOR_SECONDS = 15


def chosen(names: Sequence[str], topics: Iterable[Topic]) -> list[str]:
    """Give the names once each. Raises OperatorError for one that none of the topics has."""
    known = [topic.name for topic in topics]
    if unknown := [name for name in names if name not in known]:
        raise OperatorError(f"no topic {', '.join(unknown)}; there are {', '.join(known)}")
    return list(dict.fromkeys(names))


@contextlib.contextmanager
def kafka_errors_told(bootstrap: str) -> Iterator[None]:
    """Turn what Kafka's client raises into an OperatorError."""
    try:
        yield
    except KafkaError as error:
        raise OperatorError(f"Kafka at {bootstrap}: {error}") from error


async def handled(bootstrap: str, prefix: str, service: str) -> dict[TopicPartition, int]:
    """Give how far a service's group has committed; partitions without an offset are absent."""
    deadline = time.monotonic() + _COORDINATOR_SECONDS
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id=CLIENT)
    with kafka_errors_told(bootstrap):
        try:
            await admin.start()
            found = None
            while found is None:
                try:
                    found = await admin.list_consumer_group_offsets(f"{prefix}{service}")
                except GroupCoordinatorNotAvailableError:
                    # The first question after a group makes the broker make its place for them.
                    if time.monotonic() > deadline:
                        raise
                    await asyncio.sleep(POLL_MS / 1000)
        finally:
            await admin.close()
    return {place: at.offset for place, at in found.items() if at.offset >= 0}


@contextlib.asynccontextmanager
async def reader(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a consumer that is to be assigned its partitions. Raises OperatorError."""
    with kafka_errors_told(bootstrap):
        async with standalone_consumer(bootstrap, CLIENT) as consumer:
            yield consumer


async def partitions(
    bootstrap: str, prefix: str, names: Iterable[str], *, within: float = 0
) -> list[TopicPartition]:
    """Give all partitions of the topics, in order. Raises OperatorError when one is not there.

    Topics that have just been created are waited for, `within` seconds.
    """
    topics = [prefix + name for name in names]
    deadline = time.monotonic() + within
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id=CLIENT)
    with kafka_errors_told(bootstrap):
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
            f"Kafka at {bootstrap} has no topic {', '.join(missing)}: is KAFKA_TOPIC_PREFIX right,"
            " and has `realtoros topics apply` run?"
        )
    return [
        TopicPartition(topic, number)
        for topic in topics
        for number in sorted(each["partition"] for each in described[topic]["partitions"])
    ]
