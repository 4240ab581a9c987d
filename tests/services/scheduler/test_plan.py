"""A client's plan: history in, facts out."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.domain.errors import Refused
from chassis.domain.sending_hours import Calendar
from contracts.crm import ClientDeleted, ClientReassigned, ClientUpdated, Stage
from contracts.scheduler import (
    CancelFollowup,
    DueFollowupCancelled,
    FollowupCancelled,
    FollowupDue,
    FollowupReassigned,
    FollowupRescheduled,
    FollowupsPlanned,
    PlanDeleted,
    RescheduleFollowup,
)
from services.scheduler.plan import Plan, reassign
from services.scheduler.plan_additions import plan_followups
from services.scheduler.plan_cancellations import cancel_on_deletion, cancel_on_stage
from services.scheduler.plan_commands import cancel, reschedule
from tests.services.scheduler.sample_plans import (
    AGENT,
    CALENDAR,
    CLIENT,
    DAY,
    KNOWN,
    MARIA,
    NOON,
    at,
    created,
    days_of,
    due_at,
    folded,
    planned,
)


def updated(stage: Stage) -> ClientUpdated:
    return ClientUpdated(
        agent_id=AGENT,
        client_id=CLIENT,
        stage=stage,
        property_type="land",
        created_at=NOON,
        updated_at=NOON,
        personal=MARIA,
    )


def move(plan: Plan, number: int, days: float, **fields: Any) -> RescheduleFollowup:
    plain = {"agent_id": AGENT, "client_id": CLIENT, "scheduled_for": NOON + days * DAY}
    return RescheduleFollowup(
        **plain | {"followup_id": plan.followups[number].followup_id} | fields
    )


def drop(plan: Plan, number: int, **fields: Any) -> CancelFollowup:
    plain = {"agent_id": AGENT, "client_id": CLIENT}
    return CancelFollowup(**plain | {"followup_id": plan.followups[number].followup_id} | fields)


def test_five_followups_are_planned_from_the_creation_of_the_client() -> None:
    [event] = plan_followups(None, created(), at(0.5), calendar=CALENDAR)
    assert isinstance(event, FollowupsPlanned)
    assert event.planned_at == at(0.5).now
    assert [
        ((f.scheduled_for - NOON) / DAY, f.followup_type, f.priority) for f in event.followups
    ] == [
        (1, "Day 1", "high"),
        (3, "Day 3", "medium"),
        (7, "Week 1", "medium"),
        (14, "Week 2", "low"),
        (30, "Month 1", "low"),
    ]
    assert folded(None, [event]).due_at == NOON + DAY


def test_a_day_of_the_plan_lasts_as_long_as_the_setting_says() -> None:
    [event] = plan_followups(None, created(), at(0), calendar=Calendar(timedelta(seconds=2)))
    assert isinstance(event, FollowupsPlanned)
    assert event.followups[-1].scheduled_for == NOON + timedelta(seconds=60)


def test_the_same_message_plans_the_same_ids() -> None:
    first, again = (plan_followups(None, created(), at(0), calendar=CALENDAR) for _ in range(2))
    assert first == again
    [event] = first
    assert isinstance(event, FollowupsPlanned)
    assert len({f.followup_id for f in event.followups}) == 5


def test_a_client_who_had_said_no_before_gets_no_plan() -> None:
    client = created().model_copy(update={"opted_out": True})
    assert plan_followups(None, client, at(0), calendar=CALENDAR) == []


@pytest.mark.parametrize("stage", ["closed", "lost"])
def test_a_client_who_comes_in_closed_or_lost_gets_no_plan(stage: Stage) -> None:
    assert plan_followups(None, created(stage=stage), at(0), calendar=CALENDAR) == []


def test_a_client_has_one_plan() -> None:
    with pytest.raises(Refused, match="already"):
        plan_followups(planned(), created(), at(0), calendar=CALENDAR)


def test_the_earliest_falls_due_and_carries_what_composing_needs() -> None:
    plan = planned()
    [event] = due_at(plan, 1)
    assert event == FollowupDue(
        agent_id=AGENT,
        client_id=CLIENT,
        followup_id=plan.followups[0].followup_id,
        followup_type="Day 1",
        scheduled_for=NOON + DAY,
        due_at=NOON + DAY,
        stage="lead",
        property_type="land",
        personal=KNOWN.recipient,
    )
    after = folded(plan, [event])
    assert days_of(after) == [3, 7, 14, 30]
    assert after.due_at == NOON + 3 * DAY


def test_nothing_falls_due_before_its_date() -> None:
    with pytest.raises(Refused, match="no follow-up is due"):
        due_at(planned(), 0.999)


def test_after_an_outage_the_earliest_goes_and_the_others_move_on_day_by_day() -> None:
    plan = planned()
    events = due_at(plan, 20)
    assert [type(e) for e in events] == [FollowupDue, *[FollowupRescheduled] * 3]
    plan = folded(plan, events)
    assert days_of(plan) == [21, 22, 23, 30]
    assert plan.due_at == NOON + 21 * DAY


def test_a_followup_moved_too_close_to_the_last_one_moves_on_instead_of_falling_due() -> None:
    plan = folded(planned(), due_at(planned(), 1))
    plan = folded(plan, reschedule(plan, move(plan, 1, 1.5), at(1.2)))
    events = due_at(plan, 1.5)
    assert [type(e) for e in events] == [FollowupRescheduled]
    assert days_of(folded(plan, events)) == [2, 7, 14, 30]


def test_when_all_have_gone_nothing_is_due_any_more() -> None:
    plan = planned()
    for days in (1, 3, 7, 14, 30):
        plan = folded(plan, due_at(plan, days))
    assert plan.due_at is None
    with pytest.raises(Refused, match="no follow-up is due"):
        due_at(plan, 31)


def test_a_pending_followup_is_moved_and_the_plan_wakes_for_the_earliest() -> None:
    plan = planned()
    [event] = reschedule(plan, move(plan, 4, 0.5), at(0.1))
    assert event == FollowupRescheduled(
        agent_id=AGENT,
        client_id=CLIENT,
        followup_id=plan.followups[4].followup_id,
        scheduled_for=NOON + 0.5 * DAY,
        rescheduled_at=at(0.1).now,
    )
    plan = folded(plan, [event])
    assert plan.due_at == NOON + 0.5 * DAY
    assert days_of(plan) == [0.5, 1, 3, 7, 14]


def test_moving_a_followup_to_where_it_is_is_no_event() -> None:
    assert reschedule(planned(), move(planned(), 1, 3), at(0)) == []


def test_a_cancelled_followup_never_falls_due() -> None:
    plan = planned()
    [event] = cancel(plan, drop(plan, 0), at(0))
    assert isinstance(event, FollowupCancelled)
    assert event.reason == "by_agent"
    plan = folded(plan, [event])
    assert plan.due_at == NOON + 3 * DAY
    with pytest.raises(Refused):
        due_at(plan, 1)
    assert days_of(folded(plan, due_at(plan, 3))) == [7, 14, 30]


@pytest.mark.parametrize(
    ("stage", "reason"), [("closed", "client_closed"), ("lost", "client_lost")]
)
def test_a_client_who_becomes_closed_or_lost_gets_no_more(stage: Stage, reason: str) -> None:
    plan = folded(planned(), due_at(planned(), 1))
    events = cancel_on_stage(plan, updated(stage), at(2))
    assert {e.reason for e in events if isinstance(e, FollowupCancelled)} == {reason}
    after = folded(plan, events)
    assert after.due_at is None
    assert [f.status for f in after.followups] == ["due", *["cancelled"] * 4]
    assert cancel_on_stage(after, updated(stage), at(3)) == []


@pytest.mark.parametrize("stage", ["lead", "negotiating", "under_contract"])
def test_other_stages_leave_the_plan_alone(stage: Stage) -> None:
    assert cancel_on_stage(planned(), updated(stage), at(2)) == []
    assert cancel_on_stage(None, updated("lost"), at(2)) == []


def test_a_deleted_client_gets_no_more() -> None:
    gone = ClientDeleted(agent_id=AGENT, client_id=CLIENT, deleted_at=NOON)
    events = cancel_on_deletion(planned(), gone, at(2))
    assert [e.reason for e in events if isinstance(e, FollowupCancelled)] == ["client_deleted"] * 5
    assert folded(planned(), events).due_at is None
    assert cancel_on_deletion(None, gone, at(2)) == []


def test_a_deletion_names_all_follow_ups_also_those_that_ended_before() -> None:
    plan = folded(planned(), due_at(planned(), 1))
    plan = folded(plan, cancel_on_stage(plan, updated("lost"), at(2)))
    gone = ClientDeleted(agent_id=AGENT, client_id=CLIENT, deleted_at=NOON)
    [told] = cancel_on_deletion(plan, gone, at(3))
    assert isinstance(told, PlanDeleted)
    assert [f.was_due for f in told.followups] == [True, *[False] * 4]
    assert folded(plan, [told]) == plan.model_copy(update={"deleted": True})


@pytest.mark.parametrize("wrong", [{"agent_id": uuid4()}, {"followup_id": uuid4()}])
def test_what_is_not_there_or_not_the_agent_s_is_not_found(wrong: dict[str, Any]) -> None:
    plan = planned()
    with pytest.raises(Refused, match="follow-up not found") as refusal:
        reschedule(plan, move(plan, 0, 2, **wrong), at(0))
    assert refusal.value.kind == "not_found"
    with pytest.raises(Refused, match="follow-up not found") as refusal:
        cancel(plan, drop(plan, 0, **wrong), at(0))
    assert refusal.value.kind == "not_found"


def test_a_client_without_a_plan_has_no_followup_to_cancel() -> None:
    with pytest.raises(Refused, match="follow-up not found"):
        cancel(None, drop(planned(), 0), at(0))


def test_what_is_due_or_cancelled_cannot_be_moved() -> None:
    plan = folded(planned(), due_at(planned(), 1))
    plan = folded(plan, cancel(plan, drop(plan, 1), at(1)))
    for number, status in ((0, "due"), (1, "cancelled")):
        with pytest.raises(Refused, match=status):
            reschedule(plan, move(plan, number, 40), at(2))


def test_what_is_due_can_be_cancelled_once_and_stays_due() -> None:
    plan = folded(planned(), due_at(planned(), 1))
    [event] = cancel(plan, drop(plan, 0), at(1))
    assert isinstance(event, DueFollowupCancelled)
    assert (event.followup_id, event.reason) == (plan.followups[0].followup_id, "by_agent")
    plan = folded(plan, [event, *cancel(plan, drop(plan, 1), at(1))])
    # It may have been sent before: the other agent of a reassigned client has to know.
    assert plan.followups[0].status == "due"
    for number in (0, 1):
        with pytest.raises(Refused, match="already cancelled"):
            cancel(plan, drop(plan, number), at(2))


def reassigned(plan: Plan, former: UUID, to: UUID) -> Plan:
    event = ClientReassigned(
        agent_id=to, client_id=CLIENT, former_agent_id=former, reassigned_at=NOON
    )
    return folded(plan, reassign(plan, event, at(2)))


def test_the_plan_of_a_reassigned_client_goes_on_and_remembers_the_former_agents() -> None:
    ben, cleo = uuid4(), uuid4()
    plan = folded(planned(), due_at(planned(), 1))
    moved = reassigned(plan, AGENT, ben)
    assert (moved.agent_id, moved.former_agents) == (ben, (AGENT,))
    assert (moved.followups, moved.due_at) == (plan.followups, plan.due_at)
    moved = reassigned(reassigned(moved, ben, cleo), cleo, ben)
    [due] = [event for event in due_at(moved, 3) if isinstance(event, FollowupDue)]
    assert (due.agent_id, due.former_agents) == (ben, (AGENT, ben, cleo))


def test_each_followup_tells_whether_it_fell_due_under_the_former_agent() -> None:
    plan = folded(planned(), due_at(planned(), 1))
    event = ClientReassigned(
        agent_id=uuid4(), client_id=CLIENT, former_agent_id=AGENT, reassigned_at=NOON
    )
    events = reassign(plan, event, at(2))
    assert [e.was_due for e in events if isinstance(e, FollowupReassigned)] == [True, *[False] * 4]
    assert {e.agent_id for e in events} == {event.agent_id}
    assert reassign(None, event, at(2)) == []
