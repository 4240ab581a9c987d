"""The due loop: what a state's `due_at` asks for is done then, by whichever replica claims it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Generic
from uuid import UUID, uuid4

import structlog
from pymongo.errors import PyMongoError

from chassis.domain.errors import Refused, TryLater
from chassis.domain.state import Given
from chassis.eventlog.aggregate import Aggregate, Change, E, S, StateDocument
from chassis.eventlog.event_store import Clash, EventLog, StateBehindLog
from chassis.mongo.client import is_transient
from chassis.process.pacing import PACE_SECONDS, Pace
from contracts.message import to_milliseconds

CLOSED_SECONDS = timedelta(seconds=0.2)

log = structlog.get_logger(__name__)


class Work(Generic[S, E]):
    """One due aggregate in the hands of a worker."""

    def __init__(
        self,
        event_log: EventLog,
        aggregate: Aggregate[S, E],
        document: StateDocument[S],
        source: str,
    ) -> None:
        self._log = event_log
        self._aggregate = aggregate
        self._document: StateDocument[S] = document
        self._source = source

    @property
    def state(self) -> S:
        """The state as this worker last knew it."""
        return self._document.state

    @property
    def due_set_by(self) -> UUID:
        """The id of the event that set the date."""
        if self._document.due_set_by is None:
            raise ValueError(f"{self._aggregate.name} {self._document.id} is not due")
        return self._document.due_set_by

    async def append(
        self, decide: Callable[..., Sequence[E]], *, cause: UUID | None = None, **settings: Any
    ) -> S:
        """Append what `decide(state, given, **settings)` returns; return the state after it.

        Raises Refused when somebody else has settled it meanwhile: deciding again said no, or the
        cause is in the log already; StateBehindLog when the state was changed past the log. The cause
        is the event that set the date, unless given. While the store is away it waits: an answer
        that a provider gave is not let go.
        """
        cause = cause or self.due_set_by
        failures = clashed = 0
        while True:
            try:
                if failures:
                    await self._read_again(cause)
                if clashed > self._document.version:
                    raise StateBehindLog(f"{self._aggregate.name}-{self._document.id}")
                now = to_milliseconds(datetime.now(UTC))
                change = self._aggregate.change(
                    self._document.id,
                    self._document,
                    decide(self.state, Given(now, cause), **settings),
                    source=self._source,
                    cause=cause,
                    correlation=self._document.correlation,
                    at=now,
                )
                [clash] = await self._log.append([change])
            except PyMongoError as error:
                if not is_transient(error):
                    raise
                await asyncio.sleep(0.1 * 2 ** min(failures, 6))
            else:
                if clash is None:
                    self._document = change.document
                    return self.state
                if not (isinstance(clash, Clash) and clash.on_log):
                    raise clash
                clashed = change.commit.first
            failures += 1

    async def _read_again(self, cause: UUID) -> None:
        stream = f"{self._aggregate.name}-{self._document.id}"
        if await self._log.known([(cause, stream)]):
            raise Refused(f"{stream} was settled already")
        stored = await self._log.load(self._aggregate, [self._document.id])
        self._document = stored[self._document.id]


Worker = Callable[[Work[S, E]], Awaitable[None]]


class DueLoop(Generic[S, E]):
    """Waits for due dates of one kind of aggregate and has up to `slots` of them worked on."""

    def __init__(
        self,
        event_log: EventLog,
        aggregate: Aggregate[S, E],
        worker: Worker[S, E],
        *,
        source: str,
        slots: int,
        lease: timedelta,
        poll: timedelta,
        open_: Callable[[], bool],
        pace: float = PACE_SECONDS,
    ) -> None:
        self._log = event_log
        self._aggregate = aggregate
        self._worker = worker
        self._source = source
        self._slots = slots
        self._lease = lease
        self._poll = poll
        self._open = open_
        self._pace = Pace(pace)
        self._collection = event_log.database[aggregate.collection]
        self._running: set[asyncio.Task[None]] = set()
        self._postponed: set[datetime] = set()
        self._wake = asyncio.Event()
        self._next_look = datetime.max.replace(tzinfo=UTC)
        self._more = False
        event_log.listeners.append(self._appended)

    def _appended(self, changes: Sequence[Change[Any]]) -> None:
        for change in changes:
            due = change.document.state.due_at
            if change.aggregate is self._aggregate and due and due < self._next_look:
                self._next_look = due
                self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; `drain` then waits for what is under way."""
        while True:
            await self._pace.turn()
            self._wake.clear()
            now = datetime.now(UTC)
            self._postponed = {until for until in self._postponed if until > now}
            self._next_look = min({now + self._poll} | self._postponed)
            try:
                await self._whole_look()
            except PyMongoError as error:
                log.warning(
                    "due_look_failed", aggregate=self._aggregate.name, error=type(error).__name__
                )
                await asyncio.sleep(1)
            await self._sleep()

    async def drain(self) -> None:
        """Wait until the work that is under way has ended."""
        if self._running:
            await asyncio.wait(self._running)

    async def _sleep(self) -> None:
        while (wait := (self._next_look - datetime.now(UTC)).total_seconds()) > 0:
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
                    self._wake.clear()
            except TimeoutError:
                return

    async def _whole_look(self) -> None:
        """Look, and let a stop wait for its end: what is claimed has to be worked on."""
        look = asyncio.create_task(self._look())
        try:
            await asyncio.shield(look)
        except asyncio.CancelledError:
            while not look.done():
                # Whoever ends this task cancels it again until it has ended.
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([look])
            raise

    async def _look(self) -> None:
        if not self._open():
            self._next_look = datetime.now(UTC) + CLOSED_SECONDS
            return
        free = self._slots - len(self._running)
        # Few claims of many rather than many of few: each costs three round trips.
        self._more = free < max(1, self._slots // 4)
        if self._more:
            return
        # One moment for both questions: what falls due between them would be seen by neither.
        now = datetime.now(UTC)
        claimed = await self._claim(free, now)
        self._pace.took(len(claimed))
        for document in claimed:
            task = asyncio.create_task(self._work(document))
            self._running.add(task)
            task.add_done_callback(self._ended)
        self._more = len(claimed) == free
        if self._more:
            return
        nearest = await self._collection.find_one(
            {"state.due_at": {"$gt": now}},
            {"state.due_at": 1},
            sort=[("state.due_at", 1)],
        )
        if nearest:
            self._next_look = min(self._next_look, nearest["state"]["due_at"])

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._more and len(self._running) <= self._slots - max(1, self._slots // 4):
            self._next_look = datetime.now(UTC)
            self._wake.set()

    async def _claim(self, most: int, now: datetime) -> list[StateDocument[S]]:
        """Claim up to `most` due documents. A claim is advice; only an append is the truth."""
        free = {
            "state.due_at": {"$lte": now},
            "$or": [{"claim": {"$exists": False}}, {"claim.until": {"$lte": now}}],
        }
        found = self._collection.find(free, {"_id": 1}).sort("state.due_at", 1).limit(most)
        ids = [raw["_id"] async for raw in found]
        if not ids:
            return []
        token = uuid4()
        claim = {"token": token, "until": now + self._lease}
        await self._collection.update_many(free | {"_id": {"$in": ids}}, {"$set": {"claim": claim}})
        mine = self._collection.find({"_id": {"$in": ids}, "claim.token": token})
        return [self._aggregate.document.model_validate(raw) async for raw in mine]

    async def _work(self, document: StateDocument[S]) -> None:
        work = Work(self._log, self._aggregate, document, self._source)
        ids = {self._aggregate.name: str(document.id), "correlation": str(document.correlation)}
        with structlog.contextvars.bound_contextvars(**ids):
            try:
                await self._worker(work)
            except Refused as refusal:
                log.info("due_work_refused", reason=refusal.reason)
            except TryLater as later:
                await self._postpone(document, timedelta(seconds=later.after))
            except PyMongoError as error:
                # Only its name: a refused write quotes the document, and all that is personal.
                log.warning("due_work_postponed", error=type(error).__name__)
            except Exception:
                log.exception("due_work_failed")

    async def _postpone(self, document: StateDocument[S], wait: timedelta) -> None:
        until = datetime.now(UTC) + wait
        self._postponed.add(until)
        self._next_look = min(self._next_look, until)
        self._wake.set()
        await self._collection.update_one(
            {"_id": document.id, "version": document.version}, {"$set": {"claim.until": until}}
        )
