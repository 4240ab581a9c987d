"""Each service ends in the same state, whatever the order of topics and the repeats.

Only the order within a stream is preserved, and what a person or a worker knew when acting. Each
history is read twice, with the same ids: in canonical order on one database, as drawn on another.
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
from tests.faults.ordering.agent_history import AgentHistory
from tests.faults.ordering.delivery_orders import Input, deliveries, inputs_of
from tests.faults.ordering.history_strategies import (
    CLIENT_SCENARIOS,
    ClientScenario,
    FollowupScenario,
)
from tests.faults.ordering.reading_services import SERVICES, ServiceReader, service_reader
from tests.servers import Server
from tests.system import topic_prefix


class ServicePair:
    """A service on two databases, and its quarantine."""

    def __init__(
        self, canonical: ServiceReader, shuffled: ServiceReader, consumer: AIOKafkaConsumer
    ) -> None:
        self.canonical, self.shuffled, self._consumer = canonical, shuffled, consumer
        topic = f"{canonical.prefix}{canonical.service.name}.quarantine"
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]

    async def quarantined(self) -> int:
        """Count the quarantined records."""
        return sum((await self._consumer.end_offsets(self._partitions)).values())


@pytest.fixture(scope="module", params=SERVICES)
async def pair(
    request: pytest.FixtureRequest, kafka: Server, mongodb_server: Server
) -> AsyncIterator[ServicePair]:
    """Each service in turn."""
    async with AsyncExitStack() as stack:
        prefix = await stack.enter_async_context(topic_prefix(kafka))
        await chassis_kafka.apply_topics(kafka.servers, prefix)
        producer = await stack.enter_async_context(
            chassis_kafka.producer(kafka.servers, "test-any-order")
        )
        canonical, shuffled = [
            await stack.enter_async_context(
                service_reader(request.param, mongodb_server, kafka, producer, prefix)
            )
            for _ in range(2)
        ]
        consumer = AIOKafkaConsumer(bootstrap_servers=kafka.address)
        await consumer.start()
        stack.push_async_callback(consumer.stop)
        yield ServicePair(canonical, shuffled, consumer)


SETTINGS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    # Shrinking costs minutes here; what failed is printed as it was drawn.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@given(CLIENT_SCENARIOS, st.data())
@SETTINGS
async def test_any_order_and_repetition_ends_in_the_same_state(
    pair: ServicePair, scenarios: tuple[ClientScenario, ...], data: st.DataObject
) -> None:
    service, kinds = pair.canonical.service, frozenset(pair.canonical.aggregates)

    def inputs(history: AgentHistory) -> list[Input]:
        return inputs_of(history, service.name, service._reactions, kinds)

    shape = inputs(AgentHistory(UUID(int=0), scenarios))
    assume(shape)
    batches = data.draw(deliveries(shape))
    history = AgentHistory(uuid4(), scenarios)
    delivered = inputs(history)
    await pair.canonical.process(delivered, [range(len(delivered))])
    await pair.shuffled.process(delivered, batches)
    expected = await pair.canonical.stored(history)
    assert await pair.shuffled.stored(history) == expected
    assert await pair.quarantined() == 0


async def test_a_refused_resend_is_not_carried_out_when_it_is_redelivered(
    kafka: Server, mongodb_server: Server, prefix: str
) -> None:
    held = FollowupScenario("due", "composed", "held", ())
    history = AgentHistory(uuid4(), (ClientScenario("lead", (), (held,), (), False),))
    await chassis_kafka.apply_topics(kafka.servers, prefix)
    async with (
        chassis_kafka.producer(kafka.servers, "test-any-order") as producer,
        service_reader("mailer", mongodb_server, kafka, producer, prefix) as reader,
    ):
        delivered = inputs_of(
            history, "mailer", reader.service._reactions, frozenset(reader.aggregates)
        )
        await reader.process(delivered, [range(len(delivered))])
        expected = await reader.stored(history)
        commands = [number for number, one in enumerate(delivered) if one.lane == "emails.commands"]
        await reader.process(delivered, [commands])
        assert await reader.stored(history) == expected
