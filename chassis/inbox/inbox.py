"""The inbox: one batch subscriber per service, safe wiring, routing by the type of the event."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from pydantic import ValidationError
from pymongo.errors import PyMongoError

from chassis.domain.errors import Refused
from chassis.inbox.consumer_offsets import ConsumerOffsets
from chassis.inbox.quarantine import Quarantine
from chassis.inbox.reactor import Reaction, Reactor, Task
from chassis.inbox.receipts import Outcome
from chassis.inbox.replies import Replies
from chassis.kafka.client import METADATA_MS
from chassis.kafka.records import ParsedRecord, Record, parse
from chassis.process.dependency_health import DependencyHealth
from chassis.projections.views import Views
from contracts.catalogue import TYPES
from contracts.cloudevents import Envelope, Malformed
from contracts.message import Command, Message

MAX_RECORDS = 500
LONGEST_WAIT = 10.0
# How long a group waits for a member that died: the least that brokers allow by default.
SESSION_MS = 6_000
# How long a stop waits for the batch in hand; cut off, it comes again.
HANDLER_SECONDS = 6.0

log = structlog.get_logger(__name__)


class Postponed(Exception):
    """The batch comes again: store or broker is away."""


class Inbox:
    """Handles batches: views, then reactions, then replies; only then the offsets are committed."""

    def __init__(
        self,
        views: Views,
        reactions: Mapping[type[Message], Sequence[Reaction]],
        reactor: Reactor,
        replies: Replies,
        quarantine: Quarantine,
        consumed: ConsumerOffsets,
    ) -> None:
        self._views = views
        self._reactions = reactions
        self._reactor = reactor
        self._replies = replies
        self._quarantine = quarantine
        self._consumed = consumed
        self._reads = {*reactions, *views.shows}
        self._failures = 0
        # A batch that failed may come again elsewhere.
        self.trouble = DependencyHealth()

    async def handle(self, message: KafkaMessage) -> None:
        """Handle a batch. Raises after a pause when store or broker is away: it comes again."""
        records: Any = message.raw_message
        try:
            await self.process(records)
            await self._consumed.note(records)
        except (PyMongoError, KafkaError, TimeoutError, asyncio.CancelledError) as error:
            # FastStream would end the reading for good and in silence: pymongo may let a
            # cancellation out that it meant for a connection of its own.
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise
            reason = type(error).__name__
            wait = min(LONGEST_WAIT, 0.2 * 2 ** min(self._failures, 6))
            self._failures += 1
            self.trouble.note(reason, wait + LONGEST_WAIT)
            log.warning("batch_postponed", error=reason, records=len(records), seconds=wait)
            await asyncio.sleep(wait)
            raise Postponed(reason) from error
        self._failures = 0
        self.trouble.clear()

    async def process(self, records: Sequence[Record]) -> None:
        """Take each record's effect into the store, or the record into quarantine.

        Raises PyMongoError, KafkaError or TimeoutError when store or broker is away.
        """
        try:
            await self._take(records)
        except (PyMongoError, KafkaError, TimeoutError):
            raise
        except Exception as bug:
            log.exception("batch_failed", records=len(records))
            if len(records) == 1:
                await self._quarantine.put(records[0], f"a bug: {type(bug).__name__}")
                return
            for record in records:
                await self.process([record])

    async def _take(self, records: Sequence[Record]) -> None:
        arrived = [a for record in records if (a := await self._read(record))]
        arrived = await self._apply_views(arrived)
        tasks, origins = [], []
        for one in arrived:
            if one.message is None:
                continue
            for reaction in self._reactions.get(type(one.message), ()):
                tasks.append(Task(one.envelope, one.message, reaction))
                origins.append(one)
        if tasks:
            outcomes = await self._reactor.carry_out(tasks)
            await self._answer(list(zip(origins, outcomes, strict=True)))

    async def _read(self, record: Record) -> ParsedRecord | None:
        try:
            return parse(record, reads=self._reads, follows=self._views.follows)
        except Malformed as error:
            await self._quarantine.put(record, str(error))
        except ValidationError as error:
            fields = "; ".join(
                f"{'.'.join(map(str, e['loc'])) or 'value'}: {e['type']}"
                for e in error.errors(include_input=False, include_context=False)
            )
            await self._quarantine.put(record, fields)
        except Exception as bug:
            # Reading is pure: what fails once fails always, and must not block the partition.
            log.exception("reading_failed", topic=record.topic, offset=record.offset)
            await self._quarantine.put(record, f"a bug: {type(bug).__name__}")
        return None

    async def _apply_views(self, arrived: Sequence[ParsedRecord]) -> list[ParsedRecord]:
        """Bring the views up to date and give what may go on to the reactions."""
        viewed = [
            (index, one)
            for index, one in enumerate(arrived)
            if TYPES[one.envelope.type] in self._views.follows
        ]
        refused: set[int] = set()
        try:
            gaps = await self._views.apply([(one.envelope, one.message) for _, one in viewed])
        except PyMongoError:
            raise
        except Exception as bug:
            log.exception("view_failed", events=len(viewed))
            if len(arrived) > 1:
                return [a for one in arrived for a in await self._apply_views([one])]
            await self._quarantine.put(arrived[0].record, f"a view failed: {type(bug).__name__}")
            return []
        for gap in gaps:
            index, one = viewed[gap]
            refused.add(index)
            await self._quarantine.put(
                one.record, f"version {one.envelope.version} came before what precedes it"
            )
        return [one for index, one in enumerate(arrived) if index not in refused]

    async def _answer(self, outcomes: Sequence[tuple[ParsedRecord, Outcome]]) -> None:
        for one, outcome in outcomes:
            if isinstance(outcome, Refused):
                if not isinstance(one.message, Command):
                    await self._quarantine.put(one.record, f"refused: {outcome.reason}")
            elif isinstance(outcome, Exception):
                await self._quarantine.put(one.record, f"a bug: {type(outcome).__name__}")
        # One answer for each delivery, however many aggregates it met: a no of one is a no.
        answers: dict[int, tuple[Envelope, Message, Outcome]] = {}
        for one, outcome in outcomes:
            if isinstance(one.message, Command) and (
                id(one) not in answers or isinstance(outcome, Exception)
            ):
                answers[id(one)] = (one.envelope, one.message, outcome)
        await self._replies.send(list(answers.values()))


def _is_cancelled() -> bool:
    """Tell whether somebody wants the current task to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def subscribe(
    inbox: Inbox,
    *,
    bootstrap: str,
    group: str,
    topics: Sequence[str],
    listeners: Sequence[ConsumerRebalanceListener],
    instance: str | None = None,
) -> tuple[KafkaBroker, Any]:
    """Wire the inbox to Kafka by the rules that keep FastStream from losing data.

    Gives the broker and its one subscriber; nothing connects before the broker is started.
    """
    broker = KafkaBroker(
        bootstrap,
        client_id=group,
        consumer_only=True,
        allow_auto_create_topics=False,
        metadata_max_age_ms=METADATA_MS,
        apply_types=False,
        graceful_timeout=HANDLER_SECONDS,
        logger=None,
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
        # The same partition of every topic to the same replica: a client stays in one place.
        partition_assignment_strategy=(RangePartitionAssignor,),
        listener=_Listeners(listeners),
        parser=_parse_batch,
        decoder=_leave_undecoded,
    )
    subscriber(inbox.handle)
    return broker, subscriber


class _Listeners(ConsumerRebalanceListener):
    """Tells several, in their order."""

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
    """Keep FastStream's hands off the headers: its own parser fails the batch on a null one."""
    message: KafkaMessage = await parse((replace(records[0], headers=(), value=b""),))
    message.raw_message = records
    return message


async def _leave_undecoded(message: KafkaMessage) -> KafkaMessage:
    return message
