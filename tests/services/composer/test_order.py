"""The order of a client's letters: a later one does not overtake one that waits to be written."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from chassis.calls.call_limit import CallLimit
from chassis.domain.errors import TryLater
from chassis.domain.retry import RetryPolicy
from chassis.eventlog.event_store import EventLog
from chassis.eventlog.waiting import WaitingWork
from chassis.eventlog.work import Work
from chassis.mongo.daily_limit import DailyLimit, DailyPlaces
from chassis.process.dependency_health import DependencyHealth
from contracts.composer import DraftEvent, DraftRequested
from services.composer.documents import DRAFTS, STORE
from services.composer.draft import Draft, request
from services.composer.earlier_letters import LettersInLog
from services.composer.worker import WritingDependencies, write_draft
from tests.chassis.flushing_log import flushing_log
from tests.servers import Server
from tests.services.composer.test_draft import DUE, GIVEN, REQUESTED
from tests.services.composer.test_worker import FIT, ScriptedWriter

DAY = timedelta(days=1)


@pytest.fixture
async def log(mongodb: Server) -> AsyncIterator[EventLog]:
    """An empty log that flushes."""
    async with flushing_log(mongodb, STORE) as log:
        yield log


async def add(log: EventLog, draft: DraftRequested) -> UUID:
    """Append a request; return the draft's id."""
    change = DRAFTS.change(
        draft.followup_id,
        None,
        [draft],
        source="composer",
        cause=uuid4(),
        correlation=uuid4(),
        at=datetime.now(UTC),
    )
    assert await log.append([change]) == [None]
    return draft.followup_id


def of_day(days: int, **fields: UUID) -> DraftRequested:
    """Return a draft of the client's follow-up of this day."""
    fell_due_at = REQUESTED.requested_at + days * DAY
    return REQUESTED.model_copy(
        update={"followup_id": uuid4(), "fell_due_at": fell_due_at} | fields
    )


async def test_a_draft_says_when_its_follow_up_fell_due() -> None:
    [requested] = request(None, DUE, GIVEN)
    assert isinstance(requested, DraftRequested)
    assert requested.fell_due_at == DUE.due_at


async def test_only_the_earliest_letter_to_a_client_is_written(log: EventLog) -> None:
    third = await add(log, of_day(3))
    other = await add(log, of_day(3, client_id=uuid4()))
    first = await add(log, of_day(1))
    writer = ScriptedWriter(*[FIT] * 4)
    deps = WritingDependencies(
        writer,
        DailyPlaces(log.database, DailyLimit(0, DAY, DAY)),
        LettersInLog(log.database),
        RetryPolicy(timedelta(seconds=60), 3),
        CallLimit(1, 64),
        DependencyHealth(),
        WaitingWork(log.database, DRAFTS, "requested"),
    )

    async def status_after_work_on(draft: UUID) -> str:
        [document] = (await log.load(DRAFTS, [draft])).values()
        work = Work[Draft, DraftEvent](log, DRAFTS, document, "composer")
        await write_draft(work, deps=deps)
        return work.state.status

    with pytest.raises(TryLater, match="earlier"):
        await status_after_work_on(third)
    assert writer.requests == []
    assert await status_after_work_on(other) == "composed"
    assert await status_after_work_on(first) == "composed"
    # The same text again would be flagged: it is written, and waits for a person.
    assert await status_after_work_on(third) != "requested"
