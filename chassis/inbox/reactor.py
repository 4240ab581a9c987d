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
from chassis.eventlog.aggregate import Aggregate, Change
from chassis.eventlog.event_store import Clash, EventLog, StateBehindLog
from chassis.inbox.receipts import Done, Key, Outcome, Receipts
from contracts.cloudevents import Envelope
from contracts.message import Command, Event, Message, to_milliseconds

log = structlog.get_logger(__name__)

Decide = Callable[..., Sequence[Event]]


@dataclass(frozen=True)
class Reaction:
    """What a message does to one aggregate; `of` tells which aggregate it concerns."""

    aggregate: Aggregate[Any, Any]
    of: Callable[[Any], UUID]
    decide: Decide

    def with_settings(self, **settings: Any) -> "Reaction":
        """Bind what the decision takes from the settings."""
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


class Reactor:
    """Carries tasks out: decided in groups, appended together, one by one where that clashes."""

    def __init__(self, event_log: EventLog, source: str) -> None:
        self._log = event_log
        self._receipts = Receipts(event_log.database)
        self._source = source

    async def carry_out(self, tasks: Sequence[Task]) -> list[Outcome]:
        """Give each task's outcome: Done, the refusal, or the exception that is a bug.

        A stream's tasks are carried out in their order. Raises PyMongoError when the store is away.
        """
        outcomes: list[Outcome | None] = [None] * len(tasks)
        clashed: dict[int, int] = {}
        rest = list(range(len(tasks)))
        while rest:
            group: dict[str, int] = {}
            later = []
            for index in rest:
                if tasks[index].stream in group:
                    later.append(index)
                else:
                    group[tasks[index].stream] = index
            for index, outcome in await self._group(tasks, list(group.values())):
                if not isinstance(outcome, int):
                    outcomes[index] = outcome
                elif clashed.get(index) == outcome:
                    outcomes[index] = StateBehindLog(tasks[index].stream)
                else:
                    clashed[index] = outcome
            rest = sorted(later + [i for i in group.values() if outcomes[i] is None])
        return [outcome for outcome in outcomes if outcome is not None]

    async def _group(
        self, tasks: Sequence[Task], indices: Sequence[int]
    ) -> list[tuple[int, Outcome | int]]:
        """Decide and append tasks of distinct streams.

        Gives for each its outcome, or the version at which it clashed and must be decided again.
        """
        stored: dict[str, Any] = {}
        targets: dict[str, tuple[Aggregate[Any, Any], list[UUID]]] = {}
        for aggregate, of in ((tasks[i].reaction.aggregate, tasks[i].target) for i in indices):
            targets.setdefault(aggregate.name, (aggregate, []))[1].append(of)
        for name, (aggregate, ids) in targets.items():
            documents = await self._log.load(aggregate, ids)
            stored |= {f"{name}-{id_}": document for id_, document in documents.items()}
        handled = await self._handled([tasks[i] for i in indices], stored)
        results: list[tuple[int, Outcome | int]] = []
        changes: list[tuple[int, Change[Any]]] = []
        answers: dict[Key, Done | Refused] = {}
        for index in indices:
            task = tasks[index]
            if outcome := handled.get(task.key):
                results.append((index, outcome))
                continue
            decided = self._decide(task, stored.get(task.stream))
            if isinstance(decided, Change):
                changes.append((index, decided))
                continue
            results.append((index, decided))
            if isinstance(decided, Done | Refused):
                answers[task.key] = decided
        errors = await self._log.append([change for _, change in changes])
        for (index, change), error in zip(changes, errors, strict=True):
            settled = self._outcome(change, error)
            results.append((index, settled))
            if isinstance(settled, Refused):
                answers[tasks[index].key] = settled
        commands = {tasks[i].key for i in indices if isinstance(tasks[i].message, Command)}
        await self._receipts.keep({k: answer for k, answer in answers.items() if k in commands})
        return results

    async def _handled(
        self, tasks: Sequence[Task], stored: Mapping[str, Any]
    ) -> dict[Key, Done | Refused]:
        """Give what became of those that have been here before."""
        # A stream that does not exist cannot hold the cause.
        known = await self._log.known(task.key for task in tasks if task.stream in stored)
        answered = await self._receipts.known(
            task.key for task in tasks if isinstance(task.message, Command)
        )
        return answered | {key: Done(key[1], version) for key, version in known.items()}

    def _decide(self, task: Task, document: Any) -> Change[Any] | Outcome:
        now = to_milliseconds(datetime.now(UTC))
        cause = task.envelope.id
        state = document.state if document else None
        version = document.version if document else 0
        try:
            events = task.reaction.decide(state, task.message, Given(now, cause))
            # After the decision: that there is no such thing says more than that it has changed.
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

    @staticmethod
    def _outcome(change: Change[Any], error: Exception | None) -> Outcome | int:
        if error is None:
            return Done(change.commit.stream, change.commit.last)
        if isinstance(error, Clash):
            return (
                change.commit.first
                if error.on_log
                else change.aggregate.unique.get(error.index, error)
            )
        return error


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
