"""Wraps the I/O of this process in steps, so that it can crash or pause at any boundary.

Production code has no hooks: `install` replaces functions of the chassis in this process. Below
the steps, the clients of MongoDB, Kafka and HTTP are watched: a write outside of every step is a
boundary without a name, and is logged as `io_outside_a_step`.
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
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import aiohttp
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
from chassis.inbox.stash import Stash
from chassis.kafka.checkpoints import Checkpoints
from chassis.mongo.daily_limit import DailyLimit, DailyPlaces
from chassis.projections.views import Views
from chassis.recovery.reconciliation import Reconciliation
from tests.faults.crashes.crash_points import AFTER, BEFORE, POINTS

_WRITES = frozenset(
    {"insert", "update", "delete", "findAndModify", "bulkWrite", "commitTransaction"}
    | {"create", "createIndexes", "drop", "dropDatabase", "renameCollection"}
)
_HOLD_SECONDS = 0.01

# A task that a step starts belongs to the step: it copies the context.
_in_step: ContextVar[bool] = ContextVar("in_step", default=False)


def write_log_entry(event: str, *, level: str = "warning", **fields: str) -> None:
    """Write a log entry as the services do, unbuffered: the process may crash next."""
    line = {"logger": __name__, "level": level, "event": event, **fields, "at": time.time()}
    os.write(1, json.dumps(line).encode() + b"\n")


class Steps:
    """The steps of a service: crashes at `crash_at`, waits at `hold_at` for a file."""

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
        """Enter steps that one operation takes together."""
        for name in names:
            self.pass_point(f"{name}, {BEFORE}")
        token = _in_step.set(True)
        try:
            yield
        finally:
            _in_step.reset(token)
        for name in names:
            self.pass_point(f"{name}, {AFTER}")

    async def hold(self, point: str) -> None:
        """If this is the point to hold at, wait until the file exists."""
        if point != self._hold_at or self._hold_until is None:
            return
        write_log_entry("held", point=point)
        while not await asyncio.to_thread(self._hold_until.exists):
            await asyncio.sleep(_HOLD_SECONDS)

    def pass_point(self, point: str) -> None:
        """Pass a point of the service; crash if it is the one to crash at."""
        if point not in self._points:
            write_log_entry("point_not_enumerated", point=point)
        self.crash_if_at(point)

    def crash_if_at(self, point: str) -> None:
        """Crash if this is the point to crash at; a planted bug may add one."""
        if point == self._crash_at:
            self._left -= 1
            if self._left <= 0:
                crash(point)


def crash(point: str) -> NoReturn:
    """Kill this process at once, as a power cut would."""
    write_log_entry("crashed", point=point)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def _set_longest_call(longest: timedelta) -> None:
    begin = DailyPlaces.__init__

    def shortened(self: DailyPlaces, database: Any, limit: DailyLimit) -> None:
        begin(self, database, replace(limit, longest_call=longest))

    DailyPlaces.__init__ = shortened  # type: ignore[method-assign]


def install(service: str, steps: Steps) -> None:
    """Wrap the service's I/O in steps, and watch for I/O outside of them."""
    for owner, name, names in _STEPS:
        _wrap(steps, owner, name, names)
    if service in ("composer", "mailer"):
        _wrap(steps, DailyPlaces, "_take", lambda *_: ["take place"])
        _wrap(steps, DailyPlaces, "_settle", lambda *_: ["settle place"])
        # A crash leaves places taken for as long; the next process finds them free again.
        _set_longest_call(timedelta(seconds=1))
    if service == "composer":
        writer = importlib.import_module("services.composer.writers.openai_writer").OpenAIWriter
        _wrap(steps, writer, "write", lambda *_: ["call"])
        templates = importlib.import_module("services.composer.writers.template_writer")
        _hold_before(steps, templates.TemplateWriter, "write", "letter")
    if service == "mailer":
        transport = importlib.import_module("services.mailer.transports.sendgrid").SendGridTransport
        _wrap(steps, transport, "send", lambda *_: ["call"])
        objections = importlib.import_module("services.mailer.sending.objections").Objections
        _wrap(steps, objections, "to", lambda *_: ["read objections"])
    if service == "gateway":
        commands = importlib.import_module("services.gateway.commands.client").CommandClient
        _wrap(steps, commands, "send", lambda _, command, *__: [f"command {_name(command)}"])
        pending = importlib.import_module("services.gateway.commands.pending").PendingCommands
        _wrap(steps, pending, "add", lambda *_: ["store command"])
        _wrap_write(steps, pending)
        limits = importlib.import_module("services.gateway.accounts.rate_limits").AttemptLimiter
        _wrap(steps, limits, "count", lambda *_: ["count attempt"])
        logins = importlib.import_module("services.gateway.accounts.login_limits").LoginLimits
        _wrap(steps, logins, "logged_in", lambda *_: ["remember network"])
        accounts = importlib.import_module("services.gateway.accounts.accounts").Accounts
        _wrap(steps, accounts, "add", lambda *_: ["add account"])
        _wrap(steps, accounts, "_mark_registered", lambda *_: ["mark registered"])
        sessions = importlib.import_module("services.gateway.accounts.sessions").Sessions
        _wrap(steps, sessions, "begin", lambda *_: ["begin session"])
        keys: Any = importlib.import_module("services.gateway.accounts.api_keys")
        # At every lookup, for a crash in each life of the process.
        keys.USE_RECORDED_EVERY = timedelta(0)
        _wrap(steps, keys.ApiKeys, "_store_use", lambda *_: ["record use of key"])
        quota = importlib.import_module("services.gateway.commands.daily_quota").DailyQuota
        _wrap(steps, quota, "take", lambda *_: ["take quota"])
        _wrap(steps, quota, "give_back", lambda *_: ["return quota"])
        activation = importlib.import_module("services.gateway.accounts.activation").Activation
        _wrap(steps, activation, "_mark_earlier_deactivations", lambda *_: ["mark deactivated"])
        _wrap(steps, activation, "_store_change", lambda *_: ["change activation"])
        _wrap(steps, activation, "_end_access", lambda *_: ["end access"])
        _wrap(steps, activation, "_mark_settled", lambda *_: ["settle activation"])
        idempotency = importlib.import_module(
            "services.gateway.http.idempotency"
        ).IdempotencyMiddleware
        _wrap(steps, idempotency, "_claim", lambda *_: ["claim request"])
        _wrap(steps, idempotency, "_store_response", lambda *_: ["store response"])
        clients = importlib.import_module("services.gateway.routes.clients")
        _wrap(steps, clients, "forget_responses", lambda *_: ["forget responses"])
    _watch(steps)


