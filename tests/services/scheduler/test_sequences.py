"""Plans of other sequences than a new lead's five steps."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chassis.domain.errors import Refused
from contracts.crm import ClientUpdated, PlannedSequence, Stage
from contracts.scheduler import FollowupCancelled, FollowupsAdded, FollowupsPlanned, StartPlan
from contracts.sequences import NEW_LEAD, PAST_CLIENT, WORKING_TOGETHER
from contracts.steps import Step
from services.scheduler.plan import Plan, evolve
from services.scheduler.plan_additions import plan_followups, start
from services.scheduler.plan_cancellations import cancel_added, cancel_on_stage
from tests.services.scheduler.sample_plans import (
    AGENT,
    CALENDAR,
    CLIENT,
    MARIA,
    NOON,
    at,
    created,
    days_of,
    folded,
    planned,
)

SPRING = PlannedSequence(
    name="Buyers in spring",
    stages=("negotiating",),
    steps=(
        Step(name="After the viewing", days=2, priority="high", goal="Ask what they liked."),
        Step(name="Week 1", days=7),
    ),
)


def begun(sequence: PlannedSequence, plan: Plan | None = None, days: float = 0) -> Plan:
    command = StartPlan(agent_id=AGENT, client_id=CLIENT, sequence=sequence)
    return folded(plan, start(plan, command, at(days), calendar=CALENDAR))


def moved_to(stage: Stage) -> ClientUpdated:
    fields: dict[str, Any] = created().model_dump(include={"agent_id", "client_id", "created_at"})
    return ClientUpdated(
        **fields, property_type="land", stage=stage, updated_at=NOON, personal=MARIA
    )


def test_a_new_client_gets_the_steps_that_were_chosen() -> None:
    client = created(stage="negotiating", sequence=SPRING)
    [event] = plan_followups(None, client, at(0), calendar=CALENDAR)
    assert isinstance(event, FollowupsPlanned)
    assert event.sequence == SPRING.named
    assert [(f.followup_type, f.step, f.goal, f.priority) for f in event.followups] == [
        ("Custom", "After the viewing", "Ask what they liked.", "high"),
        ("Week 1", None, None, "medium"),
    ]
    plan = evolve(None, event)
    assert days_of(plan) == [2, 7]
    assert [f.goal for f in plan.followups] == ["Ask what they liked.", None]


def test_without_one_it_is_a_new_lead_as_before_there_were_sequences() -> None:
    [event] = plan_followups(None, created(), at(0), calendar=CALENDAR)
    [same] = plan_followups(None, created(sequence=NEW_LEAD), at(0), calendar=CALENDAR)
    assert isinstance(event, FollowupsPlanned)
    assert isinstance(same, FollowupsPlanned)
    assert event.followups == same.followups
    assert "sequence" not in event.model_dump()


@pytest.mark.parametrize(
    ("stage", "sequence", "steps"),
    [
        ("closed", None, 0),
        ("closed", WORKING_TOGETHER, 0),
        ("closed", PAST_CLIENT, 5),
        ("lost", PAST_CLIENT, 0),
        ("under_contract", WORKING_TOGETHER, 4),
    ],
)
def test_a_closed_client_gets_only_what_is_meant_for_it_and_a_lost_one_nothing(
    stage: Stage, sequence: PlannedSequence | None, steps: int
) -> None:
    client = created(stage=stage, sequence=sequence)
    events = plan_followups(None, client, at(0), calendar=CALENDAR)
    assert sum(len(e.followups) for e in events if isinstance(e, FollowupsPlanned)) == steps


def test_closing_ends_what_is_not_meant_for_closed_clients() -> None:
    before = cancel_on_stage(planned(), moved_to("closed"), at(2))
    assert [type(event) for event in before] == [FollowupCancelled] * 5
    past = begun(PAST_CLIENT, folded(planned(), before), days=3)
    # Every later change of the client says its stage once more.
    assert cancel_on_stage(past, moved_to("closed"), at(4)) == []
    with pytest.raises(Refused, match="meant"):
        cancel_added(past, at(400), stage="closed")
    assert len(cancel_on_stage(past, moved_to("lost"), at(5))) == 5


def test_another_sequence_begins_once_nothing_is_pending() -> None:
    with pytest.raises(Refused, match="pending"):
        begun(SPRING, planned())
    plan = folded(planned(), cancel_on_stage(planned(), moved_to("lost"), at(2)))
    after = begun(SPRING, plan, days=10)
    assert days_of(after)[-2:] == [12, 17]
    assert after.sequence == SPRING.named


def test_a_plan_keeps_its_sequence_when_the_agent_adds_one_by_itself() -> None:
    added = FollowupsAdded(agent_id=AGENT, client_id=CLIENT, added_at=NOON, followups=())
    assert evolve(begun(PAST_CLIENT), added).sequence == PAST_CLIENT.named


@pytest.mark.parametrize(
    ("start", "years", "days", "then"),
    [
        ("2024-02-29T15:00", 1, 0, "2025-02-28T15:00"),
        ("2024-02-29T15:00", 4, 0, "2028-02-29T15:00"),
        ("2026-03-08T09:00", 1, 0, "2027-03-08T09:00"),
        ("2026-11-28T09:00", 2, 3, "2028-12-01T09:00"),
    ],
)
def test_an_anniversary_is_the_same_day_at_the_same_hour(
    start: str, years: int, days: int, then: str
) -> None:
    for zone in map(ZoneInfo, ("America/Chicago", "Australia/Lord_Howe", "Asia/Kathmandu")):
        begins = datetime.fromisoformat(start).replace(tzinfo=zone).astimezone(UTC)
        found = CALENDAR.after(begins, days, zone, years=years).astimezone(zone)
        assert found.replace(tzinfo=None) == datetime.fromisoformat(then)
