"""Catching up: act only once the group has handled all that stood in its topics."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from chassis.inbox.catch_up import CatchUp
from tests.chassis.raw_records import put
from tests.chassis.tally import order
from tests.chassis.waiting import until
from tests.servers import Server


def settled() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@pytest.fixture
async def caught(kafka: Server, topics: str) -> AsyncIterator[tuple[CatchUp, Any]]:
    """What watches a consumer that commits nothing by itself."""
    catch_up = CatchUp(settled())
    catch_up.consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.address,
        group_id=f"{topics}group",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    catch_up.consumer.subscribe([f"{topics}emails.commands"], listener=catch_up)
    await catch_up.consumer.start()
    yield catch_up, catch_up.consumer
    catch_up.close()
    await catch_up.consumer.stop()


async def read(consumer: Any, many: int) -> dict[TopicPartition, int]:
    """Read so many records; give what to commit when they are handled."""
    offsets: dict[TopicPartition, int] = {}
    while many > 0:
        for partition, records in (await consumer.getmany(timeout_ms=200)).items():
            offsets[partition] = records[-1].offset + 1
            many -= len(records)
    return offsets


async def test_without_anything_in_its_topics_it_is_done_at_once(
    caught: tuple[CatchUp, Any],
) -> None:
    catch_up, _ = caught
    await until(lambda: catch_up.done)


async def test_it_is_done_when_what_stood_there_is_committed_and_not_before(
    kafka: Server, topics: str, producer: AIOKafkaProducer
) -> None:
    for _ in range(5):
        await put(producer, f"{topics}emails.commands", order(uuid4(), "opened"))
    consumer: Any = AIOKafkaConsumer(
        bootstrap_servers=kafka.address,
        group_id=f"{topics}group",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    catch_up = CatchUp(settled())
    looks = 0
    committed = consumer.committed

    async def counted(partition: TopicPartition) -> Any:
        nonlocal looks
        looks += 1
        return await committed(partition)

    consumer.committed = counted
    consumer.subscribe([f"{topics}emails.commands"], listener=catch_up)
    await consumer.start()
    try:
        catch_up.consumer = consumer
        handled = await read(consumer, 5)
        before = looks
        await until(lambda: looks > before + 2)
        assert not catch_up.done
        await consumer.commit(handled)
        await put(producer, f"{topics}emails.commands", order(uuid4(), "opened"))
        await until(lambda: catch_up.done)
        await catch_up.on_partitions_revoked(set())
        assert not catch_up.done
        await catch_up.on_partitions_assigned(set())
        await consumer.commit(await read(consumer, 1))
        await until(lambda: catch_up.done)
    finally:
        catch_up.close()
        await consumer.stop()
