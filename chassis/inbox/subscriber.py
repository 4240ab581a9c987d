"""FastStream's one batch subscriber, wired by the rules that keep it from losing data."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from chassis.inbox.inbox import Inbox
from chassis.kafka.broker import group_broker
from chassis.kafka.client import METADATA_MS
from chassis.kafka.records import Record
from chassis.kafka.servers import ConsumerFactory

MAX_RECORDS = 500
# How long a group waits for a member that died: the least that brokers allow by default.
SESSION_MS = 6_000
# How long a stop waits for the batch in hand; cut off, it comes again.
HANDLER_SECONDS = 6.0


def subscribe(
    inbox: Inbox,
    consumer: ConsumerFactory,
    *,
    group: str,
    topics: Sequence[str],
    listeners: Sequence[ConsumerRebalanceListener],
    instance: str | None = None,
) -> tuple[KafkaBroker, Any]:
    """Wire the inbox to Kafka.

    Returns the broker and its one subscriber; nothing connects before the broker is started.
    """
    broker = group_broker(
        consumer,
        client_id=group,
        allow_auto_create_topics=False,
        metadata_max_age_ms=METADATA_MS,
        apply_types=False,
        graceful_timeout=HANDLER_SECONDS,
    )
    subscriber = broker.subscriber(
        *topics,
        batch=True,
        group_id=group,
        group_instance_id=instance,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        no_reply=True,
        max_records=MAX_RECORDS,
        session_timeout_ms=SESSION_MS,
        heartbeat_interval_ms=SESSION_MS // 3,
        # The same partition of every topic to the same replica: one replica reads all of a client.
        partition_assignment_strategy=(RangePartitionAssignor,),
        listener=_Listeners(listeners),
        parser=_parse_batch,
        decoder=_leave_undecoded,
    )
    subscriber(inbox.handle)
    return broker, subscriber


class _Listeners(ConsumerRebalanceListener):
    """Calls several listeners, in their order."""

    def __init__(self, listeners: Sequence[ConsumerRebalanceListener]) -> None:
        self._listeners = listeners

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        for listener in self._listeners:
            await listener.on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        for listener in self._listeners:
            await listener.on_partitions_assigned(assigned)


async def _parse_batch(
    records: tuple[Record, ...], parse: Callable[[tuple[Record, ...]], Any]
) -> KafkaMessage:
    """Keep the headers from FastStream: its own parser fails the batch on a null one."""
    message: KafkaMessage = await parse((replace(records[0], headers=(), value=b""),))
    message.raw_message = records
    return message


async def _leave_undecoded(message: KafkaMessage) -> KafkaMessage:
    return message