def _wrap(steps: Steps, owner: Any, name: str, names: Callable[..., Iterable[str]]) -> None:
    original: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def stepped(*args: Any, **kwargs: Any) -> Any:
        if not (passed := list(dict.fromkeys(names(*args, **kwargs)))):
            return await original(*args, **kwargs)
        with steps.step(*passed):
            return await original(*args, **kwargs)

    setattr(owner, name, stepped)


def _wrap_write(steps: Steps, pending: Any) -> None:
    """Wrap the one step that is not awaited: a task stores a late reply."""
    original = pending._write

    def stepped(self: Any, *args: Any) -> None:
        before = set(self._writing)
        steps.pass_point(f"store reply, {BEFORE}")
        token = _in_step.set(True)
        original(self, *args)
        _in_step.reset(token)
        for task in self._writing - before:
            task.add_done_callback(lambda _: steps.pass_point(f"store reply, {AFTER}"))

    pending._write = stepped


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
    (Relay, "_mark", lambda _, published: ["mark published"] if published else []),
    (Reconciliation, "_try_restore", lambda *_: ["restore"]),
    (
        Checkpoints,
        "_write",
        lambda checkpoints, found: [f"checkpoint {checkpoints._collection.name}"] if found else [],
    ),
    (ConsumerOffsets, "_seek", lambda *_: ["seek"]),
    (Views, "apply", lambda _, events: ["view"] if events else []),
    (Stash, "_put", lambda *_: ["stash"]),
    (Stash, "drop", lambda *_: ["forget stashed"]),
    (DueLoop, "_claim", lambda loop, *_: [f"claim {loop._collection.name}"]),
    # Any aggregate: some of them seldom wait.
    (DueLoop, "_postpone", lambda *_: ["postpone"]),
    (DueLoop, "_hold", lambda loop, *_: [f"hold {loop._collection.name}"]),
    (DueLoop, "_let_go", lambda loop, *_: [f"release {loop._collection.name}"]),
    (Receipts, "keep", lambda _, answers: ["receipt"] if answers else []),
    (Replies, "send", lambda _, outcomes: ["reply"] if outcomes else []),
    (Quarantine, "put", lambda *_: ["quarantine"]),
    (KafkaAckableMessage, "ack", lambda *_: ["commit offsets"]),
)


class _Commands(monitoring.CommandListener):
    """Sees every command to MongoDB, in the context of the task that sent it."""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in _WRITES:
            _expect_step(f"{event.command_name} {event.command.get(event.command_name)}")

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing to check."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing to check."""


def _watch(steps: Steps) -> None:
    monitoring.register(_Commands())
    for owner, name, what in (
        (AIOKafkaProducer, "send", "produce"),
        (AIOKafkaConsumer, "commit", "commit offsets"),
        (aiohttp.ClientSession, "_request", "request"),
    ):
        _watch_function(steps, owner, name, what)


def _watch_function(steps: Steps, owner: Any, name: str, what: str) -> None:
    _hold_before(steps, owner, name, what)
    original: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def watched(*args: Any, **kwargs: Any) -> Any:
        _expect_step(what)
        return await original(*args, **kwargs)

    setattr(owner, name, watched)


def _hold_before(steps: Steps, owner: Any, name: str, what: str) -> None:
    original: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def held(*args: Any, **kwargs: Any) -> Any:
        await steps.hold(what)
        return await original(*args, **kwargs)

    setattr(owner, name, held)


def _expect_step(what: str) -> None:
    if not _in_step.get():
        write_log_entry("io_outside_a_step", level="error", what=what)
