"""What a suppressed address does to its client's plan: an opt-out ends it, all else pauses it."""

from chassis.domain.state import Given
from contracts.mailer import AddressSuppressed, EmailWithheld, SuppressionReleased
from contracts.scheduler import FollowupEvent, PlanPaused, PlanResumed
from services.scheduler.plan import Plan
from services.scheduler.plan_cancellations import cancelled

ADDRESS_BOUNCED, ADDRESS_SUPPRESSED = "address_bounced", "address_suppressed"


def stop_on_suppression(
    plan: Plan | None, suppressed: AddressSuppressed, given: Given
) -> list[FollowupEvent]:
    """Cancel the follow-ups of a client that opted out; pause them after a bounce."""
    if plan is None:
        return []
    if suppressed.reason != "bounced":
        # Readers of 0.1.0 know no closer reason.
        return cancelled(plan, plan.stoppable, "client_lost", given.now, suppressed.reason)
    return _paused(plan, ADDRESS_BOUNCED, given)


def pause_on_withheld(
    plan: Plan | None, withheld: EmailWithheld, given: Given
) -> list[FollowupEvent]:
    """Pause the plan of a client whose address was suppressed before, or for another client.

    So no letters are written that would be withheld, too.
    """
    if plan is None or withheld.reason != "address_suppressed":
        return []
    return _paused(plan, ADDRESS_SUPPRESSED, given)


def resume_on_release(
    plan: Plan | None, released: SuppressionReleased, given: Given
) -> list[FollowupEvent]:
    """Resume a plan that was paused for its address."""
    if plan is None or plan.pause_reason not in (ADDRESS_BOUNCED, ADDRESS_SUPPRESSED):
        return []
    return [PlanResumed(agent_id=plan.agent_id, client_id=plan.client_id, resumed_at=given.now)]


def _paused(plan: Plan, reason: str, given: Given) -> list[FollowupEvent]:
    if plan.paused_at or not plan.pending:
        return []
    return [
        PlanPaused(
            agent_id=plan.agent_id,
            client_id=plan.client_id,
            paused_at=given.now,
            reason=reason,
        )
    ]
