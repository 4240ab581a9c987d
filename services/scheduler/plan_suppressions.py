"""What a suppressed address does to its client's plan: an opt-out ends it, a bounce pauses it."""

from chassis.domain.state import Given
from contracts.mailer import AddressSuppressed, SuppressionReleased
from contracts.scheduler import FollowupEvent, PlanPaused, PlanResumed
from services.scheduler.plan import Plan, cancelled

ADDRESS_BOUNCED = "address_bounced"


def stop_on_suppression(
    plan: Plan | None, suppressed: AddressSuppressed, given: Given
) -> list[FollowupEvent]:
    """Cancel the pending follow-ups of a client that opted out; pause them after a bounce."""
    if plan is None or not plan.pending:
        return []
    if suppressed.reason != "bounced":
        # Readers of 0.1.0 know no closer reason.
        return cancelled(plan, plan.pending, "client_lost", given.now, suppressed.reason)
    if plan.paused_at:
        return []
    return [
        PlanPaused(
            agent_id=plan.agent_id,
            client_id=plan.client_id,
            paused_at=given.now,
            reason=ADDRESS_BOUNCED,
        )
    ]


def resume_on_release(
    plan: Plan | None, released: SuppressionReleased, given: Given
) -> list[FollowupEvent]:
    """Resume a plan that a bounce has paused."""
    if plan is None or plan.pause_reason != ADDRESS_BOUNCED:
        return []
    return [PlanResumed(agent_id=plan.agent_id, client_id=plan.client_id, resumed_at=given.now)]
