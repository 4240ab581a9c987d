"""Due work, as its worker gets it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic
from uuid import UUID

from pymongo.errors import PyMongoError

from chassis.domain.errors import Refused
from chassis.domain.state import Given
from chassis.eventlog.aggregate import Aggregate, E, S, StateDocument
from chassis.eventlog.event_store import Clash, EventLog, StateBehindLog
from chassis.mongo.client import is_transient
from chassis.observability import tracing
from chassis.process.backoff import Backoff
from contracts.message import to_milliseconds

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 6.4


class Work(Generic[S, E]):
    """One due aggregate, as its worker gets it."""

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
        self._began_by = document.due_set_by

    @property
    def state(self) -> S:
        """The state as this worker last read or wrote it."""
        return self._document.state

    @property
    def due_set_by(self) -> UUID:
        """The id of the event that set the date."""
        if self._document.due_set_by is None:
            raise ValueError(f"{self._aggregate.name} {self._document.id} is not due")
        return self._document.due_set_by

    async def stored(self) -> S:
        """Return the state as it is stored now. Raises PyMongoError when the store is away."""
        [document] = (await self._log.load(self._aggregate, [self._document.id])).values()
        return document.state

    async def append(
        self, decide: Callable[..., Sequence[E]], *, cause: UUID | None = None, **settings: Any
    ) -> S:
        """Append what `decide(state, given, **settings)` returns; return the state after it.

        `cause`: the event that set the date, unless given. Waits while the store is away, so that a
        provider's answer is not lost. Raises Refused when another replica was first: `decide`
        refuses its state, or the cause is in the log already; StateBehindLog.
        """
        cause = cause or self.due_set_by
        clashed = 0
        again, backoff = False, Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        while True:
            try:
                if again:
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
                await asyncio.sleep(backoff.next())
            else:
                if clash is None:
                    self._document = change.document
                    if self._began_by:
                        change.record(tracing.due_work_of(self._began_by))
                    return self.state
                if not (isinstance(clash, Clash) and clash.on_log):
                    raise clash
                clashed = change.commit.first
            again = True

    async def _read_again(self, cause: UUID) -> None:
        stream = f"{self._aggregate.name}-{self._document.id}"
        if await self._log.known([(cause, stream)]):
            raise Refused(f"{stream} was settled already")
        stored = await self._log.load(self._aggregate, [self._document.id])
        self._document = stored[self._document.id]
