"""Replay: state is a fold, so it can be built anew from the topics, beside what is live."""

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
from chassis.kafka.checkpoints import unchanged_partitions
from chassis.kafka.records import ParsedRecord, Record, parse
from chassis.kafka.topic_reader import Offsets, TopicReader
from chassis.mongo.client import Database, Raw, in_transaction
from chassis.projections.views import PositionDocument, Views
from chassis.recovery.persistence import Store
from chassis.recovery.reconciliation import MissingEvents, OnProgress
from chassis.recovery.restore import Fork, OwnEvent, Restorer, own_topics, own_types, read_own_event
from chassis.recovery.shadow import SHADOW_PREFIX, ReplayProgress, ShadowDatabase, Superseded
from contracts.catalogue import TYPES
from contracts.cloudevents import Envelope, Malformed
from contracts.message import Message

BATCH_RECORDS = 2000
TAIL_COMMITS = 500
# How many records are read at a stretch, before the loop sees to its sockets.
SLICE_RECORDS = 100
COMMITS, POSITIONS = CommitDocument.Settings.name, PositionDocument.Settings.name

Foreign = tuple[Envelope, Message | None]
# Gives the versions of streams up to which they are to be built.
Versions = Callable[[set[str]], Awaitable[Mapping[str, int]]]

log = structlog.get_logger(__name__)


