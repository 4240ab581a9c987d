"""The inbox: takes batches of records into the store, each by its type, or into quarantine."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaMessage
from pydantic import ValidationError
from pymongo.errors import PyMongoError

from chassis.domain.errors import Refused
from chassis.inbox.consumer_offsets import ConsumerOffsets
from chassis.inbox.quarantine import Quarantine
from chassis.inbox.reactor import Reaction, Reactor, Task
from chassis.inbox.receipts import Outcome
from chassis.inbox.replies import Replies
from chassis.inbox.stash import Stash
from chassis.kafka.records import ParsedRecord, Record, parse
from chassis.observability import tracing
from chassis.observability.causes import cause_of
from chassis.process.backoff import Backoff
from chassis.process.dependency_health import DependencyHealth
from chassis.projections.views import Views
from contracts.catalogue import TYPES
from contracts.cloudevents import Envelope, EventEnvelope, Malformed
from contracts.message import Command, Message

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0

log = structlog.get_logger(__name__)


class Postponed(Exception):
    """The batch comes again: store or broker is away."""


class Inbox:
    """Handles batches: views, stash, then reactions, then replies; then offsets are committed."""

    def __init__(
        self,
        views: Views,
        stash: Stash,
        reactions: Mapping[type[Message], Sequence[Reaction]],
        reactor: Reactor,
        replies: Replies,
        quarantine: Quarantine,
        offsets: ConsumerOffsets,
        prefix: str,
    ) -> None:
        self._views = views
        self._stash = stash
        self._reactions = reactions
        self._reactor = reactor
        self._replies = replies
        self._quarantine = quarantine
        self._offsets = offsets
        self._prefix = prefix
        self._reads = {*reactions, *views.reads}
        self._backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        self.dependency = DependencyHealth()

    async def handle(self, message: KafkaMessage) -> None:
        """Handle a batch. Raises after a pause when store or broker is away: it comes again."""
        records: Any = message.raw_message
        try:
            await self.process(records)
            await self._offsets.advance(records)
        except (PyMongoError, KafkaError, TimeoutError, asyncio.CancelledError) as error:
            # FastStream would stop reading without a word: pymongo may let out a cancellation that
            # it meant for a connection of its own.
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise
            reason = type(error).__name__
            pause = self._backoff.next()
            # Not for ever: the batch may come again at another replica.
            self.dependency.failed(reason, pause + LONGEST_PAUSE)
            log.warning(
                "batch_postponed",
                error=reason,
                cause=cause_of(error),
                records=len(records),
                seconds=pause,
            )
            await asyncio.sleep(pause)
            raise Postponed(reason) from error
        self._backoff.reset()
        self.dependency.succeeded()

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
        began = time.time_ns()
        parsed = [p for record in records if (p := await self._parse(record))]
        tasks, origins = [], []
        for each in await self._apply_views(parsed):
            if each.message is None:
                continue
            await self._stash.take(each.message)
            for reaction in self._reactions.get(type(each.message), ()):
                tasks.append(Task(each.envelope, each.message, reaction))
                origins.append(each)
        if tasks:
            outcomes = await self._reactor.carry_out(tasks)
            await self._answer(list(zip(origins, outcomes, strict=True)))
        if tracing.is_on():
            for each in parsed:
                self._trace(each, began)

    def _trace(self, parsed: ParsedRecord, began: int) -> None:
        record = parsed.record
        place: dict[str, str | int] = {
            "messaging.destination.partition.id": str(record.partition),
            "messaging.kafka.offset": record.offset,
        }
        topic = record.topic.removeprefix(self._prefix)
        tracing.handled(topic, parsed.envelope, began, place)

    async def _parse(self, record: Record) -> ParsedRecord | None:
        try:
            return parse(
                record, prefix=self._prefix, reads=self._reads, follows=self._views.follows
            )
        except Malformed as error:
            await self._quarantine.put(record, str(error))
        except ValidationError as error:
            fields = "; ".join(
                f"{'.'.join(map(str, e['loc'])) or 'value'}: {e['type']}"
                for e in error.errors(include_input=False, include_context=False)
            )
            await self._quarantine.put(record, fields)
        except Exception as bug:
            # Parsing is pure: what fails once always fails, and must not block the partition.
            log.exception("reading_failed", topic=record.topic, offset=record.offset)
            await self._quarantine.put(record, f"a bug: {type(bug).__name__}")
        return None

    async def _apply_views(self, parsed: Sequence[ParsedRecord]) -> list[ParsedRecord]:
        """Bring the views up to date and return what may go on to the reactions."""
        viewed = [
            (index, one.record, one.envelope, one.message)
            for index, one in enumerate(parsed)
            if isinstance(one.envelope, EventEnvelope)
            and TYPES[one.envelope.type] in self._views.follows
        ]
        refused: set[int] = set()
        try:
            gaps = await self._views.apply(
                [(envelope, message) for _, _, envelope, message in viewed]
            )
        except PyMongoError:
            raise
        except Exception as bug:
            log.exception("view_failed", events=len(viewed))
            if len(parsed) > 1:
                return [p for each in parsed for p in await self._apply_views([each])]
            await self._quarantine.put(parsed[0].record, f"a view failed: {type(bug).__name__}")
            return []
        for gap in gaps:
            index, record, envelope, _ = viewed[gap]
            refused.add(index)
            await self._quarantine.put(
                record, f"version {envelope.version} came before what precedes it"
            )
        return [one for index, one in enumerate(parsed) if index not in refused]

    async def _answer(self, outcomes: Sequence[tuple[ParsedRecord, Outcome]]) -> None:
        for parsed, outcome in outcomes:
            if isinstance(outcome, Refused):
                if not isinstance(parsed.message, Command):
                    await self._quarantine.put(parsed.record, f"refused: {outcome.reason}")
            elif isinstance(outcome, Exception):
                await self._quarantine.put(parsed.record, f"a bug: {type(outcome).__name__}")
        # One answer for each delivery, however many aggregates it met: if one refuses, a refusal.
        answers: dict[int, tuple[Envelope, Message, Outcome]] = {}
        for parsed, outcome in outcomes:
            if isinstance(parsed.message, Command) and (
                id(parsed) not in answers or isinstance(outcome, Exception)
            ):
                answers[id(parsed)] = (parsed.envelope, parsed.message, outcome)
        await self._replies.send(list(answers.values()))


def _is_cancelled() -> bool:
    """Return whether the current task itself is being cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
