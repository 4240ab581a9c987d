"""FastStream's broker, with consumers of our own making."""

from functools import partial
from typing import Any

from faststream.kafka import KafkaBroker

from chassis.kafka.servers import ConsumerFactory


class GroupBroker(KafkaBroker):
    """FastStream's broker with a consumer of our own class, for which it has no setting."""

    consumer: ConsumerFactory

    async def _connect(self) -> ConsumerFactory:
        builder: Any = await super()._connect()
        self.config.broker_config.builder = partial(self.consumer, **builder.keywords)
        return self.config.broker_config.builder


def group_broker(consumer: ConsumerFactory, **options: Any) -> KafkaBroker:
    """Make a broker that only consumes, by consumers that know themselves where Kafka is."""
    broker = GroupBroker(consumer_only=True, logger=None, **options)
    broker.consumer = consumer
    return broker
