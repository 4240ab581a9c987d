"""Any commands on a plan, over time: one follow-up per day, none twice, none forgotten."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chassis.domain.errors import Refused
from contracts.scheduler import (
    CancelFollowup,
    CancelPlan,
    ChangeFollowup,
    FollowupDue,
    FollowupEvent,
    PausePlan,
    RescheduleFollowup,
    ResumePlan,
)
from services.scheduler.plan import Plan
from services.scheduler.plan_commands import cancel, cancel_all, change, pause, reschedule, resume
from tests.services.scheduler.sample_plans import (
    AGENT,
    CLIENT,
    DAY,
    NOON,
    at,
    due_at,
    folded,
    planned,
)

NUMBER = st.integers(0, 4)
HOURS = st.integers(0, 24 * 40).map(lambda hours: hours / 24)
WHAT = (
    *("due", "due", "due", "move", "change", "cancel"),
    *("pause", "resume", "resume", "cancel all"),
)
# (days to wait before it, what, which follow-up, the day to move it to)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 24 * 9).map(lambda hours: hours / 24),
        st.sampled_from(WHAT),
        NUMBER,
        HOURS,
    ),
    max_size=25,
)


def decided(plan: Plan, what: str, number: int, days: float, now: float) -> list[FollowupEvent]:
    about_plan: dict[str, Any] = {"agent_id": AGENT, "client_id": CLIENT}
    about = about_plan | {"followup_id": plan.followups[number].followup_id}
    try:
        match what:
            case "due":
                return due_at(plan, now)
            case "move":
                order = RescheduleFollowup(**about, scheduled_for=NOON + days * DAY)
                return reschedule(plan, order, at(now))
            case "change":
                date = NOON + days * DAY
                other = ChangeFollowup(**about, scheduled_for=date, priority="high")
                return change(plan, other, at(now))
            case "cancel":
                return cancel(plan, CancelFollowup(**about), at(now))
            case "pause":
                return pause(plan, PausePlan(**about_plan), at(now))
            case "resume":
                return resume(plan, ResumePlan(**about_plan), at(now))
            case _:
                return cancel_all(plan, CancelPlan(**about_plan), at(now))
    except Refused:
        return []


def until_nothing_is_pending(plan: Plan, now: float) -> tuple[Plan, list[FollowupEvent]]:
    """Do what the due loop does: decide whenever the plan's date has come."""
    events_so_far: list[FollowupEvent] = []
    for _ in range(30):
        if plan.due_at is None:
            return plan, events_so_far
        now = max(now, (plan.due_at - NOON) / DAY)
        events = due_at(plan, now)
        events_so_far += events
        plan = folded(plan, events)
    raise AssertionError("the plan never comes to rest")


@given(STEPS)
def test_one_per_day_none_twice_and_none_forgotten(
    steps: Sequence[tuple[float, str, int, float]],
) -> None:
    plan, now = planned(), 0.0
    events_so_far: list[FollowupEvent] = []
    for wait, what, number, days in steps:
        now += wait
        events = decided(plan, what, number, days, now)
        events_so_far += events
        plan = folded(plan, events)
        earliest = min((f.scheduled_for for f in plan.pending), default=None)
        assert plan.due_at == (None if plan.paused_at else earliest)
    plan = folded(plan, decided(plan, "resume", 0, 0, now))
    plan, rest = until_nothing_is_pending(plan, now)
    due = [e for e in events_so_far + rest if isinstance(e, FollowupDue)]
    assert all(after.due_at - before.due_at >= DAY for before, after in pairwise(due))
    ids = [e.followup_id for e in due]
    assert len(ids) == len(set(ids))
    cancelled = {f.followup_id for f in plan.followups if f.status == "cancelled"}
    assert set(ids) | cancelled == {f.followup_id for f in plan.followups}
    assert not set(ids) & cancelled


@given(STEPS)
def test_each_decision_that_the_date_calls_for_changes_the_date(
    steps: Sequence[tuple[float, str, int, float]],
) -> None:
    """The cause of due work is the event that set the date: one date, one commit."""
    plan, now = planned(), 0.0
    for wait, what, number, days in steps:
        now += wait
        before = plan.due_at
        events = decided(plan, what, number, days, now)
        plan = folded(plan, events)
        if what == "due" and events:
            assert plan.due_at != before
            assert plan.due_at is None or plan.due_at > at(now).now
