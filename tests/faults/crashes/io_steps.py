"""The I/O of this process, wrapped step by step, so that it can die or pause at any boundary.

Production code has no hooks: `install` replaces functions of the chassis in this process. Below
the steps, the clients of MongoDB, Kafka and HTTP are watched: what they write outside of every
step is a boundary that nobody named, and is told as `io_outside_a_step`.
"""

import asyncio
import contextlib
import importlib
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NoReturn

import httpx2
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from faststream.kafka.message import KafkaAckableMessage
from pymongo import monitoring

from chassis.eventlog.due_loop import DueLoop
from chassis.eventlog.event_store import EventLog
from chassis.eventlog.relay import Relay
from chassis.inbox.consumer_offsets import ConsumerOffsets
from chassis.inbox.quarantine import Quarantine
from chassis.inbox.receipts import Receipts
from chassis.inbox.replies import Replies
from chassis.kafka.checkpoints import Checkpoints
from chassis.projections.views import Views
from chassis.recovery.reconciliation import Reconciliation
from tests.faults.crashes.crash_points import AFTER, BEFORE, POINTS

_WRITES = frozenset(
    {"insert", "update", "delete", "findAndModify", "bulkWrite", "commitTransaction"}
    | {"create", "createIndexes", "drop", "dropDatabase", "renameCollection"}
)
_HOLD_SECONDS = 0.01

# A task that a step starts belongs to the step: it takes a copy of the context.
_within: ContextVar[bool] = ContextVar("within", default=False)


def tell(event: str, *, level: str = "warning", **fields: str) -> None:
    """Write a line to the log as the services do, at once: the process may die next."""
    line = {"logger": __name__, "level": level, "event": event, **fields, "at": time.time()}
    os.write(1, json.dumps(line).encode() + b"\n")


class Steps:
    """Knows where the service stands: dies at `crash_at`, waits at `hold_at` for a file."""

    def __init__(
        self,
        service: str,
        crash_at: str | None,
        crash_on: int = 1,
        hold_at: str | None = None,
        hold_until: Path | None = None,
    ) -> None:
        self._points = POINTS[service]
        self._crash_at = crash_at
        self._left = crash_on
        self._hold_at = hold_at
        self._hold_until = hold_until

    @contextlib.contextmanager
    def step(self, *names: str) -> Iterator[None]:
        """Be within steps that one operation makes together."""
        for name in names:
            self.passes(f"{name}, {BEFORE}")
        token = _within.set(True)
        try:
            yield
        finally:
            _within.reset(token)
        for name in names:
            self.passes(f"{name}, {AFTER}")

    async def hold(self, place: str) -> None:
        """Wait here, if this is the place to wait at, until the file is there."""
        if place != self._hold_at or self._hold_until is None:
            return
        tell("held", place=place)
        while not await asyncio.to_thread(self._hold_until.exists):
            await asyncio.sleep(_HOLD_SECONDS)

    def passes(self, point: str) -> None:
        """Pass a point of the service."""
        if point not in self._points:
            tell("point_not_enumerated", point=point)
        self.dies_at(point)

    def dies_at(self, point: str) -> None:
        """Die here, if this is the point to die at; it may be one that a planted bug adds."""
        if point == self._crash_at:
            self._left -= 1
            if self._left <= 0:
                die(point)


def die(point: str) -> NoReturn:
    """End this process as a power cut would."""
    tell("crashed", point=point)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def install(service: str, steps: Steps) -> None:
    """Wrap what this service does to the outside, and watch what it does besides."""
    for owner, name, names in _STEPS:
        _wrap(steps, owner, name, names)
    if service == "composer":
        writer = importlib.import_module("services.composer.openai_writer").OpenAIWriter
        _wrap(steps, writer, "write", lambda *_: ["call"])
    if service == "mailer":
        transport = importlib.import_module("services.mailer.transports.sendgrid").SendGridTransport
        _wrap(steps, transport, "send", lambda *_: ["call"])
        worker = importlib.import_module("services.mailer.email_worker")
        _wrap(steps, worker, "_withhold_reason", lambda *_: ["read suppressions"])
    if service == "gateway":
        commands = importlib.import_module("services.gateway.commands.client").CommandClient
        _wrap(steps, commands, "send", lambda _, command, *__: [f"command {_name(command)}"])
        kept = importlib.import_module("services.gateway.commands.pending").PendingCommands
        _wrap(steps, kept, "keep", lambda *_: ["keep command"])
        _wrap_write(steps, kept)
        throttle = importlib.import_module("services.gateway.accounts.rate_limits").AttemptLimits
        _wrap(steps, throttle, "count", lambda *_: ["count attempt"])
        accounts = importlib.import_module("services.gateway.accounts.accounts").Accounts
        _wrap(steps, accounts, "add", lambda *_: ["add account"])
        _wrap(steps, accounts, "_is_registered", lambda *_: ["settle account"])
        _wrap(steps, accounts, "begin_session", lambda *_: ["begin session"])
        once = importlib.import_module("services.gateway.http.idempotency").IdempotencyMiddleware
        _wrap(steps, once, "_ask", lambda *_: ["note request"])
        _wrap(steps, once, "_keep", lambda *_: ["note answer"])
    _watch(steps)


