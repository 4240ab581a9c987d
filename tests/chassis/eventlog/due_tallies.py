"""Due tallies, and loops that work on them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from chassis.calls.slots import FixedSlots, Slots
from chassis.domain.state import Given
from chassis.eventlog.due_loop import DueLoop, Holds
from chassis.eventlog.event_store import EventLog
from chassis.eventlog.work import Work
from chassis.mongo.client import Database
from chassis.process.tasks import cancel_and_wait
from tests.chassis.tally import (
    TALLIES,
    Tally,
    TallyEvent,
    change,
    rested,
    wanting,
)

Job = Work[Tally, TallyEvent]
SOON = timedelta(seconds=0.4)
HOUR = timedelta(hours=1)


async def due(log: EventLog, at: datetime, many: int = 1) -> list[UUID]:
    """Append so many that want attention at that time."""
    ids = [uuid4() for _ in range(many)]
    assert not any(await log.append([change(of, wanting(of, at)) for of in ids]))
    return ids


async def rest(work: Job) -> None:
    """Append that no more attention is wanted; the id is the claimed document's."""
    await work.append(resting(work._document.id))


def resting(of: UUID) -> Callable[[Tally, Given], list[TallyEvent]]:
    return lambda tally, given: [rested(of)]  # noqa: ARG005 - the signature of a decision


@contextlib.asynccontextmanager
async def looping(
    log: EventLog,
    worker: Callable[[Job], Awaitable[None]],
    *,
    slots: int | Slots = 8,
    lease: timedelta = HOUR,
    poll: timedelta = HOUR,
    is_open: Callable[[], bool] = lambda: True,
    holds: Holds | None = None,
) -> AsyncIterator[DueLoop[Tally, TallyEvent]]:
    loop = DueLoop(
        log,
        TALLIES,
        worker,
        source="mailer",
        slots=FixedSlots(slots) if isinstance(slots, int) else slots,
        lease=lease,
        poll=poll,
        is_open=is_open,
        holds=holds,
    )
    running = asyncio.create_task(loop.run())
    try:
        yield loop
    finally:
        await cancel_and_wait([running])
        await loop.drain()


def at_rest(log: EventLog, ids: list[UUID]) -> Callable[[], Awaitable[bool]]:
    async def all_rest() -> bool:
        documents = await log.load(TALLIES, ids)
        return all(document.state.due_at is None for document in documents.values())

    return all_rest


async def commits_of(database: Database, ids: list[UUID]) -> list[int]:
    commits = database["commits"]
    return [await commits.count_documents({"stream": f"email-{of}"}) for of in ids]
