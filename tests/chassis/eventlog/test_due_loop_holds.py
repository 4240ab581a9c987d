"""Work on hold: it is set aside, costs nothing meanwhile, and goes on when it is released."""

from datetime import timedelta
from uuid import UUID, uuid4

from chassis.domain.errors import OnHold
from chassis.eventlog.aggregate import DUE_ORDER
from chassis.eventlog.due_loop import free_at
from chassis.eventlog.event_store import EventLog
from chassis.mongo.client import Database
from tests.chassis.eventlog.due_tallies import HOUR, Job, at_rest, commits_of, due, looping, rest
from tests.chassis.tally import TALLIES, change, now, opened
from tests.chassis.waiting import until

HELD, FREE = uuid4(), uuid4()
OFTEN = timedelta(seconds=0.05)
# More than the loop's slots: they must not keep what comes after them from being seen.
MANY = 500


class Holders:
    """A holder of work, until it releases it; counts how often work was taken up."""

    def __init__(self, ids: list[UUID]) -> None:
        self.ids = frozenset(ids)
        self.holding = True
        self.taken_up = 0

    async def work(self, job: Job) -> None:
        if job._document.id in self.ids:
            self.taken_up += 1
            if self.holding:
                raise OnHold("held by the test", holder=HELD)
        await rest(job)

    async def holds(self, holder: UUID) -> bool:
        return holder == HELD and self.holding


async def test_what_is_held_is_looked_at_once_and_does_not_keep_others_waiting(
    log: EventLog, database: Database
) -> None:
    held = await due(log, now(), many=MANY)
    holders = Holders(held)

    async def all_held() -> bool:
        return await database["tallies"].count_documents({"claim.holder": HELD}) == MANY

    async with looping(log, holders.work, poll=OFTEN, lease=OFTEN, holds=holders.holds):
        await until(all_held)
        taken_up = set()
        for _ in range(4):
            later = await due(log, now(), many=20)
            await until(at_rest(log, later))
            # By the first of these, what a slow machine had claimed twice has been looked at.
            taken_up.add(holders.taken_up)
        assert len(taken_up) == 1
        holders.holding = False
        await until(at_rest(log, held))
    assert await commits_of(database, held) == [2] * MANY


async def test_what_another_process_holds_and_what_was_released_while_none_ran_goes_on(
    log: EventLog, database: Database
) -> None:
    ids = await due(log, now(), many=3)
    claim = {"token": uuid4(), "until": now() + timedelta(hours=1), "holder": FREE}
    await database["tallies"].update_many({}, {"$set": {"claim": claim}})
    async with looping(log, rest, poll=OFTEN, holds=Holders([]).holds):
        await until(at_rest(log, ids))
    assert await commits_of(database, ids) == [2] * 3


async def test_what_changes_while_it_is_held_is_looked_at_again_and_held_again(
    log: EventLog, database: Database
) -> None:
    [of] = ids = await due(log, now())
    holders = Holders(ids)

    async def is_held() -> bool:
        return await database["tallies"].count_documents({"claim.holder": HELD}) == 1

    async with looping(log, holders.work, poll=OFTEN, holds=holders.holds):
        await until(is_held)
        stored = (await log.load(TALLIES, ids))[of]
        assert await log.append([change(of, opened(of), stored=stored)]) == [None]
        await until(is_held)
        holders.holding = False
        await until(at_rest(log, ids))
    assert holders.taken_up >= 2


async def test_looking_for_due_work_passes_over_nothing_else(
    log: EventLog, database: Database
) -> None:
    for date, claim in (
        (now(), {"until": now(), "holder": HELD}),
        (now(), {"until": now() + HOUR}),
        (now() + HOUR, None),
    ):
        ids = await due(log, date, many=MANY)
        if claim:
            await database["tallies"].update_many(
                {"_id": {"$in": ids}}, {"$set": {"claim": claim | {"token": uuid4()}}}
            )
    await due(log, now(), many=MANY)
    free = database["tallies"].find(free_at(now()), {"_id": 1}).sort(list(DUE_ORDER)).limit(10)
    stats = (await free.explain())["executionStats"]
    assert stats["nReturned"] == 10
    assert stats["totalKeysExamined"] <= 12
    assert stats["totalDocsExamined"] <= 10