def _wrap(steps: Steps, owner: Any, name: str, names: Callable[..., Iterable[str]]) -> None:
    original: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def stepped(*args: Any, **kwargs: Any) -> Any:
        if not (passed := list(dict.fromkeys(names(*args, **kwargs)))):
            return await original(*args, **kwargs)
        with steps.step(*passed):
            return await original(*args, **kwargs)

    setattr(owner, name, stepped)


def _wrap_write(steps: Steps, kept: Any) -> None:
    """Wrap the one step that nobody waits for: a task writes down an answer that came late."""
    original = kept._write

    def noted(self: Any, *args: Any) -> None:
        before = set(self._writing)
        steps.passes(f"settle command, {BEFORE}")
        token = _within.set(True)
        original(self, *args)
        _within.reset(token)
        for task in self._writing - before:
            task.add_done_callback(lambda _: steps.passes(f"settle command, {AFTER}"))

    kept._write = noted


def _name(message: object) -> str:
    return type(message).__name__


def _appended(_log: EventLog, changes: Any) -> Iterable[str]:
    return (f"append {_name(e.event)}" for change in changes for e in change.commit.events)


def _published(_relay: Relay, heads: Any) -> Iterable[str]:
    # A wire name is `realtoros.<ClassName>.v<N>`.
    types = (commit.records[number][0].type for commit, number in heads)
    return (f"publish {type_.split('.')[1]}" for type_ in types)


_STEPS: tuple[tuple[Any, str, Callable[..., Iterable[str]]], ...] = (
    (EventLog, "_transaction", _appended),
    (Relay, "_send", _published),
    (Relay, "_mark", lambda _, published: ["mark"] if published else []),
    (Reconciliation, "_stored", lambda *_: ["take in"]),
    (
        Checkpoints,
        "_write",
        lambda places, found: [f"place {places._collection.name}"] if found else [],
    ),
    (ConsumerOffsets, "_seek", lambda *_: ["resume"]),
    (Views, "apply", lambda _, events: ["view"] if events else []),
    (DueLoop, "_claim", lambda loop, *_: [f"claim {loop._collection.name}"]),
    (DueLoop, "_postpone", lambda loop, *_: [f"postpone {loop._collection.name}"]),
    (Receipts, "keep", lambda _, answers: ["receipt"] if answers else []),
    (Replies, "send", lambda _, outcomes: ["reply"] if outcomes else []),
    (Quarantine, "put", lambda *_: ["quarantine"]),
    (KafkaAckableMessage, "ack", lambda *_: ["commit offsets"]),
)


class _Commands(monitoring.CommandListener):
    """Hears every command to MongoDB, in the context of the task that gave it."""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in _WRITES:
            _expect_step(f"{event.command_name} {event.command.get(event.command_name)}")

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing to note."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing to note."""


def _watch(steps: Steps) -> None:
    monitoring.register(_Commands())
    for owner, name, what in (
        (AIOKafkaProducer, "send", "produce"),
        (AIOKafkaConsumer, "commit", "commit offsets"),
        (httpx2.AsyncClient, "send", "request"),
    ):
        _watch_function(steps, owner, name, what)


def _watch_function(steps: Steps, owner: Any, name: str, what: str) -> None:
    original: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def watched(*args: Any, **kwargs: Any) -> Any:
        _expect_step(what)
        await steps.hold(what)
        return await original(*args, **kwargs)

    setattr(owner, name, watched)


def _expect_step(what: str) -> None:
    if not _within.get():
        tell("io_outside_a_step", level="error", what=what)
