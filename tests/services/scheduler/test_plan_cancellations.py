"""What is added while the client becomes closed or lost is cancelled, but not too soon."""

from datetime import timedelta

import pytest

from chassis.domain.errors import Refused, TryLater
from chassis.domain.state import Given
from contracts.crm import Stage
from contracts.scheduler import FollowupCancelled
from services.scheduler.plan_cancellations import STAGE_IS_READ_WITHIN, cancel_added
from tests.services.scheduler.sample_plans import CLIENT, folded, planned

MOMENT = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("stage", "reason"), [("closed", "client_closed"), ("lost", "client_lost")]
)
def test_clientupdated_has_its_time_and_then_the_plan_is_cancelled(
    stage: Stage, reason: str
) -> None:
    plan = planned()
    assert plan.due_at
    read = plan.due_at + STAGE_IS_READ_WITHIN
    with pytest.raises(TryLater, match="about to cancel the plan, or to change"):
        cancel_added(plan, Given(read - MOMENT, CLIENT), stage=stage)
    events = cancel_added(plan, Given(read, CLIENT), stage=stage)
    assert [e.reason for e in events if isinstance(e, FollowupCancelled)] == [reason] * 5
    after = folded(plan, events)
    assert after.due_at is None
    with pytest.raises(Refused, match="cancelled already"):
        cancel_added(after, Given(read, CLIENT), stage=stage)
