"""What becomes of a plan when its client opts out, or the address bounces."""

from typing import Any
from uuid import uuid4

import pytest

from contracts.crm import ClientDeleted, ClientUpdated, Stage
from contracts.mailer import (
    AddressSuppressed,
    EmailWithheld,
    SuppressedAddress,
    SuppressionReason,
    SuppressionReleased,
    WithholdReason,
)
from contracts.scheduler import (
    CancelPlan,
    DueFollowupCancelled,
    FollowupCancelled,
    PausePlan,
    PlanDeleted,
    PlanPaused,
    PlanResumed,
)
from services.scheduler.plan_cancellations import cancel_on_deletion, cancel_on_stage
from services.scheduler.plan_commands import cancel_all, pause
from services.scheduler.plan_suppressions import (
    pause_on_withheld,
    resume_on_release,
    stop_on_suppression,
)
from tests.services.scheduler.sample_plans import (
    AGENT,
    CLIENT,
    MARIA,
    NOON,
    at,
    due_at,
    folded,
    planned,
)

FORMER: dict[str, Any] = {"agent_id": uuid4(), "suppression_id": uuid4()}
ABOUT: dict[str, Any] = {"agent_id": AGENT, "client_id": CLIENT}
RELEASED = SuppressionReleased(**FORMER, released_at=NOON, reported_client=CLIENT)


def updated(stage: Stage) -> ClientUpdated:
    return ClientUpdated(
        **ABOUT,
        stage=stage,
        property_type="residential",
        created_at=NOON,
        updated_at=NOON,
        personal=MARIA,
    )


def suppressed(reason: SuppressionReason) -> AddressSuppressed:
    """Return a suppression of a former agent of the client."""
    return AddressSuppressed(
        **FORMER,
        reason=reason,
        suppressed_at=NOON,
        reported_client=CLIENT,
        personal=SuppressedAddress(email="maria@mail.example"),
    )


@pytest.mark.parametrize("reason", ["unsubscribed", "spam_report"])
def test_an_opt_out_ends_the_plan(reason: SuppressionReason) -> None:
    plan = planned()
    events = stop_on_suppression(plan, suppressed(reason), at(1))
    assert {type(event) for event in events} == {FollowupCancelled}
    assert len(events) == len(plan.pending)
    for event in events:
        assert isinstance(event, FollowupCancelled)
        assert (event.agent_id, event.detail) == (AGENT, reason)
    after = folded(plan, events)
    assert (after.pending, after.due_at) == ([], None)
    assert stop_on_suppression(after, suppressed(reason), at(2)) == []


def test_what_ends_a_plan_also_ends_what_is_due() -> None:
    plan = folded(planned(), due_at(planned(), 1))
    ends = {
        "unsubscribed": stop_on_suppression(plan, suppressed("unsubscribed"), at(1)),
        "client_lost": cancel_on_stage(plan, updated("lost"), at(1)),
        "client_closed": cancel_on_stage(plan, updated("closed"), at(1)),
        "client_deleted": cancel_on_deletion(plan, ClientDeleted(**ABOUT, deleted_at=NOON), at(1)),
        "by_agent": cancel_all(plan, CancelPlan(**ABOUT), at(1)),
    }
    for reason, events in ends.items():
        ending = [e for e in events if not isinstance(e, PlanDeleted)]
        assert [type(e) for e in ending] == [*[FollowupCancelled] * 4, DueFollowupCancelled]
        [due] = [e for e in events if isinstance(e, DueFollowupCancelled)]
        assert (due.followup_id, due.reason) == (plan.followups[0].followup_id, reason)
        assert folded(plan, events).stoppable == []
    assert cancel_on_stage(plan, updated("negotiating"), at(1)) == []


def test_a_bounce_pauses_the_plan_until_the_address_is_released() -> None:
    plan = planned()
    [paused] = stop_on_suppression(plan, suppressed("bounced"), at(1))
    assert isinstance(paused, PlanPaused)
    assert (paused.agent_id, paused.reason) == (AGENT, "address_bounced")
    known = folded(plan, [paused])
    assert known.due_at is None
    assert stop_on_suppression(known, suppressed("bounced"), at(2)) == []
    # An opt-out ends also what is paused.
    assert len(stop_on_suppression(known, suppressed("unsubscribed"), at(2))) == len(plan.pending)
    [resumed] = resume_on_release(known, RELEASED, at(3))
    assert isinstance(resumed, PlanResumed)
    again = folded(plan, [paused, resumed])
    assert again == plan
    assert resume_on_release(again, RELEASED, at(4)) == []


def withheld(reason: WithholdReason) -> EmailWithheld:
    mail = {"followup_id": uuid4(), "email_id": uuid4()}
    return EmailWithheld(**ABOUT, **mail, reason=reason, withheld_at=NOON)


def test_a_withheld_email_pauses_the_plan_so_that_no_more_are_written() -> None:
    plan = planned()
    [paused] = pause_on_withheld(plan, withheld("address_suppressed"), at(1))
    assert isinstance(paused, PlanPaused)
    assert paused.reason == "address_suppressed"
    known = folded(plan, [paused])
    assert pause_on_withheld(known, withheld("address_suppressed"), at(2)) == []
    assert len(resume_on_release(known, RELEASED, at(3))) == 1
    assert pause_on_withheld(plan, withheld("client_deleted"), at(1)) == []
    assert pause_on_withheld(None, withheld("address_suppressed"), at(1)) == []


def test_what_the_agent_has_paused_is_not_resumed() -> None:
    plan = planned()
    paused = pause(plan, PausePlan(**ABOUT), at(1))
    known = folded(plan, paused)
    assert stop_on_suppression(known, suppressed("bounced"), at(2)) == []
    assert resume_on_release(known, RELEASED, at(3)) == []


def test_where_nothing_is_pending_nothing_happens() -> None:
    plan = planned()
    ended = folded(plan, cancel_all(plan, CancelPlan(**ABOUT), at(1)))
    for known in (None, ended):
        assert stop_on_suppression(known, suppressed("bounced"), at(2)) == []
        assert stop_on_suppression(known, suppressed("unsubscribed"), at(2)) == []
        assert resume_on_release(known, RELEASED, at(2)) == []
