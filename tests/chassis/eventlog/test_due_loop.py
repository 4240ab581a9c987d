"""The due loop: due work is done once, by the replica that claims it."""

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from chassis.domain.errors import TryLater
from chassis.eventlog.event_store import EventLog
from chassis.mongo.client import Database
from chassis.process.tasks import cancel_and_wait
from tests.chassis.eventlog.due_tallies import (
    HOUR,
    SOON,
    Job,
    at_rest,
    commits_of,
    due,
    looping,
    rest,
)
from tests.chassis.tally import (
    now,
)
from tests.chassis.waiting import until


async def test_what_is_due_before_the_start_is_worked_on_at_once(
    log: EventLog, database: Database
) -> None:
    ids = await due(log, now() - SOON, many=20)
    async with looping(log, rest):
        await until(at_rest(log, ids))
    assert await commits_of(database, ids) == [2] * 20


async def test_what_is_due_later_waits_for_its_time_and_not_for_the_next_poll(
    log: EventLog,
) -> None:
    early: list[timedelta] = []

    async def look(work: Job) -> None:
        assert work.state.due_at
        early.append(now() - work.state.due_at)
        await rest(work)

    before = await due(log, now() + SOON)
    async with looping(log, look):
        appended_meanwhile = await due(log, now() + SOON)
        at_once = await due(log, now())
        await until(at_rest(log, before + appended_meanwhile + at_once))
    assert len(early) == 3
    assert min(early) >= timedelta(0)


async def test_what_another_process_appends_is_found_by_the_next_poll(
    log: EventLog, database: Database
) -> None:
    other = EventLog(database)
    running = asyncio.create_task(other.run())
    async with looping(other, rest, poll=timedelta(seconds=0.05)):
        ids = await due(log, now())
        await until(at_rest(log, ids))
    # Only now: leaving waits for the worker, and the worker for its append.
    await cancel_and_wait([running])


async def test_the_work_of_a_dead_process_is_done_when_its_claim_has_run_out(
    log: EventLog, database: Database
) -> None:
    [of] = ids = await due(log, now())
    expiry = now() + SOON
    claim = {"token": uuid4(), "until": expiry}
    await database["tallies"].update_one({"_id": of}, {"$set": {"claim": claim}})
    started: list[datetime] = []

    async def note(work: Job) -> None:
        started.append(now())
        await rest(work)

    async with looping(log, note, poll=timedelta(seconds=0.05)):
        await until(at_rest(log, ids))
    assert [at >= expiry for at in started] == [True]


async def test_what_is_tried_again_and_again_keeps_nobody_from_being_tried(log: EventLog) -> None:
    [poison] = await due(log, now() - HOUR)
    healthy = await due(log, now() - SOON, many=3)
    tried: list[UUID] = []

    async def work_on(work: Job) -> None:
        tried.append(work._document.id)
        if work._document.id == poison:
            raise TryLater("it fails", after=0.01)
        await rest(work)

    async with looping(log, work_on, slots=1):
        await until(at_rest(log, healthy))
    # By date, the poison would have been first each time.
    assert tried[0] == poison
    assert tried.count(poison) <= len(healthy)


async def test_waiting_for_what_is_not_known_yet_counts_nothing(
    log: EventLog, database: Database
) -> None:
    ids = await due(log, now())
    tries: list[datetime] = []

    async def wait_twice(work: Job) -> None:
        tries.append(now())
        if len(tries) < 3:
            raise TryLater("not heard of yet", after=0.1)
        await rest(work)

    async with looping(log, wait_twice):
        await until(at_rest(log, ids))
    assert len(tries) == 3
    assert all(b - a >= timedelta(seconds=0.09) for a, b in pairwise(tries))
    assert await commits_of(database, ids) == [2]


async def test_a_bug_in_one_work_leaves_the_others_alone_and_comes_again(log: EventLog) -> None:
    ids = await due(log, now(), many=10)
    failed: list[UUID] = []

    async def fail_once(work: Job) -> None:
        if work._document.id == ids[3] and not failed:
            failed.append(ids[3])
            raise ZeroDivisionError
        await rest(work)

    async with looping(log, fail_once, lease=SOON, poll=timedelta(seconds=0.05)):
        await until(at_rest(log, ids))
    assert failed == [ids[3]]


@pytest.mark.parametrize("slots", [1, 3, 8])
async def test_no_more_are_worked_on_at_a_time_than_there_are_slots(
    log: EventLog, slots: int
) -> None:
    ids = await due(log, now() + SOON, many=20)
    at_work: set[UUID] = set()
    most = 0

    async def count(work: Job) -> None:
        nonlocal most
        at_work.add(work._document.id)
        most = max(most, len(at_work))
        await asyncio.sleep(0.02)
        await rest(work)
        at_work.remove(work._document.id)

    # Looks come often while all slots are taken.
    async with looping(log, count, slots=slots, poll=timedelta(seconds=0.005)):
        await until(at_rest(log, ids))
    assert most == slots


async def test_nothing_is_claimed_until_the_gate_opens(log: EventLog, database: Database) -> None:
    ids = await due(log, now())
    looks = 0

    def gate() -> bool:
        nonlocal looks
        looks += 1
        return looks > 3

    async def open_by_then(work: Job) -> None:
        assert looks > 3
        await rest(work)

    async with looping(log, open_by_then, is_open=gate):
        await until(at_rest(log, ids))


async def test_a_stop_lets_what_is_under_way_end(log: EventLog) -> None:
    ids = await due(log, now())
    started = asyncio.Event()

    async def take_time(work: Job) -> None:
        started.set()
        await asyncio.sleep(0.2)
        await rest(work)

    async with looping(log, take_time):
        await started.wait()
    assert await at_rest(log, ids)()
