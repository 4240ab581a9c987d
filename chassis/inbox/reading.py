"""Reading as a group: joined, watched, and left in order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from functools import partial

from pymongo.errors import PyMongoError

from chassis.inbox.catch_up import CatchUp
from chassis.inbox.consumer_offsets import ConsumerOffsets
from chassis.inbox.inbox import Inbox
from chassis.inbox.subscriber import subscribe
from chassis.kafka.consumer import PacedConsumer
from chassis.kafka.servers import KafkaServers
from chassis.process.settings import Settings
from chassis.process.tasks import background

STOP_SECONDS = 6
CHECK_SECONDS = 1


@contextlib.asynccontextmanager
async def reading(
    inbox: Inbox,
    offsets: ConsumerOffsets,
    catch_up: CatchUp,
    servers: KafkaServers,
    settings: Settings,
    *,
    group: str,
    topics: Sequence[str],
) -> AsyncIterator[None]:
    """Consume meanwhile; at the end finish the batch in hand, commit, leave the group.

    `catch_up` gets the consumer once it has joined.
    """
    broker, subscriber = subscribe(
        inbox,
        partial(
            servers.consumer,
            make=PacedConsumer,
            empty_hold_ms=settings.kafka_empty_fetch_hold_ms,
            pace_seconds=settings.pace_seconds,
            seek_assigned=offsets.seek_assigned,
        ),
        group=group,
        topics=topics,
        instance=settings.kafka_group_instance_id,
        listeners=(offsets, catch_up),
    )

    async def read() -> None:
        """Join the group, which may take long, then fail as soon as reading stops."""
        await broker.start()
        catch_up.consumer = subscriber.consumer
        while not any(task.done() for task in subscriber.tasks):
            await asyncio.sleep(CHECK_SECONDS)
        raise RuntimeError("reading has stopped by itself")

    async with background(read()):
        yield
    catch_up.close()
    # aiokafka's fetcher can swallow its cancellation and then never ends; by then the offsets
    # are committed and the group is left.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            await broker.stop()
    with contextlib.suppress(PyMongoError):
        await offsets.flush()


async def unassigned(catch_up: CatchUp) -> str | None:
    """Return why nothing is read, or None. Raises KafkaError when no broker answers."""
    if catch_up.consumer is None:
        return "joining the group"
    if not (partitions := catch_up.consumer.assignment()):
        return "no partitions assigned yet"
    # Of one partition: a broker may have thousands.
    await catch_up.consumer.end_offsets([min(partitions)])
    return None
