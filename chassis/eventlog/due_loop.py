"""The due loop: works on states whose `due_at` has come, in the replica that claims them."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Generic
from uuid import UUID, uuid4

import structlog
from pymongo.errors import PyMongoError

from chassis.calls.slots import Slots
from chassis.domain.errors import OnHold, Refused, TryLater
from chassis.eventlog.aggregate import DUE_ORDER, Aggregate, Change, E, S, StateDocument
from chassis.eventlog.event_store import EventLog
from chassis.eventlog.work import Work
from chassis.mongo.client import Raw
from chassis.observability import tracing
from chassis.observability.causes import cause_of
from chassis.process.pacing import PACE_SECONDS, Pace

NOT_OPEN_WAIT = timedelta(seconds=0.2)
NO_ROOM_WAIT = timedelta(seconds=0.1)

log = structlog.get_logger(__name__)

Worker = Callable[[Work[S, E]], Awaitable[None]]
Holds = Callable[[UUID], Awaitable[bool]]


def free_at(now: datetime) -> Raw:
    """Return the filter of what is due and neither held nor claimed."""
    return {
        "claim.holder": None,
        "claim.until": {"$not": {"$gt": now}},
        "state.due_at": {"$lte": now},
    }


class DueLoop(Generic[S, E]):
    """Waits for the due dates of one kind of aggregate; works on as many as `slots` allow.

    `holds` returns whether a holder still holds the work for which the worker has raised OnHold.
    """

    def __init__(
        self,
        event_log: EventLog,
        aggregate: Aggregate[S, E],
        worker: Worker[S, E],
        *,
        source: str,
        slots: Slots,
        lease: timedelta,
        poll: timedelta,
        is_open: Callable[[], bool],
        holds: Holds | None = None,
        pace: float = PACE_SECONDS,
    ) -> None:
        self._log = event_log
        self._aggregate = aggregate
        self._worker = worker
        self._source = source
        self._slots = slots
        self._lease = lease
        self._poll_interval = poll
        self._is_open = is_open
        self._holds = holds
        self._next_release = datetime.min.replace(tzinfo=UTC)
        self._pace = Pace(pace)
        self._collection = event_log.database[aggregate.collection]
        self._running: set[asyncio.Task[None]] = set()
        self._postponed: set[datetime] = set()
        self._wake = asyncio.Event()
        self._next_poll = datetime.max.replace(tzinfo=UTC)
        self._more = False
        event_log.listeners.append(self._appended)

    def _appended(self, changes: Sequence[Change[Any]]) -> None:
        for change in changes:
            due = change.document.state.due_at
            if change.aggregate is self._aggregate and due and due < self._next_poll:
                self._next_poll = due
                self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; `drain` then waits for the work in progress."""
        while True:
            await self._pace.turn()
            self._wake.clear()
            now = datetime.now(UTC)
            self._postponed = {until for until in self._postponed if until > now}
            self._next_poll = min({now + self._poll_interval} | self._postponed)
            try:
                await self._release(now)
                await self._finish_poll()
            except PyMongoError as error:
                log.warning(
                    "due_look_failed",
                    aggregate=self._aggregate.name,
                    error=type(error).__name__,
                    cause=cause_of(error),
                )
                await asyncio.sleep(1)
            await self._sleep()

    async def drain(self) -> None:
        """Wait until the work in progress has ended."""
        if self._running:
            await asyncio.wait(self._running)

    async def _sleep(self) -> None:
        while (wait := (self._next_poll - datetime.now(UTC)).total_seconds()) > 0:
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
                    self._wake.clear()
            except TimeoutError:
                return

    async def _finish_poll(self) -> None:
        """Poll to the end, also when cancelled: what is claimed has to be worked on."""
        poll = asyncio.create_task(self._poll())
        try:
            await asyncio.shield(poll)
        except asyncio.CancelledError:
            while not poll.done():
                # A stop cancels this task again and again until it has ended.
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([poll])
            raise

    async def _poll(self) -> None:
        if not self._is_open():
            self._next_poll = datetime.now(UTC) + NOT_OPEN_WAIT
            return
        free = self._slots.room(len(self._running))
        if not free:
            if self._more:
                self._slots.used_up()
            self._more = True
            self._next_poll = datetime.now(UTC) + NO_ROOM_WAIT
            return
        # One time for both queries: neither would find what falls due between two.
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
            {"claim.holder": None, "claim.until": None, "state.due_at": {"$gt": now}},
            {"state.due_at": 1},
            sort=[("state.due_at", 1)],
        )
        if nearest:
            self._next_poll = min(self._next_poll, nearest["state"]["due_at"])

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._more and self._slots.room(len(self._running)):
            self._next_poll = datetime.now(UTC)
            self._wake.set()

    async def _claim(self, most: int, now: datetime) -> list[StateDocument[S]]:
        """Claim up to `most` due documents. A claim is advice: an append decides.

        First what has not been claimed since its last event, by its date, then the rest in turns:
        by date alone, what is tried again and again would keep others from being tried at all.
        """
        free = free_at(now)
        found = self._collection.find(free, {"_id": 1}).sort(list(DUE_ORDER)).limit(most)
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
                await self._traced(work, document)
            except Refused as refusal:
                log.info("due_work_refused", reason=refusal.reason)
            except TryLater as later:
                await self._postpone(document, timedelta(seconds=later.after))
            except OnHold as held:
                await self._hold(document, held.holder)
            except PyMongoError as error:
                # Only its name: a refused write quotes the document, personal data included.
                log.warning("due_work_postponed", error=type(error).__name__, cause=cause_of(error))
            except Exception:
                log.exception("due_work_failed")

    async def _traced(self, work: Work[S, E], document: StateDocument[S]) -> None:
        """Work, and record it as a span if it comes to an end."""
        if not tracing.is_on() or document.due_set_by is None:
            await self._worker(work)
            return
        began, span = time.time_ns(), tracing.due_work_of(document.due_set_by)
        tracing.current.set((document.correlation, span))
        await self._worker(work)
        tracing.record(
            f"work on due {self._aggregate.name}",
            "internal",
            trace=document.correlation,
            id=span,
            parent=tracing.span_of(document.due_set_by),
            began=began,
        )

    async def _postpone(self, document: StateDocument[S], wait: timedelta) -> None:
        until = datetime.now(UTC) + wait
        self._postponed.add(until)
        self._next_poll = min(self._next_poll, until)
        self._wake.set()
        await self._collection.update_one(
            {"_id": document.id, "version": document.version}, {"$set": {"claim.until": until}}
        )

    async def _hold(self, document: StateDocument[S], holder: UUID) -> None:
        """Set the document aside; what is appended to it meanwhile takes it up again."""
        await self._collection.update_one(
            {"_id": document.id, "version": document.version}, {"$set": {"claim.holder": holder}}
        )

    async def _release(self, now: datetime) -> None:
        """Take up what is no longer held; look once in a poll interval."""
        if self._holds is None or now < self._next_release:
            return
        self._next_release = now + self._poll_interval
        held = {"claim.holder": {"$gte": UUID(int=0)}, "state.due_at": {"$exists": True}}
        for holder in await self._collection.distinct("claim.holder", held):
            if not await self._holds(holder):
                await self._let_go(holder)

    async def _let_go(self, holder: UUID) -> None:
        """Remove the claims of the holder."""
        due = {"state.due_at": {"$exists": True}}
        await self._collection.update_many(
            due | {"claim.holder": holder}, {"$unset": {"claim": ""}}
        )
