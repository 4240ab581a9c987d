"""An agent's letters of a day: never more than the limit, over all composers, and none is lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from chassis.calls.call_limit import CallLimit
from chassis.calls.slots import FixedSlots
from chassis.domain.retry import RetryPolicy
from chassis.eventlog.due_loop import DueLoop
from chassis.eventlog.event_store import CommitDocument, EventLog
from chassis.eventlog.waiting import WaitingWork
from chassis.mongo import client as mongo
from chassis.mongo.client import Database
from chassis.mongo.daily_limit import DailyLimit, DailyLimitReached, DailyPlaces
from chassis.process.dependency_health import DependencyHealth
from chassis.process.tasks import cancel_and_wait
from contracts.composer import EmailComposed
from services.composer.documents import DRAFTS, STORE
from services.composer.draft import Draft
from services.composer.earlier_letters import LettersInLog
from services.composer.worker import WritingDependencies, write_draft
from services.composer.writer import Composition, CompositionRequest, Written
from tests.chassis.waiting import until
from tests.servers import Server
from tests.services.composer.test_draft import AGENT, REQUESTED

HOUR = timedelta(hours=1)
LONGEST_CALL = timedelta(minutes=1)


@pytest.fixture
async def database(mongodb: Server) -> AsyncIterator[Database]:
    async with mongo.connect(mongodb.address) as client:
        name = f"letters_{uuid4().hex}"
        await mongo.apply_indexes(mongodb.address, name, STORE.documents)
        await mongo.declare(client[name], STORE.documents)
        yield client[name]
        await client.drop_database(name)


def daily(database: Database, limit: int, day: timedelta = HOUR) -> DailyPlaces:
    return DailyPlaces(database, DailyLimit(limit, day, LONGEST_CALL))


class SlowWriter:
    """Takes its time; counts."""

    name = "slow"

    def __init__(self) -> None:
        self.calls = 0

    async def write(self, request: CompositionRequest) -> Written:
        self.calls += 1
        await asyncio.sleep(0.02)
        return Written(
            Composition(
                subject=f"Plans {self.calls}",
                body=f"Hi Maria,\n\nhow is it going with {request.property_type}?",
            ),
            request.language,
        )

    async def close(self) -> None:
        """Hold nothing."""


@contextlib.asynccontextmanager
async def composer(
    database: Database, letters: DailyPlaces, writer: SlowWriter
) -> AsyncIterator[EventLog]:
    """Run what a composer process runs for due drafts."""
    log = EventLog(database)
    deps = WritingDependencies(
        writer,
        letters,
        LettersInLog(database),
        RetryPolicy(timedelta(seconds=60), 3),
        CallLimit(1, 64),
        DependencyHealth(patience=5, memory=300),
        WaitingWork(database, DRAFTS, "requested"),
    )
    worker = partial(write_draft, deps=deps)
    loop = DueLoop(
        log,
        DRAFTS,
        worker,
        source="composer",
        slots=FixedSlots(4),
        lease=LONGEST_CALL,
        poll=timedelta(seconds=0.1),
        is_open=lambda: True,
    )
    running = asyncio.create_task(log.run())
    looping = asyncio.create_task(loop.run())
    try:
        yield log
    finally:
        await cancel_and_wait([looping])
        await loop.drain()
        await cancel_and_wait([running])


async def requested(log: EventLog, *agents: UUID) -> list[UUID]:
    """Append a due draft of each of the agents, of a client of its own."""
    drafts = []
    for agent in agents:
        ids = {"followup_id": uuid4(), "client_id": uuid4(), "agent_id": agent}
        change = DRAFTS.change(
            ids["followup_id"],
            None,
            [REQUESTED.model_copy(update=ids)],
            source="composer",
            cause=uuid4(),
            correlation=uuid4(),
            at=datetime.now(UTC),
        )
        assert await log.append([change]) == [None]
        drafts.append(ids["followup_id"])
    return drafts


async def states(log: EventLog, drafts: list[UUID]) -> list[Draft]:
    documents = await log.load(DRAFTS, drafts)
    return [documents[draft].state for draft in drafts]


async def test_two_composers_never_exceed_the_limit_and_lose_nothing(database: Database) -> None:
    limit, day, other = 3, timedelta(seconds=0.5), uuid4()
    writers = SlowWriter(), SlowWriter()
    async with (
        composer(database, daily(database, limit, day), writers[0]) as log,
        composer(database, daily(database, limit, day), writers[1]),
    ):
        drafts = await requested(log, *[AGENT] * 10, *[other] * 4)

        async def all_composed() -> bool:
            return all(draft.status == "composed" for draft in await states(log, drafts))

        await until(all_composed)
    composed: dict[UUID, list[datetime]] = {}
    types: list[str] = []
    async for commit in database[CommitDocument.Settings.name].find():
        types += [event["type"] for event in commit["events"]]
        if types[-1] == EmailComposed.wire_name:
            event = EmailComposed.model_validate_json(commit["events"][0]["data"])
            composed.setdefault(event.agent_id, []).append(event.composed_at)
    assert {agent: len(times) for agent, times in composed.items()} == {AGENT: 10, other: 4}
    for times in map(sorted, composed.values()):
        for earlier, later in zip(times, times[limit:], strict=False):
            assert later - earlier >= day
    # Not a call more than letters, and no attempt has failed.
    assert sum(writer.calls for writer in writers) == len(drafts)
    assert not any("Failed" in name for name in types)
    assert [draft.attempts for draft in await states(EventLog(database), drafts)] == [0] * 14


async def test_beyond_the_limit_a_draft_waits_for_its_turn_and_the_writer_is_not_called(
    database: Database,
) -> None:
    writer = SlowWriter()
    started = datetime.now(UTC)
    async with composer(database, daily(database, 1), writer) as log:
        drafts = await requested(log, AGENT, AGENT, AGENT)

        async def all_handled() -> bool:
            known = await states(log, drafts)
            return all(draft.due_at is None or draft.due_at > started + HOUR for draft in known)

        await until(all_handled)
        known = await states(log, drafts)
    waiting = [draft for draft in known if draft.due_at]
    assert [(draft.status, draft.attempts) for draft in waiting] == [("requested", 0)] * 2
    assert writer.calls == 1


async def test_the_first_waits_for_the_oldest_letter_and_the_others_spread_over_a_day(
    database: Database,
) -> None:
    letters = daily(database, 3)
    ends = []
    for _ in range(3):
        async with letters.place(AGENT):
            pass
        ends.append(datetime.now(UTC) + HOUR)
    waits = []
    for _ in range(4):
        with pytest.raises(DailyLimitReached) as reached:
            async with letters.place(AGENT):
                pytest.fail("one too many")
        waits.append(reached.value.until)
    assert waits[0] <= ends[0]
    assert waits[0] >= ends[0] - timedelta(minutes=1)
    minutes = [round((wait - waits[0]) / timedelta(minutes=1)) for wait in waits]
    assert minutes == [0, 20, 40, 0]
    async with letters.place(uuid4()):
        """Another agent has a limit of their own."""


async def test_a_letter_that_is_being_written_counts_until_nothing_comes_of_it(
    database: Database,
) -> None:
    letters = daily(database, 1)
    async with letters.place(AGENT) as place:
        with pytest.raises(DailyLimitReached):
            async with letters.place(AGENT):
                pytest.fail("one too many")
        place.unused = True
    # Nothing came of it, so the place is free again.
    async with letters.place(AGENT):
        pass
    with pytest.raises(DailyLimitReached):
        async with letters.place(AGENT):
            pytest.fail("one too many")


async def test_a_letter_that_is_refused_after_the_call_was_paid_for(database: Database) -> None:
    letters = daily(database, 1)
    with pytest.raises(ZeroDivisionError):
        async with letters.place(AGENT):
            raise ZeroDivisionError
    with pytest.raises(DailyLimitReached):
        async with letters.place(AGENT):
            pytest.fail("one too many")


async def test_without_a_limit_nothing_is_counted(database: Database) -> None:
    for _ in range(3):
        async with daily(database, 0).place(AGENT):
            pass
    assert await database["daily_places"].count_documents({}) == 0
