"""Reactions: a message meets an aggregate, a pure decision says which events follow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from chassis.domain.errors import Refused
from chassis.domain.state import Given
from chassis.eventlog.aggregate import Aggregate, Change, StateDocument
from chassis.eventlog.event_store import Clash, EventLog, StateBehindLog
from chassis.inbox.receipts import Done, Key, Outcome, Receipts
from chassis.observability import tracing
from contracts.cloudevents import Envelope
from contracts.message import Command, Event, Message, to_milliseconds

log = structlog.get_logger(__name__)

Decide = Callable[..., Sequence[Event]]


@dataclass(frozen=True)
class Reaction:
    """What a message does to one aggregate; `of` returns the id of that aggregate."""

    aggregate: Aggregate[Any, Any]
    of: Callable[[Any], UUID]
    decide: Decide

    def with_settings(self, **settings: Any) -> "Reaction":
        """Bind the settings that the decision takes as keywords."""
        return Reaction(self.aggregate, self.of, partial(self.decide, **settings))


@dataclass(frozen=True, slots=True)
class Task:
    """One message for one reaction."""

    envelope: Envelope
    message: Message
    reaction: Reaction

    @property
    def target(self) -> UUID:
        return self.reaction.of(self.message)

    @property
    def key(self) -> Key:
        return self.envelope.id, self.stream

    @property
    def stream(self) -> str:
        return f"{self.reaction.aggregate.name}-{self.target}"


@dataclass(frozen=True, slots=True)
class Clashed:
    """Another writer appended `version` of the stream first: read and decide again."""

    version: int


class Reactor:
    """Carries out tasks: decided in groups, appended together, one by one where that clashes."""

    def __init__(self, event_log: EventLog, source: str) -> None:
        self._log = event_log
        self._receipts = Receipts(event_log.database)
        self._source = source

    async def carry_out(self, tasks: Sequence[Task]) -> list[Outcome]:
        """Return each task's outcome: Done, the refusal, or the exception that is a bug.

        A stream's tasks are carried out in their order. Raises PyMongoError when the store is away.
        """
        outcomes: dict[int, Outcome] = {}
        clashes: dict[int, Clashed] = {}
        rest = list(range(len(tasks)))
        while rest:
            # The first task of each stream.
            group: dict[str, int] = {}
            for index in rest:
                group.setdefault(tasks[index].stream, index)
            indices = list(group.values())
            results = await self._carry_out_group([tasks[index] for index in indices])
            for index, result in zip(indices, results, strict=True):
                if not isinstance(result, Clashed):
                    outcomes[index] = result
                elif clashes.get(index) == result:
                    outcomes[index] = StateBehindLog(tasks[index].stream)
                else:
                    clashes[index] = result
            rest = [index for index in rest if index not in outcomes]
        return [outcomes[index] for index in range(len(tasks))]

    async def _carry_out_group(self, tasks: Sequence[Task]) -> list[Outcome | Clashed]:
        """Decide and append tasks of distinct streams; return a result for each."""
        stored = await self._load(tasks)
        handled = await self._handled(tasks, stored)
        decisions = {
            task.stream: handled.get(task.key) or self._decide(task, stored.get(task.stream))
            for task in tasks
        }
        changes = [each for each in decisions.values() if isinstance(each, Change)]
        errors = await self._log.append(changes)
        for change, error in zip(changes, errors, strict=True):
            if error is None:
                change.record(tracing.handling_of(change.commit.cause))
        appended = {
            change.commit.stream: _result(change, error)
            for change, error in zip(changes, errors, strict=True)
        }
        results = {
            stream: appended[stream] if isinstance(decision, Change) else decision
            for stream, decision in decisions.items()
        }
        await self._receipts.keep(
            {
                task.key: result
                for task in tasks
                if isinstance(task.message, Command)
                and task.key not in handled
                and (
                    isinstance(result := results[task.stream], Refused)
                    or (isinstance(result, Done) and task.stream not in appended)
                )
            }
        )
        return [results[task.stream] for task in tasks]

    async def _load(self, tasks: Sequence[Task]) -> dict[str, StateDocument[Any]]:
        targets: dict[str, tuple[Aggregate[Any, Any], list[UUID]]] = {}
        for task in tasks:
            aggregate = task.reaction.aggregate
            targets.setdefault(aggregate.name, (aggregate, []))[1].append(task.target)
        stored: dict[str, StateDocument[Any]] = {}
        for name, (aggregate, ids) in targets.items():
            documents = await self._log.load(aggregate, ids)
            stored |= {f"{name}-{id_}": document for id_, document in documents.items()}
        return stored

    async def _handled(
        self, tasks: Sequence[Task], stored: Mapping[str, StateDocument[Any]]
    ) -> dict[Key, Done | Refused]:
        """Return the outcomes of those that were handled before."""
        # A stream that does not exist cannot hold the cause.
        known = await self._log.known(task.key for task in tasks if task.stream in stored)
        answered = await self._receipts.known(
            task.key for task in tasks if isinstance(task.message, Command)
        )
        return answered | {key: Done(key[1], version) for key, version in known.items()}

    def _decide(self, task: Task, document: StateDocument[Any] | None) -> Change[Any] | Outcome:
        now = to_milliseconds(datetime.now(UTC))
        cause = task.envelope.id
        state = document.state if document else None
        version = document.version if document else 0
        try:
            events = task.reaction.decide(state, task.message, Given(now, cause))
            # After the decision: "not found" says more than "it has changed".
            _require_version(task, version)
            if not events:
                return Done(task.stream, version)
            return task.reaction.aggregate.change(
                task.target,
                document,
                events,
                source=self._source,
                cause=cause,
                correlation=task.envelope.correlation,
                at=now,
            )
        except Refused as refusal:
            return refusal
        except Exception as bug:
            log.exception("decision_failed", type=task.envelope.type, event_id=str(cause))
            return bug


def _result(change: Change[Any], error: Exception | None) -> Outcome | Clashed:
    if error is None:
        return Done(change.commit.stream, change.commit.last)
    if not isinstance(error, Clash):
        return error
    if error.on_log:
        return Clashed(change.commit.first)
    return change.aggregate.unique.get(error.index, error)


def _require_version(task: Task, version: int) -> None:
    """Refuse a command that was meant for another version of the stream it is about."""
    message = task.message
    if not isinstance(message, Command) or message.if_version in (None, version):
        return
    # What it does to other aggregates does not depend on that stream.
    if message.stream == task.stream:
        raise Refused(
            f"it has changed meanwhile: version {version} instead of {message.if_version}",
            field="if_version",
        )
