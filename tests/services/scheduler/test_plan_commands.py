"""An agent's commands on a plan: change a follow-up, pause, resume, cancel."""

from typing import Any
from uuid import uuid4

import pytest

from chassis.domain.errors import Refused
from chassis.eventlog.aggregate import to_raw
from contracts.crm import ClientDeleted
from contracts.scheduler import (
    CancelPlan,
    ChangeFollowup,
    FollowupCancelled,
    FollowupChanged,
    FollowupDue,
    FollowupNotes,
    FollowupPatch,
    FollowupRescheduled,
    FollowupsPlanned,
    PausePlan,
    PlannedFollowup,
    PlanPaused,
    PlanResumed,
    RescheduleFollowup,
    ResumePlan,
)
from services.scheduler.documents import PLANS
from services.scheduler.plan import Plan, evolve
from services.scheduler.plan_cancellations import cancel_on_deletion
from services.scheduler.plan_commands import cancel_all, change, pause, reschedule, resume
from tests.services.scheduler.sample_plans import (
    AGENT,
    CLIENT,
    DAY,
    NOON,
    at,
    days_of,
    due_at,
    folded,
    planned,
)

ABOUT: dict[str, Any] = {"agent_id": AGENT, "client_id": CLIENT}
PAUSE, RESUME, CANCEL = PausePlan(**ABOUT), ResumePlan(**ABOUT), CancelPlan(**ABOUT)


def changing(plan: Plan, number: int, **fields: Any) -> ChangeFollowup:
    """Order a change; `notes`, unless given, are left as they are."""
    patch = {"personal": FollowupPatch(notes=fields.pop("notes"))} if "notes" in fields else {}
    followup_id = plan.followups[number].followup_id
    return ChangeFollowup(**ABOUT | {"followup_id": followup_id} | patch | fields)


def changed(plan: Plan, number: int, priority: Any, notes: str | None) -> FollowupChanged:
    return FollowupChanged(
        **ABOUT,
        followup_id=plan.followups[number].followup_id,
        priority=priority,
        changed_at=at(0.5).now,
        personal=FollowupNotes(notes=notes),
    )


def paused(plan: Plan, days: float = 0.5) -> Plan:
    return folded(plan, pause(plan, PAUSE, at(days)))


def test_a_change_of_all_is_one_commit_and_says_the_whole_afterwards() -> None:
    plan = planned()
    order = changing(plan, 1, scheduled_for=NOON + 2 * DAY, priority="high", notes="Ring first.")
    events = change(plan, order, at(0.5))
    moved = FollowupRescheduled(
        **ABOUT,
        followup_id=plan.followups[1].followup_id,
        scheduled_for=NOON + 2 * DAY,
        rescheduled_at=at(0.5).now,
    )
    assert events == [moved, changed(plan, 1, "high", "Ring first.")]
    after = folded(plan, events)
    assert days_of(after) == [1, 2, 7, 14, 30]
    assert change(after, order, at(1)) == []


def test_what_a_change_leaves_out_stays_and_null_empties_the_notes() -> None:
    plan = planned()
    noted = change(plan, changing(plan, 1, notes="Ring first."), at(0.5))
    assert noted == [changed(plan, 1, "medium", "Ring first.")]
    plan = folded(plan, noted)
    urgent = change(plan, changing(plan, 1, priority="high"), at(0.5))
    assert urgent == [changed(plan, 1, "high", "Ring first.")]
    plan = folded(plan, urgent)
    assert change(plan, changing(plan, 1, notes=None), at(0.5)) == [changed(plan, 1, "high", None)]
    assert change(plan, changing(plan, 1, scheduled_for=None, priority=None), at(0.5)) == []
    assert change(plan, changing(plan, 1), at(0.5)) == []


def test_the_priority_that_was_planned_is_no_change_whatever_is_usual() -> None:
    followup = PlannedFollowup(
        followup_id=uuid4(), followup_type="Custom", scheduled_for=NOON, priority="low"
    )
    plan = evolve(None, FollowupsPlanned(**ABOUT, planned_at=NOON, followups=(followup,)))
    assert plan.followups[0].priority == "low"
    assert change(plan, changing(plan, 0, priority="low"), at(0)) == []
    assert change(planned(), changing(planned(), 0, priority="high"), at(0)) == []


@pytest.mark.parametrize(
    ("field", "value"), [("scheduled_for", NOON + 40 * DAY), ("priority", "low")]
)
@pytest.mark.parametrize(("number", "status"), [(0, "due"), (1, "cancelled")])
def test_of_what_is_not_pending_only_the_notes_change(
    number: int, status: str, field: str, value: object
) -> None:
    plan = folded(planned(), due_at(planned(), 1))
    plan = folded(plan, cancel_all(plan, CANCEL, at(1)))
    order = changing(plan, number, notes="Met.", **{field: value})
    with pytest.raises(Refused, match=status) as refusal:
        change(plan, order, at(2))
    assert (refusal.value.kind, refusal.value.field) == ("conflict", field)
    same = plan.followups[number]
    order = changing(
        plan, number, scheduled_for=same.scheduled_for, priority=same.priority, notes="Met."
    )
    after = folded(plan, change(plan, order, at(2)))
    assert (after.followups[number].notes, after.followups[number].status) == ("Met.", status)


