"""Follow-ups that an agent adds: the five steps anew, or one with instructions of its own."""

from typing import Any
from uuid import uuid4

import pytest

from chassis.domain.errors import Refused
from contracts.crm import ClientDeleted
from contracts.scheduler import (
    AddFollowup,
    CancelPlan,
    FollowupDue,
    FollowupInstructions,
    FollowupsAdded,
    PausePlan,
    PlanResumed,
    StartPlan,
)
from services.scheduler.plan import Plan, evolve, fall_due
from services.scheduler.plan_additions import MOST_FOLLOWUPS, add, start
from services.scheduler.plan_cancellations import cancel_on_deletion
from services.scheduler.plan_commands import cancel_all, pause
from tests.services.scheduler.sample_plans import (
    AGENT,
    ALWAYS,
    CALENDAR,
    CLIENT,
    DAY,
    KNOWN,
    NOON,
    at,
    days_of,
    folded,
    planned,
)

ABOUT: dict[str, Any] = {"agent_id": AGENT, "client_id": CLIENT}
START = StartPlan(**ABOUT)
SAY = FollowupInstructions(instructions="Say that the roof was mended.")


def custom(days: float, **fields: Any) -> AddFollowup:
    when = NOON + days * DAY
    return AddFollowup(
        **ABOUT | {"followup_id": uuid4(), "scheduled_for": when, "personal": SAY} | fields
    )


def ended(plan: Plan, days: float = 2) -> Plan:
    return folded(plan, cancel_all(plan, CancelPlan(**ABOUT), at(days)))


def test_a_plan_that_was_cancelled_starts_anew_from_now_on_beside_what_it_was() -> None:
    plan = ended(planned())
    after = folded(plan, start(plan, START, at(40), calendar=CALENDAR))
    assert [f.status for f in after.followups] == ["cancelled"] * 5 + ["pending"] * 5
    assert days_of(after)[-5:] == [41, 43, 47, 54, 70]
    assert after.due_at == NOON + 41 * DAY
    assert len({f.followup_id for f in after.followups}) == 10


def test_a_client_that_came_as_lost_gets_its_first_plan() -> None:
    [event] = start(None, START, at(3), calendar=CALENDAR)
    assert isinstance(event, FollowupsAdded)
    plan = evolve(None, event)
    assert (plan.agent_id, plan.client_id) == (AGENT, CLIENT)
    assert plan.due_at == NOON + 4 * DAY


def test_the_same_command_plans_the_same_follow_ups() -> None:
    plan = ended(planned())
    once, again = (start(plan, START, at(3), calendar=CALENDAR) for _ in range(2))
    assert once == again


def test_what_is_pending_has_to_end_first() -> None:
    with pytest.raises(Refused, match="pending"):
        start(planned(), START, at(0), calendar=CALENDAR)


def test_another_agent_s_plan_is_not_found() -> None:
    plan, stranger = ended(planned()), uuid4()
    with pytest.raises(Refused, match="not found"):
        start(plan, START.model_copy(update={"agent_id": stranger}), at(0), calendar=CALENDAR)
    with pytest.raises(Refused, match="not found"):
        add(plan, custom(1, agent_id=stranger), at(0))


def test_nothing_is_added_after_the_deletion_of_the_client() -> None:
    plan = planned()
    gone = ClientDeleted(**ABOUT, deleted_at=NOON)
    plan = folded(plan, cancel_on_deletion(plan, gone, at(2)))
    with pytest.raises(Refused, match="not found"):
        start(plan, START, at(2), calendar=CALENDAR)
    with pytest.raises(Refused, match="not found"):
        add(plan, custom(1), at(2))


def test_the_pause_of_a_plan_that_was_cancelled_is_over_when_it_starts_anew() -> None:
    plan = planned()
    plan = ended(folded(plan, pause(plan, PausePlan(**ABOUT), at(1))))
    assert plan.paused_at
    events = start(plan, START, at(3), calendar=CALENDAR)
    assert [type(event) for event in events] == [FollowupsAdded, PlanResumed]
    assert folded(plan, events).due_at == NOON + 4 * DAY


def test_one_added_to_a_paused_plan_waits_with_the_others() -> None:
    plan = planned()
    plan = folded(plan, pause(plan, PausePlan(**ABOUT), at(0.5)))
    after = folded(plan, add(plan, custom(2), at(0.5)))
    assert after.due_at is None
    assert len(after.pending) == 6


def test_one_falls_due_at_its_date_and_says_what_its_letter_should_say() -> None:
    plan = ended(planned())
    order = custom(5, priority="high")
    after = folded(plan, add(plan, order, at(3)))
    assert after.due_at == order.scheduled_for
    assert after.followups[-1].priority == "high"
    [due] = fall_due(after, at(5), client=KNOWN, calendar=CALENDAR, window=ALWAYS)
    assert isinstance(due, FollowupDue)
    assert (due.followup_id, due.followup_type) == (order.followup_id, "Custom")
    assert due.personal.instructions == SAY.instructions


def test_one_for_now_waits_for_a_day_after_another() -> None:
    plan = planned()
    plan = folded(plan, fall_due(plan, at(1), client=KNOWN, calendar=CALENDAR, window=ALWAYS))
    plan = folded(plan, add(plan, custom(1.2), at(1.2)))
    [moved, *_] = fall_due(plan, at(1.2), client=KNOWN, calendar=CALENDAR, window=ALWAYS)
    assert moved.scheduled_for == NOON + 2 * DAY  # type: ignore[union-attr]


def test_other_steps_have_no_instructions() -> None:
    [due, *_] = fall_due(planned(), at(1), client=KNOWN, calendar=CALENDAR, window=ALWAYS)
    assert isinstance(due, FollowupDue)
    assert due.personal.instructions is None
    assert "instructions" not in due.to_json()


def test_a_plan_has_its_end() -> None:
    plan = planned()
    full = plan.model_copy(update={"followups": plan.followups * (MOST_FOLLOWUPS // 5)})
    with pytest.raises(Refused, match="no more"):
        add(full, custom(50), at(0))