class Replay:
    """Builds the log, states and views of a service beside the live ones.

    `until`: only from what was told up to then. Never publishes, never calls a provider.
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
        self.fresh = ShadowDatabase(database)
        self.progress = ReplayProgress(self.fresh, purpose, until)
        self.own = own_topics(service, prefix) if store.aggregates else []
        # By partition the offset that is next, and the time of the record before it.
        self.reached: dict[TopicPartition, tuple[int, int]] = {}
        self._types = own_types(service)
        self._views = Views(self.fresh, store.views, store.journals)
        self._foreign = [prefix + topic.name for topic in self._views.topics]
        self._intake = Restorer(self.fresh, store.aggregates)
        self._reader = reader
        self._until = until

    @property
    def collections(self) -> list[str]:
        """The collections that are built, those first that a commit or position vouches for."""
        aggregates = [aggregate.collection for aggregate in self.store.aggregates]
        kept = [each.collection for each in self.store.kept]
        vouching = [COMMITS] * bool(aggregates) + [POSITIONS] * bool(kept)
        return [*aggregates, *kept, *vouching]

    async def begin(self) -> Raw:
        """Begin, or go on where an earlier replay was cut off; give what that one noted."""
        known = await self.progress.resume()
        if known and (known["swapping"] or await self._stand(known["reached"])):
            for at in known["reached"]:
                self.reached[_place(at)] = (at["offset"], at["time"])
            self._intake.missing = {at["stream"]: at["version"] for at in known["missing"]}
            return known
        self._intake.missing.clear()
        await self.drop()
        self.reached.clear()
        for name in self.collections:
            await self.live.create_collection(SHADOW_PREFIX + name)
        if self.store.aggregates:
            await self.fresh[COMMITS].create_indexes(CommitDocument.Settings.indexes)
        await self.progress.start()
        return {}

    async def _stand(self, reached: Sequence[Raw]) -> bool:
        """Tell whether the topics are still those that were read so far, none begun anew."""
        last = {
            _place(at): {"offset": at["offset"] - 1, "time": at["time"]}
            for at in reached
            if at["offset"] > 0
        }
        begins, ends = await self.bounds()
        return last.keys() == await unchanged_partitions(self._reader, last, begins, ends)

    async def drop(self) -> None:
        """Drop what an earlier replay left."""
        for name in self.collections:
            await self.fresh[name].drop()
        await self.progress.drop()

    async def is_built(self, name: str) -> bool:
        """Tell whether the fresh collection is there."""
        return SHADOW_PREFIX + name in await self.live.list_collection_names()

    async def apply_indexes(self) -> None:
        """Create the indexes of what is built; only then, since unique ones hold in the end."""
        for document in self.store.documents:
            settings: Any = document.Settings
            indexes = getattr(settings, "indexes", None)
            if indexes and settings.name in self.collections:
                await self.fresh[settings.name].create_indexes(indexes)

    async def bounds(self) -> tuple[Offsets, Offsets]:
        """Give where the topics begin, and where they end now."""
        return await self._reader.bounds([*self.own, *self._foreign])

    async def read(
        self,
        ends: Mapping[TopicPartition, int],
        show: OnProgress = lambda *_: None,
        versions: Versions | None = None,
    ) -> int:
        """Take in what stands before `ends` and is not taken in yet, up to the `versions` if given.

        Gives how many records were read. Raises Fork, Superseded, KafkaError, PyMongoError.
        """
        starts = {place: at[0] for place, at in self.reached.items()}
        done = 0
        total = sum(max(0, end - starts.get(place, 0)) for place, end in ends.items())
        # While the server writes one batch, the next is read.
        taking = asyncio.create_task(asyncio.sleep(0))
        async for records, reached in self._reader.batches(starts, ends, BATCH_RECORDS):
            own, foreign = await self._sorted(records)
            if versions:
                envelopes = [told.envelope for told in own] + [envelope for envelope, _ in foreign]
                last = await versions({envelope.subject for envelope in envelopes})
                own = [told for told in own if _is_within(told.envelope, last)]
                foreign = [each for each in foreign if _is_within(each[0], last)]
            await taking
            for record in records:
                place = TopicPartition(record.topic, record.partition)
                self.reached[place] = (record.offset + 1, record.timestamp)
            for place, offset in reached.items():
                self.reached[place] = (offset, self.reached.get(place, (0, 0))[1])
            taking = asyncio.create_task(self._take(own, foreign))
            done += len(records)
            show(done, total)
        await taking
        return done

    async def read_tail(self, snapshot: AsyncClientSession | None = None) -> None:
        """Take in what the live log has not published yet."""
        if not self.store.aggregates:
            return
        known = self._intake.missing.copy()
        found = self.live[COMMITS].find({"published": False}, session=snapshot).hint(UNPUBLISHED)
        tail: list[OwnEvent] = []
        async for raw in found.sort([("published", 1), ("stream", 1), ("first", 1)]):
            for envelope, json in stored(raw, self.service).records:
                event = TYPES[envelope.type].model_validate_json(json)
                if self._in_time(envelope):
                    tail.append(OwnEvent(envelope, event, json, None))
            if len(tail) >= TAIL_COMMITS:
                await self._take(tail, [])
                tail = []
        await self._take(tail, [])
        # What comes before one of these may have been published since the topics were read.
        self._intake.missing = {s: v for s, v in known.items() if s in self._intake.missing}

    def check_whole(self) -> None:
        """Raise MissingEvents when the topics lack what some of their events follow."""
        if self._intake.missing and self._until is None:
            raise MissingEvents(self._intake.missing)

    async def _sorted(self, records: Sequence[Record]) -> tuple[list[OwnEvent], list[Foreign]]:
        """Read the records: the service's own events, and those of others for its views."""
        own: list[OwnEvent] = []
        foreign: list[Foreign] = []
        for number, record in enumerate(records):
            if number % SLICE_RECORDS == 0:
                await asyncio.sleep(0)
            if record.topic in self.own:
                told = read_own_event(record, self.service, self._types)
                if told and self._in_time(told.envelope):
                    own.append(told)
            elif (arrived := self._read(record)) and self._in_time(arrived.envelope):
                foreign.append((arrived.envelope, arrived.message))
        return own, foreign

    def _in_time(self, envelope: Envelope) -> bool:
        return self._until is None or envelope.time <= self._until

    def _read(self, record: Record) -> ParsedRecord | None:
        try:
            return parse(record, reads=self._views.shows, follows=self._views.follows)
        except (Malformed, ValidationError):
            # The live service has it in quarantine.
            return None

    async def _take(self, own: Sequence[OwnEvent], foreign: Sequence[Foreign]) -> None:
        """Take events in, and note how far that is, in one transaction."""

        async def work(session: AsyncClientSession) -> None:
            if own:
                await self._intake.take(session, own)
            if foreign and (gaps := await self._views.apply_in(session, foreign)):
                # The live service has them in quarantine.
                log.warning("came_too_early", events=len(gaps))
            reached = [
                {"topic": p.topic, "partition": p.partition, "offset": offset, "time": time}
                for p, (offset, time) in self.reached.items()
            ]
            missing = [{"stream": s, "version": v} for s, v in self._intake.missing.items()]
            await self.progress.note(session, reached=reached, missing=missing)

        try:
            await in_transaction(self.live, work)
        except (PyMongoError, Fork, Superseded):
            raise
        except Exception as bug:
            if len(own) + len(foreign) == 1:
                [told] = [told.envelope for told in own] or [envelope for envelope, _ in foreign]
                # The live service has it in quarantine, too.
                log.exception("passed_over", event_id=str(told.id), error=type(bug).__name__)
                return
            for one in own:
                await self._take([one], [])
            for each in foreign:
                await self._take([], [each])


def _place(at: Raw) -> TopicPartition:
    return TopicPartition(at["topic"], at["partition"])


def _is_within(envelope: Envelope, versions: Mapping[str, int]) -> bool:
    return (envelope.version or 0) <= versions.get(envelope.subject, 0)
