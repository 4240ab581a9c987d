"""Two workers on the same work: the log lets one of them settle it."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from chassis.domain.errors import Refused
from chassis.eventlog.event_store import EventLog
from chassis.eventlog.work import Work
from chassis.mongo.client import Database
from chassis.process.tasks import cancel_and_wait
from tests.chassis.eventlog.due_tallies import (
    SOON,
    Job,
    at_rest,
    commits_of,
    due,
    looping,
    rest,
    resting,
)
from tests.chassis.tally import (
    TALLIES,
    Tally,
    TallyEvent,
    change,
    now,
    opened,
    rested,
)
from tests.chassis.waiting import until


async def test_two_loops_on_the_same_work_append_once(log: EventLog, database: Database) -> None:
    """A lease that is over at once lets both begin; the log lets one of them end."""
    ids = await due(log, now() + SOON, many=60)
    other = EventLog(database)
    running = asyncio.create_task(other.run())
    started: list[UUID] = []

    async def slowly(work: Job) -> None:
        started.append(work._document.id)
        while started.count(work._document.id) < 2:
            await asyncio.sleep(0.01)
        await rest(work)

    poll, over = timedelta(seconds=0.02), timedelta(0)
    async with (
        looping(log, slowly, slots=80, lease=over, poll=poll),
        looping(other, slowly, slots=80, lease=over, poll=poll),
    ):
        await until(at_rest(log, ids))
    await cancel_and_wait([running])
    assert await commits_of(database, ids) == [2] * 60
    assert len(started) >= 120


async def test_a_worker_sees_what_others_have_stored_meanwhile(log: EventLog) -> None:
    [of] = await due(log, now())
    documents = await log.load(TALLIES, [of])
    work: Job = Work(log, TALLIES, documents[of], "mailer")
    await rest(Work(log, TALLIES, documents[of], "mailer"))
    assert work.state.due_at
    assert (await work.stored()).due_at is None


async def test_a_worker_that_loses_is_refused(log: EventLog) -> None:
    [of] = await due(log, now())
    document = (await log.load(TALLIES, [of]))[of]
    winner, loser = (Work(log, TALLIES, document, "mailer") for _ in range(2))
    assert (await winner.append(resting(of))).due_at is None
    with pytest.raises(Refused, match="settled already"):
        await loser.append(resting(of))


async def test_a_worker_decides_again_on_what_has_happened_meanwhile(log: EventLog) -> None:
    [of] = await due(log, now())
    document = (await log.load(TALLIES, [of]))[of]
    assert await log.append([change(of, opened(of), stored=document)]) == [None]
    seen: list[int] = []

    def decide(tally: Tally, given: object) -> list[TallyEvent]:
        seen.append(tally.opened)
        if len(seen) == 3:
            raise Refused("no more")
        return [rested(of)]

    work = Work(log, TALLIES, document, "mailer")
    assert (await work.append(decide)).opened == 1
    assert seen == [0, 1]
    with pytest.raises(Refused, match="no more"):
        await Work(log, TALLIES, document, "mailer").append(decide, cause=uuid4())
