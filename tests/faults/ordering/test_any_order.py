"""Whatever order the topics come in, and however often, each service ends in the same state.

Only the order within a stream is kept, and what a person or a worker knew when acting. Each life
is taken in twice, with the same ids: in its canonical order on one database, as drawn on another.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from chassis.kafka import client as chassis_kafka
from contracts.catalogue import PARTITIONS
from tests.faults.ordering.client_histories import Life
from tests.faults.ordering.delivery_orders import Input, deliveries, inputs_of
from tests.faults.ordering.history_strategies import WAYS, ClientWay, FollowupWay
from tests.faults.ordering.reading_services import SERVICES, Reader, reading
from tests.servers import Server
from tests.system import prefix_on


class Pair:
    """A service twice, and its quarantine."""

    def __init__(self, plain: Reader, mixed: Reader, consumer: AIOKafkaConsumer) -> None:
        self.plain, self.mixed, self._consumer = plain, mixed, consumer
        topic = f"{plain.prefix}{plain.service.name}.quarantine"
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]

    async def quarantined(self) -> int:
        """Count what stands in quarantine."""
        return sum((await self._consumer.end_offsets(self._partitions)).values())


@pytest.fixture(scope="module", params=SERVICES)
async def pair(
    request: pytest.FixtureRequest, kafka: Server, mongodb_server: Server
) -> AsyncIterator[Pair]:
    """Each service in turn."""
    async with AsyncExitStack() as stack:
        prefix = await stack.enter_async_context(prefix_on(kafka))
        await chassis_kafka.apply_topics(kafka.address, prefix)
        producer = await stack.enter_async_context(
            chassis_kafka.producer(kafka.address, "test-any-order")
        )
        plain, mixed = [
            await stack.enter_async_context(
                reading(request.param, mongodb_server, kafka, producer, prefix)
            )
            for _ in range(2)
        ]
        consumer = AIOKafkaConsumer(bootstrap_servers=kafka.address)
        await consumer.start()
        stack.push_async_callback(consumer.stop)
        yield Pair(plain, mixed, consumer)


SETTINGS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    # Shrinking costs minutes here; what failed is printed as it was drawn.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@given(WAYS, st.data())
@SETTINGS
async def test_any_order_and_repetition_ends_in_the_same_state(
    pair: Pair, ways: tuple[ClientWay, ...], data: st.DataObject
) -> None:
    service, kinds = pair.plain.service, frozenset(pair.plain.aggregates)

    def inputs(life: Life) -> list[Input]:
        return inputs_of(life, service.name, service._reactions, kinds)

    shape = inputs(Life(UUID(int=0), ways))
    assume(shape)
    batches = data.draw(deliveries(shape))
    life = Life(uuid4(), ways)
    taken = inputs(life)
    await pair.plain.take(taken, [range(len(taken))])
    await pair.mixed.take(taken, batches)
    expected = await pair.plain.kept(life)
    assert await pair.mixed.kept(life) == expected
    assert await pair.quarantined() == 0


async def test_a_resend_that_was_refused_is_not_carried_out_when_it_comes_again(
    kafka: Server, mongodb_server: Server, prefix: str
) -> None:
    held = FollowupWay("due", "composed", "held", ())
    life = Life(uuid4(), (ClientWay("lead", (), (held,), (), False),))
    await chassis_kafka.apply_topics(kafka.address, prefix)
    async with (
        chassis_kafka.producer(kafka.address, "test-any-order") as producer,
        reading("mailer", mongodb_server, kafka, producer, prefix) as reader,
    ):
        taken = inputs_of(life, "mailer", reader.service._reactions, frozenset(reader.aggregates))
        await reader.take(taken, [range(len(taken))])
        expected = await reader.kept(life)
        commands = [number for number, one in enumerate(taken) if one.lane == "emails.commands"]
        await reader.take(taken, [commands])
        assert await reader.kept(life) == expected
