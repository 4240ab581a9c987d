"""The worker for due plans: plans that are paused meanwhile, plans of deactivated agents."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.domain.errors import OnHold, Refused
from chassis.eventlog.aggregate import StateDocument
from chassis.eventlog.event_store import EventLog
from chassis.eventlog.work import Work
from chassis.mongo import client as mongo
from chassis.mongo.batch_loader import BatchLoader
from chassis.mongo.client import Database
from chassis.process.tasks import cancel_and_wait
from chassis.projections.views import view_raw
from contracts.crm import AgentDeactivated, AgentReactivated, AgentRegistered, AgentUpdated, Stage
from contracts.message import to_milliseconds
from contracts.scheduler import FollowupEvent, FollowupsPlanned, PlanPaused, PlanResumed
from contracts.sending_hours import SendingHours
from services.scheduler.documents import AGENTS, PLANS, STORE, AgentDocument, ClientDocument
from services.scheduler.plan import Plan
from services.scheduler.plan_additions import plan_followups
from services.scheduler.worker import is_deactivated, let_fall_due
from tests.servers import Server
from tests.services.scheduler.sample_plans import (
    AGENT,
    CALENDAR,
    CLIENT,
    DANA,
    MARIA,
    NOON,
    at,
    created,
)

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ABOUT: dict[str, Any] = {"agent_id": AGENT, "client_id": CLIENT}
PAUSED = PlanPaused(**ABOUT, paused_at=NOON)
RESUMED = PlanResumed(**ABOUT, resumed_at=NOON)


def client(stage: Stage = "lead") -> ClientDocument:
    return ClientDocument(
        id=CLIENT, agent_id=AGENT, stage=stage, property_type="land", personal=MARIA
    )


@pytest.fixture
async def database(mongodb_server: Server) -> AsyncIterator[Database]:
    """A database of scheduler's that knows the client and the agent."""
    async with mongo.connect(mongodb_server.address) as connected:
        database = connected[f"test_{uuid4().hex[:12]}"]
        await mongo.apply_indexes(mongodb_server.address, database.name, STORE.documents)
        await mongo.declare(database, STORE.documents)
        agent = AgentDocument(id=AGENT, personal=DANA)
        await database["agents"].insert_one(view_raw(agent))
        await database["clients"].insert_one(view_raw(client()))
        yield database
        await connected.drop_database(database.name)


@pytest.fixture
async def log(database: Database) -> AsyncIterator[EventLog]:
    """A log that flushes; it holds a plan whose first follow-up is due."""
    log = EventLog(database)
    running = asyncio.create_task(log.run())
    [planned] = plan_followups(None, created(created_at=LONG_AGO), at(0), calendar=CALENDAR)
    assert isinstance(planned, FollowupsPlanned)
    await append(log, None, planned)
    yield log
    await cancel_and_wait([running])


async def append(log: EventLog, stored: StateDocument[Plan] | None, event: FollowupEvent) -> UUID:
    """Append an event, and give its id."""
    change = PLANS.change(
        CLIENT,
        stored,
        [event],
        source="scheduler",
        cause=uuid4(),
        correlation=uuid4(),
        at=to_milliseconds(datetime.now(UTC)),
    )
    assert await log.append([change]) == [None]
    return change.commit.events[0].envelope.id


async def stored(log: EventLog) -> StateDocument[Plan]:
    return (await log.load(PLANS, [CLIENT]))[CLIENT]


async def deactivate(database: Database, at: datetime | None) -> None:
    agent = AgentDocument(id=AGENT, personal=DANA, deactivated_at=at)
    await database["agents"].replace_one({"_id": AGENT}, view_raw(agent))


async def change_client(log: EventLog, to: ClientDocument) -> None:
    await log.database["clients"].replace_one({"_id": CLIENT}, view_raw(to))


async def let_go(log: EventLog, document: StateDocument[Plan]) -> None:
    """Let a worker do what it claimed."""
    work = Work[Plan, FollowupEvent](log, PLANS, document, "scheduler")
    await let_fall_due(
        work,
        clients=BatchLoader(log.database, "clients", ClientDocument),
        agents=BatchLoader(log.database, "agents", AgentDocument),
        calendar=CALENDAR,
    )


async def test_what_was_claimed_before_a_pause_does_not_fall_due(log: EventLog) -> None:
    claimed = await stored(log)
    await append(log, claimed, PAUSED)
    with pytest.raises(Refused, match="the plan is paused"):
        await let_go(log, claimed)
    plan = await stored(log)
    assert plan.version == 2
    assert plan.due_set_by is None
    assert await log.database["plans"].count_documents({"state.due_at": {"$exists": True}}) == 0