@pytest.mark.parametrize("wrong", [{"agent_id": uuid4()}, {"followup_id": uuid4()}])
def test_a_followup_that_is_not_there_or_not_the_agent_s_is_not_found(wrong: Any) -> None:
    plan = planned()
    for known in (plan, None):
        with pytest.raises(Refused, match="follow-up not found") as refusal:
            change(known, changing(plan, 0, notes="x", **wrong), at(0))
        assert refusal.value.kind == "not_found"


def test_while_a_plan_is_paused_nothing_falls_due_whatever_is_moved() -> None:
    [event] = pause(planned(), PAUSE, at(0.5))
    assert event == PlanPaused(**ABOUT, paused_at=at(0.5).now)
    plan = folded(planned(), [event])
    assert (plan.due_at, plan.paused_at) == (None, at(0.5).now)
    order = RescheduleFollowup(
        **ABOUT, followup_id=plan.followups[0].followup_id, scheduled_for=NOON + 0.7 * DAY
    )
    for events in (
        reschedule(plan, order, at(0.6)),
        change(plan, changing(plan, 1, scheduled_for=NOON + 0.8 * DAY), at(0.6)),
    ):
        plan = folded(plan, events)
        assert plan.due_at is None
    assert days_of(plan) == [0.7, 0.8, 7, 14, 30]
    with pytest.raises(Refused, match="paused"):
        due_at(plan, 20)


def test_after_a_pause_the_earliest_goes_and_the_others_move_on_day_by_day() -> None:
    plan = paused(planned())
    [event] = resume(plan, RESUME, at(20))
    assert event == PlanResumed(**ABOUT, resumed_at=at(20).now)
    plan = folded(plan, [event])
    assert (plan.due_at, plan.paused_at) == (NOON + DAY, None)
    events = due_at(plan, 20)
    assert [type(e) for e in events] == [FollowupDue, *[FollowupRescheduled] * 3]
    assert days_of(folded(plan, events)) == [21, 22, 23, 30]


def test_a_pause_of_what_is_paused_or_over_is_refused_and_so_is_the_end_of_none() -> None:
    over = folded(planned(), cancel_all(planned(), CANCEL, at(0)))
    refused: list[tuple[Any, Plan, Any, str]] = [
        (pause, paused(planned()), PAUSE, "already paused"),
        (pause, over, PAUSE, "no pending follow-up"),
        (resume, planned(), RESUME, "not paused"),
        (cancel_all, over, CANCEL, "no follow-up that can be cancelled"),
    ]
    for decide, plan, order, why in refused:
        with pytest.raises(Refused, match=why) as refusal:
            decide(plan, order, at(1))
        assert refusal.value.kind == "conflict"


@pytest.mark.parametrize(
    ("decide", "order"), [(pause, PAUSE), (resume, RESUME), (cancel_all, CANCEL)]
)
def test_a_plan_that_is_not_there_or_not_the_agent_s_is_not_found(decide: Any, order: Any) -> None:
    other = order.model_copy(update={"agent_id": uuid4()})
    for plan, command in ((None, order), (planned(), other), (paused(planned()), other)):
        with pytest.raises(Refused, match="plan not found") as refusal:
            decide(plan, command, at(1))
        assert refusal.value.kind == "not_found"


@pytest.mark.parametrize("stopped", [False, True])
def test_all_that_is_pending_is_cancelled_paused_or_not(stopped: bool) -> None:
    plan = folded(planned(), due_at(planned(), 1))
    plan = paused(plan, 1.5) if stopped else plan
    events = cancel_all(plan, CANCEL, at(2))
    assert [e.reason for e in events if isinstance(e, FollowupCancelled)] == ["by_agent"] * 4
    after = folded(plan, events)
    assert [f.status for f in after.followups] == ["due", *["cancelled"] * 4]
    assert after.due_at is None


def test_a_deleted_client_s_plan_ends_paused_or_not_and_never_wakes() -> None:
    gone = ClientDeleted(agent_id=AGENT, client_id=CLIENT, deleted_at=NOON)
    plan = paused(planned())
    plan = folded(plan, cancel_on_deletion(plan, gone, at(1)))
    assert plan.pending == []
    assert plan.due_at is None
    assert folded(plan, resume(plan, RESUME, at(2))).due_at is None


def test_an_unchanged_plan_is_stored_as_it_was_before_plans_could_be_changed() -> None:
    def stored(plan: Plan) -> Any:
        document = PLANS.document.model_construct(id=CLIENT, version=1, correlation=CLIENT)
        return to_raw(document.model_copy(update={"state": plan}))["state"]

    plan = planned()
    fields = {"followup_id", "followup_type", "scheduled_for", "status"}
    assert all(followup.keys() == fields for followup in stored(plan)["followups"])
    assert "paused_at" not in stored(folded(paused(plan), resume(paused(plan), RESUME, at(1))))
    order = changing(plan, 0, priority="low", notes="Ring first.")
    after = folded(plan, change(plan, order, at(0)))
    assert Plan.model_validate(stored(after)) == after
