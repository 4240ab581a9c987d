"""Replay: state is a fold, so it can be rebuilt from the topics, in shadow collections."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from aiokafka import TopicPartition
from pydantic import ValidationError
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from chassis.eventlog.event_store import UNPUBLISHED, CommitDocument
from chassis.eventlog.relay import stored
from chassis.kafka.checkpoints import continued_partitions
from chassis.kafka.records import Record, parse
from chassis.kafka.topic_reader import Offsets, TopicReader
from chassis.mongo.client import Database, Raw, in_transaction
from chassis.projections.views import PositionDocument, Views
from chassis.recovery.persistence import Store
from chassis.recovery.reconciliation import MissingEvents, OnProgress
from chassis.recovery.restore import Fork, OwnEvent, Restorer, own_topics, own_types, read_own_event
from chassis.recovery.shadow import SHADOW_PREFIX, ReplayProgress, ShadowDatabase, Superseded
from contracts.catalogue import TYPES
from contracts.cloudevents import EventEnvelope, Malformed
from contracts.message import Message

BATCH_RECORDS = 2000
BATCH_UNPUBLISHED = 500
# How many records are parsed before the event loop may serve its sockets.
SLICE_RECORDS = 100
COMMITS, POSITIONS = CommitDocument.Settings.name, PositionDocument.Settings.name

ForeignEvent = tuple[EventEnvelope, Message | None]
# Returns the versions up to which streams are to be replayed.
Versions = Callable[[set[str]], Awaitable[Mapping[str, int]]]

log = structlog.get_logger(__name__)


class Replay:
    """Builds the log, states and views of a service in shadow collections.

    `until`: only from events up to that time. Never publishes, never calls a provider.
    """

    def __init__(
        self,
        service: str,
        store: Store,
        database: Database,
        reader: TopicReader,
        prefix: str,
        *,
        purpose: str,
        until: datetime | None = None,
    ) -> None:
        self.service = service
        self.store = store
        self.live = database
        self.shadow = ShadowDatabase(database)
        self.progress = ReplayProgress(self.shadow, purpose, until)
        self.own = own_topics(service, prefix) if store.aggregates else []
        # By partition the next offset, and the time of the record before it.
        self.reached: dict[TopicPartition, tuple[int, int]] = {}
        self._prefix = prefix
        self._types = own_types(service)
        self._views = Views(self.shadow, store.views, store.journals)
        self._foreign_topics = [prefix + topic.name for topic in self._views.topics]
        self._restorer = Restorer(self.shadow, store.aggregates)
        self._reader = reader
        self._until = until

    @property
    def collections(self) -> list[str]:
        """The collections that are built; commits and positions, which guard the others, last."""
        aggregates = [aggregate.collection for aggregate in self.store.aggregates]
        projections = [each.collection for each in self.store.projections]
        guards = [COMMITS] * bool(aggregates) + [POSITIONS] * bool(projections)
        return [*aggregates, *projections, *guards]

    async def begin(self) -> Raw:
        """Start, or resume an interrupted replay; return the progress of that one, else nothing."""
        known = await self.progress.resume()
        if known and (known["swapping"] or await self._is_continued(known["reached"])):
            for at in known["reached"]:
                self.reached[_partition(at)] = (at["offset"], at["time"])
            self._restorer.missing = {at["stream"]: at["version"] for at in known["missing"]}
            return known
        self._restorer.missing.clear()
        await self.drop()
        self.reached.clear()
        for name in self.collections:
            await self.live.create_collection(SHADOW_PREFIX + name)
        if self.store.aggregates:
            await self.shadow[COMMITS].create_indexes(CommitDocument.Settings.indexes)
        await self.progress.start()
        return {}

    async def _is_continued(self, reached: Sequence[Raw]) -> bool:
        """Return whether the topics are still those that were read, none recreated."""
        last = {
            _partition(at): {"offset": at["offset"] - 1, "time": at["time"]}
            for at in reached
            if at["offset"] > 0
        }
        begins, ends = await self.bounds()
        return last.keys() == await continued_partitions(self._reader, last, begins, ends)

    async def drop(self) -> None:
        """Drop what an earlier replay left."""
        for name in self.collections:
            await self.shadow[name].drop()
        await self.progress.drop()

    async def is_built(self, name: str) -> bool:
        """Return whether the shadow collection exists."""
        return SHADOW_PREFIX + name in await self.live.list_collection_names()

    async def apply_indexes(self) -> None:
        """Create the indexes, after the documents: unique ones may hold only in the end."""
        for document in self.store.documents:
            settings: Any = document.Settings
            indexes = getattr(settings, "indexes", None)
            if indexes and settings.name in self.collections:
                await self.shadow[settings.name].create_indexes(indexes)

    async def bounds(self) -> tuple[Offsets, Offsets]:
        """Return the first offsets of the topics' partitions, and the end offsets as of now."""
        return await self._reader.bounds([*self.own, *self._foreign_topics])

    async def read(
        self,
        ends: Mapping[TopicPartition, int],
        on_progress: OnProgress = lambda *_: None,
        versions: Versions | None = None,
    ) -> int:
        """Replay the records before `ends` that are not replayed yet, up to `versions` if given.

        Returns how many records were read. Raises Fork, Superseded, KafkaError, PyMongoError.
        """
        starts = {partition: at[0] for partition, at in self.reached.items()}
        done = 0
        total = sum(max(0, end - starts.get(partition, 0)) for partition, end in ends.items())
        # While the server writes one batch, the next is read.
        applying = asyncio.create_task(asyncio.sleep(0))
        async for records, reached in self._reader.batches(starts, ends, BATCH_RECORDS):
            own, foreign = await self._parse(records)
            if versions:
                streams = {event.stream for event in own} | {e.subject for e, _ in foreign}
                last = await versions(streams)
                own = [event for event in own if event.version <= last.get(event.stream, 0)]
                foreign = [e for e in foreign if e[0].version <= last.get(e[0].subject, 0)]
            await applying
            for record in records:
                partition = TopicPartition(record.topic, record.partition)
                self.reached[partition] = (record.offset + 1, record.timestamp)
            for partition, offset in reached.items():
                self.reached[partition] = (offset, self.reached.get(partition, (0, 0))[1])
            applying = asyncio.create_task(self._apply(own, foreign))
            done += len(records)
            on_progress(done, total)
        await applying
        return done

    async def read_unpublished(self, snapshot: AsyncClientSession | None = None) -> None:
        """Replay what the live log has not published yet."""
        if not self.store.aggregates:
            return
        known = self._restorer.missing.copy()
        found = self.live[COMMITS].find({"published": False}, session=snapshot).hint(UNPUBLISHED)
        events: list[OwnEvent] = []
        async for raw in found.sort([("published", 1), ("stream", 1), ("first", 1)]):
            for envelope, json in stored(raw, self.service).records:
                event = TYPES[envelope.type].model_validate_json(json)
                if self._is_in_time(envelope):
                    events.append(OwnEvent(envelope, raw["cause"], event, json, None))
            if len(events) >= BATCH_UNPUBLISHED:
                await self._apply(events, [])
                events = []
        await self._apply(events, [])
        # What precedes one of these may have been published since the topics were read.
        self._restorer.missing = {s: v for s, v in known.items() if s in self._restorer.missing}

    def check_complete(self) -> None:
        """Raise MissingEvents when the topics lack events before others of the same stream."""
        if self._restorer.missing and self._until is None:
            raise MissingEvents(self._restorer.missing)

    async def _parse(self, records: Sequence[Record]) -> tuple[list[OwnEvent], list[ForeignEvent]]:
        """Parse the records: the service's own events, and those of others for its views."""
        own: list[OwnEvent] = []
        foreign: list[ForeignEvent] = []
        for number, record in enumerate(records):
            if number % SLICE_RECORDS == 0:
                await asyncio.sleep(0)
            if record.topic in self.own:
                event = read_own_event(record, self._types, self._prefix)
                if event and self._is_in_time(event.envelope):
                    own.append(event)
            elif (found := self._parse_foreign(record)) and self._is_in_time(found[0]):
                foreign.append(found)
        return own, foreign

    def _is_in_time(self, envelope: EventEnvelope) -> bool:
        return self._until is None or envelope.time <= self._until

    def _parse_foreign(self, record: Record) -> ForeignEvent | None:
        try:
            parsed = parse(
                record,
                prefix=self._prefix,
                reads=self._views.reads,
                follows=self._views.follows,
            )
        except (Malformed, ValidationError):
            # The live service has it in quarantine.
            return None
        if parsed is None or not isinstance(parsed.envelope, EventEnvelope):
            return None
        return parsed.envelope, parsed.message

    async def _apply(self, own: Sequence[OwnEvent], foreign: Sequence[ForeignEvent]) -> None:
        """Restore and apply events, and save the progress, in one transaction."""

        async def work(session: AsyncClientSession) -> None:
            if own:
                await self._restorer.restore(session, own)
            if foreign and (gaps := await self._views.apply_in(session, foreign)):
                # The live service has them in quarantine.
                log.warning("came_too_early", events=len(gaps))
            reached = [
                {"topic": p.topic, "partition": p.partition, "offset": offset, "time": time}
                for p, (offset, time) in self.reached.items()
            ]
            missing = [{"stream": s, "version": v} for s, v in self._restorer.missing.items()]
            await self.progress.save(session, reached=reached, missing=missing)

        try:
            await in_transaction(self.live, work)
        except (PyMongoError, Fork, Superseded):
            raise
        except Exception as bug:
            if len(own) + len(foreign) == 1:
                [envelope] = [event.envelope for event in own] + [e for e, _ in foreign]
                # The live service has it in quarantine, too.
                log.exception("passed_over", event_id=str(envelope.id), error=type(bug).__name__)
                return
            for own_event in own:
                await self._apply([own_event], [])
            for foreign_event in foreign:
                await self._apply([], [foreign_event])


def _partition(at: Raw) -> TopicPartition:
    return TopicPartition(at["topic"], at["partition"])