async def test_what_was_claimed_before_a_pause_that_is_over_falls_due_once(log: EventLog) -> None:
    claimed = await stored(log)
    await append(log, claimed, PAUSED)
    resumed = await append(log, await stored(log), RESUMED)
    again = await stored(log)
    assert again.due_set_by == resumed
    await let_go(log, claimed)
    with pytest.raises(Refused, match="no follow-up is due"):
        await let_go(log, again)
    assert [f.status for f in (await stored(log)).state.followups] == ["due", *["pending"] * 4]


@pytest.mark.parametrize("is_asleep", [True, False])
async def test_a_follow_up_falls_due_in_the_agent_s_hours_of_the_client_s_zone(
    log: EventLog, *, is_asleep: bool
) -> None:
    # When it is midnight in one of them it is noon in the other.
    zones = ["UTC", "Etc/GMT-12"]
    by_day, by_night = zones if 6 <= datetime.now(UTC).hour < 18 else reversed(zones)
    hours = SendingHours(start="06:00", end="18:00")
    personal = DANA.model_copy(update={"sending_hours": hours, "time_zone": by_day})
    agent = AgentDocument(id=AGENT, personal=personal)
    await log.database["agents"].replace_one({"_id": AGENT}, view_raw(agent))
    zone = by_night if is_asleep else None
    asleep = client().model_copy(update={"personal": MARIA.model_copy(update={"time_zone": zone})})
    await change_client(log, asleep)
    await let_go(log, await stored(log))
    statuses = [followup.status for followup in (await stored(log)).state.followups]
    assert statuses[0] == ("pending" if is_asleep else "due")


async def test_a_plan_of_a_deactivated_agent_is_on_hold_until_the_agent_is_reactivated(
    log: EventLog,
) -> None:
    agents = BatchLoader(log.database, "agents", AgentDocument)
    await deactivate(log.database, NOON)
    with pytest.raises(OnHold) as held:
        await let_go(log, await stored(log))
    assert held.value.holder == AGENT
    assert (await stored(log)).version == 1
    assert await is_deactivated(AGENT, agents=agents)
    await deactivate(log.database, None)
    assert not await is_deactivated(AGENT, agents=agents)
    await let_go(log, await stored(log))
    plan = (await stored(log)).state
    # As after an outage: all five dates have passed, and the others wait a day each.
    assert [f.status for f in plan.followups] == ["due", *["pending"] * 4]
    dates = [f.scheduled_for for f in plan.pending]
    assert plan.last_due_at is not None
    assert dates == [plan.last_due_at + days * timedelta(days=1) for days in (1, 2, 3, 4)]
    with pytest.raises(Refused, match="no follow-up is due"):
        await let_go(log, await stored(log))


async def test_a_deactivation_is_known_whatever_else_changes_of_the_agent(
    database: Database,
) -> None:
    deactivated = AgentDeactivated(agent_id=AGENT, deactivated_at=NOON)
    renamed = AgentUpdated(agent_id=AGENT, updated_at=NOON, personal=DANA)
    registered = AgentRegistered(agent_id=AGENT, registered_at=NOON, personal=DANA)
    reactivated = AgentReactivated(agent_id=AGENT, reactivated_at=NOON)
    seen: list[datetime | None] = []
    agent = None
    for event in (registered, deactivated, renamed, reactivated, renamed):
        agent = AGENTS.apply(agent, event, AGENT)
        seen.append(agent.deactivated_at)
    assert seen == [None, NOON, NOON, None, None]


async def test_a_plan_that_was_started_after_its_client_s_deletion_is_cancelled(
    log: EventLog,
) -> None:
    await change_client(log, ClientDocument(id=CLIENT, agent_id=AGENT))
    await let_go(log, await stored(log))
    plan = (await stored(log)).state
    assert {f.status for f in plan.followups} == {"cancelled"}
    assert plan.due_at is None


@pytest.mark.parametrize("stage", ["closed", "lost"])
async def test_what_was_added_while_its_client_became_closed_or_lost_is_cancelled_when_it_is_due(
    log: EventLog, stage: Stage
) -> None:
    await change_client(log, client(stage))
    await let_go(log, await stored(log))
    plan = (await stored(log)).state
    assert {f.status for f in plan.followups} == {"cancelled"}
    assert plan.due_at is None
