"""A service: its parts wired together, started, watched and stopped."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, overload

import structlog
from aiokafka import AIOKafkaProducer

from chassis.calls.slots import FixedSlots, Slots
from chassis.eventlog import milestones
from chassis.eventlog.aggregate import Aggregate, S, StateDocument
from chassis.eventlog.backlog import Backlog
from chassis.eventlog.due_loop import DueLoop, Holds
from chassis.eventlog.event_store import EventLog
from chassis.eventlog.relay import Relay
from chassis.inbox.catch_up import CatchUp
from chassis.inbox.consumer_lag import ConsumerLag
from chassis.inbox.consumer_offsets import ConsumerOffsets
from chassis.inbox.inbox import Inbox
from chassis.inbox.quarantine import QUARANTINED, Quarantine
from chassis.inbox.reactor import Reaction, Reactor
from chassis.inbox.reading import reading, unassigned
from chassis.inbox.replies import Replies
from chassis.inbox.stash import Stash
from chassis.kafka import client as kafka
from chassis.kafka.servers import KafkaServers
from chassis.kafka.start_check import check_login, check_topics, kafka_start_errors
from chassis.kafka.topic_reader import topic_reader
from chassis.mongo import client as mongo
from chassis.mongo.batch_loader import BatchLoader, RecentLoader
from chassis.mongo.start_check import address_of, check_indexes, check_server, mongodb_start_errors
from chassis.observability import sampling
from chassis.observability.series import at_zero
from chassis.process import health, server
from chassis.process.dependency_health import DependencyHealth
from chassis.process.hosting import Hosting, health_app
from chassis.process.settings import Settings
from chassis.process.tasks import background
from chassis.projections.views import D, View, Views
from chassis.recovery.fork_watch import ForkWatch
from chassis.recovery.persistence import Store
from chassis.recovery.reconciliation import MissingEvents, Reconciliation, UniqueIndexConflict
from chassis.recovery.restore import Fork
from chassis.start.exit_codes import ExitCode, StartError
from contracts.catalogue import COMMANDS, read_by
from contracts.message import Message

# With uvicorn's and FastStream's own, below the 20 s that a stop may take. A provider call that
# takes longer is cut off, and its outcome is unknown.
DRAIN_SECONDS = 8
FLUSH_SECONDS = 2
# How long all calls to a provider may fail before the service is not ready.
PATIENCE_SECONDS = 5
MEMORY_SECONDS = 300

log = structlog.get_logger(__name__)


class Service:
    """The parts list that a `main.py` fills: reactions, views, due work."""

    def __init__(self, name: str, settings: Settings, store: Store) -> None:
        self.name = name
        self.settings = settings
        self.store = store
        self.kafka = KafkaServers.of(settings)
        self.database: mongo.Database = mongo.connect(settings.mongodb_uri.get_secret_value())[
            mongo.database_name(name, settings.mongodb_database_prefix)
        ]
        self.views = Views(self.database, store.views, store.journals)
        self.health = health.Health()
        self.stash = Stash(self.database)
        self._reactions: dict[type[Message], list[Reaction]] = {}
        self._due: list[
            tuple[Aggregate[Any, Any], Callable[..., Any], Slots, bool, Holds | None]
        ] = []
        self._closing: list[Callable[[], Coroutine[Any, Any, None]]] = []

    def react(self, message: type[Message], reaction: Reaction, **settings: Any) -> None:
        """Let a type of message reach an aggregate; its decision takes `settings` as keywords."""
        self._reactions.setdefault(message, []).append(reaction.with_settings(**settings))

    @overload
    def loader(self, source: View[D]) -> BatchLoader[D]: ...
    @overload
    def loader(self, source: Aggregate[S, Any]) -> BatchLoader[StateDocument[S]]: ...
    def loader(self, source: Any) -> BatchLoader[Any]:
        """Return a loader of a view's documents, or of an aggregate's states."""
        return BatchLoader(self.database, source.collection, source.document)

    @overload
    def recent(self, source: View[D], *, max_age: float) -> RecentLoader[D]: ...
    @overload
    def recent(
        self, source: Aggregate[S, Any], *, max_age: float
    ) -> RecentLoader[StateDocument[S]]: ...
    def recent(self, source: Any, *, max_age: float) -> RecentLoader[Any]:
        """Return a loader of documents or states as they were at most `max_age` seconds ago."""
        return RecentLoader(self.database, source.collection, source.document, max_age)

    def when_due(
        self,
        aggregate: Aggregate[Any, Any],
        worker: Callable[..., Any],
        *,
        slots: int | Slots,
        caught_up: bool = False,
        holds: Holds | None = None,
        **parts: Any,
    ) -> None:
        """Let `worker(work, **parts)` work on due aggregates, as many at a time as `slots` allow.

        `caught_up`: only once the service has handled what stood in its topics at its start.
        `holds`: whether a holder still holds the work for which `worker` has raised OnHold.
        """
        slots = FixedSlots(slots) if isinstance(slots, int) else slots
        self._due.append((aggregate, partial(worker, **parts), slots, caught_up, holds))

    def dependency(self, name: str) -> DependencyHealth:
        """Return where a worker reports its calls; not ready while they have failed for long."""
        dependency = DependencyHealth(patience=PATIENCE_SECONDS, memory=MEMORY_SECONDS)
        self.health.checks[name] = dependency.check
        return dependency

    def close(self, closing: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Call `closing` when the service has stopped working."""
        self._closing.append(closing)

    def run(self) -> None:
        """Serve health over HTTP and work until SIGTERM; then exit with 0."""
        app = Hosting(health_app(self.health), self.health, self.running)
        server.run(app, self.name, self.settings)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[AIOKafkaProducer]:
        """Work meanwhile. Raises StartError when the settings or servers do not allow it."""
        settings = self.settings
        await check_server(settings.mongodb_uri.get_secret_value(), self.database)
        with mongodb_start_errors(address_of(self.database)):
            await mongo.declare(self.database, self.store.documents)
        await check_indexes(self.database, self.store.documents)
        await check_login(self.kafka)
        async with contextlib.AsyncExitStack() as stack:
            for closing in (self.database.client.close, *self._closing):
                stack.push_async_callback(closing)
            producer = await stack.enter_async_context(
                kafka.producer(self.kafka, f"realtoros-{self.name}")
            )
            prefix = settings.kafka_topic_prefix
            commands = {prefix + topic.name for topic in COMMANDS}
            offsets = ConsumerOffsets(self.database, self._topics, commands)
            watch = ForkWatch(self.name, self.database, self.kafka, prefix)
            address = address_of(self.database)
            with kafka_start_errors(self.kafka), mongodb_start_errors(address):
                await self._reconcile(offsets, watch)
            event_log = EventLog(self.database, settings.pace_seconds)
            event_log.listeners.append(milestones.tell)
            relay = Relay(event_log, producer, self.name, prefix, settings.pace_seconds)
            catch_up = CatchUp(offsets.settled)
            loops = [
                DueLoop(
                    event_log,
                    aggregate,
                    worker,
                    source=self.name,
                    slots=slots,
                    lease=timedelta(seconds=settings.lease_seconds),
                    poll=timedelta(seconds=settings.scheduler_poll_seconds),
                    is_open=(lambda: catch_up.done) if caught_up else (lambda: True),
                    holds=holds,
                    pace=settings.pace_seconds,
                )
                for aggregate, worker, slots, caught_up, holds in self._due
            ]
            inbox = Inbox(
                self.views,
                self.stash,
                self._reactions,
                Reactor(event_log, self.name),
                Replies(producer, self.name, prefix),
                Quarantine(producer, self.name, prefix),
                offsets,
                prefix,
            )
            if self.store.aggregates:
                await stack.enter_async_context(background(watch.run()))
                self.health.checks["forks"] = watch.check
            await stack.enter_async_context(self._appending(event_log, relay))
            await stack.enter_async_context(_working(loops))
            self.health.checks["kafka"] = partial(unassigned, catch_up)
            read = reading(
                *(inbox, offsets, catch_up, self.kafka, settings),
                group=prefix + self.name,
                topics=self._topics,
            )
            await stack.enter_async_context(read)
            self.health.checks |= {
                "mongodb": partial(mongo.ping, self.database),
                "inbox": inbox.dependency.check,
                "relay": relay.dependency.check,
            }
            watched = self._samples(offsets, catch_up)
            await stack.enter_async_context(background(watched, sampling.watch_event_loop()))
            log.info("started")
            yield producer
            log.info("stopping")

    def _samples(self, offsets: ConsumerOffsets, catch_up: CatchUp) -> Coroutine[Any, Any, None]:
        """Return what measures lag, backlog and readiness until cancelled."""
        prefix = self.settings.kafka_topic_prefix
        lag = ConsumerLag(self._topics, prefix, lambda: catch_up.consumer, offsets.handled)
        samplers = [lag.sample, sampling.checks_of(self.health.problems, self.health.checks)]
        if self.store.aggregates:
            milestones.declare_events(self.name)
            samplers.append(Backlog(self.database, [due[0] for due in self._due]).sample)
        at_zero(QUARANTINED, read_by(self.name))
        return sampling.sample(samplers)

    async def _reconcile(self, offsets: ConsumerOffsets, watch: ForkWatch) -> None:
        """Reconcile the log with its topics; forget checkpoints in topics that were replaced."""
        prefix = self.settings.kafka_topic_prefix
        async with topic_reader(self.kafka, f"realtoros-{self.name}") as reader:
            await check_topics(self.kafka, reader, self._topics)
            await offsets.forget_replaced_topics(reader)
            if self.store.aggregates:
                try:
                    await Reconciliation(self.name, self.store, self.database, reader, prefix).run()
                    await watch.start(reader)
                except (Fork, MissingEvents, UniqueIndexConflict) as error:
                    log.critical("log_and_topics_differ", error=str(error))
                    raise StartError(
                        ExitCode.CONTRADICTION,
                        f"KAFKA_TOPIC_PREFIX: {self.kafka}: {type(error).__name__}: {error};"
                        " see docs/operations.md, “When a server lost its data”",
                    ) from error

    @property
    def _topics(self) -> list[str]:
        """The topics that the service reads as its group."""
        return [self.settings.kafka_topic_prefix + name for name in read_by(self.name)]

    @contextlib.asynccontextmanager
    async def _appending(self, event_log: EventLog, relay: Relay) -> AsyncIterator[None]:
        """Run log and relay meanwhile; at the end publish what is stored."""
        if not (self._reactions or self._due):
            yield
            return
        async with background(event_log.run(), relay.run()):
            yield
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await relay.finish()


@contextlib.asynccontextmanager
async def _working(loops: Sequence[DueLoop[Any, Any]]) -> AsyncIterator[None]:
    """Run the due loops meanwhile; at the end let the work in progress finish."""
    async with background(*(loop.run() for loop in loops)):
        yield
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            await asyncio.gather(*(loop.drain() for loop in loops))
