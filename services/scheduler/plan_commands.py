"""What an agent's commands do to a client's plan: change follow-ups, pause, cancel."""

from uuid import UUID

from chassis.domain.errors import Refused
from chassis.domain.state import Given
from contracts.scheduler import (
    CancelFollowup,
    CancelPlan,
    ChangeFollowup,
    FollowupChanged,
    FollowupEvent,
    FollowupNotes,
    PausePlan,
    PlanPaused,
    PlanResumed,
    RescheduleFollowup,
    ResumePlan,
)
from services.scheduler.plan import Followup, Plan, rescheduled
from services.scheduler.plan_cancellations import cancelled


def reschedule(plan: Plan | None, command: RescheduleFollowup, given: Given) -> list[FollowupEvent]:
    """Reschedule a pending follow-up. Refuses any other."""
    known, followup = _pending_followup(plan, command.agent_id, command.followup_id)
    if followup.scheduled_for == command.scheduled_for:
        return []
    return [rescheduled(known, followup, command.scheduled_for, given.now)]


def change(plan: Plan | None, command: ChangeFollowup, given: Given) -> list[FollowupEvent]:
    """Change date, priority and notes; date and priority only while the follow-up is pending."""
    known, followup = _owned_followup(plan, command.agent_id, command.followup_id)
    date = command.scheduled_for or followup.scheduled_for
    priority = command.priority or followup.priority
    notes = command.personal.model_dump().get("notes", followup.notes)
    events: list[FollowupEvent] = []
    if date != followup.scheduled_for:
        _require_pending(followup, "scheduled_for")
        events.append(rescheduled(known, followup, date, given.now))
    if priority != followup.priority:
        _require_pending(followup, "priority")
    if (priority, notes) != (followup.priority, followup.notes):
        events.append(
            FollowupChanged.of(
                command,
                priority=priority,
                changed_at=given.now,
                personal=FollowupNotes(notes=notes),
            )
        )
    return events


def cancel(plan: Plan | None, command: CancelFollowup, given: Given) -> list[FollowupEvent]:
    """Cancel a follow-up that is pending, or due. Refuses one that was cancelled."""
    known, followup = _owned_followup(plan, command.agent_id, command.followup_id)
    if followup not in known.stoppable:
        raise Refused("the follow-up is already cancelled")
    return cancelled(known, [followup], "by_agent", given.now)


def pause(plan: Plan | None, command: PausePlan, given: Given) -> list[FollowupEvent]:
    """Pause the plan. Refuses one that is paused or has no pending follow-up."""
    known = _owned_plan(plan, command.agent_id)
    if known.paused_at:
        raise Refused("the plan is already paused")
    _require_pending_followups(known)
    return [PlanPaused.of(command, paused_at=given.now)]


def resume(plan: Plan | None, command: ResumePlan, given: Given) -> list[FollowupEvent]:
    """Resume the plan. Refuses one that is not paused."""
    if not _owned_plan(plan, command.agent_id).paused_at:
        raise Refused("the plan is not paused")
    return [PlanResumed.of(command, resumed_at=given.now)]


def cancel_all(plan: Plan | None, command: CancelPlan, given: Given) -> list[FollowupEvent]:
    """Cancel all follow-ups that are pending, or due. Refuses a plan that has none."""
    known = _owned_plan(plan, command.agent_id)
    if not known.stoppable:
        raise Refused("the plan has no follow-up that can be cancelled")
    return cancelled(known, known.stoppable, "by_agent", given.now)


def _owned_plan(plan: Plan | None, agent_id: UUID) -> Plan:
    if plan is None or plan.agent_id != agent_id:
        raise Refused("plan not found", kind="not_found")
    return plan


def _owned_followup(plan: Plan | None, agent_id: UUID, followup_id: UUID) -> tuple[Plan, Followup]:
    known = {f.followup_id: f for f in plan.followups} if plan else {}
    if plan is None or plan.agent_id != agent_id or followup_id not in known:
        raise Refused("follow-up not found", kind="not_found")
    return plan, known[followup_id]


def _pending_followup(
    plan: Plan | None, agent_id: UUID, followup_id: UUID
) -> tuple[Plan, Followup]:
    known, followup = _owned_followup(plan, agent_id, followup_id)
    _require_pending(followup)
    return known, followup


def _require_pending(followup: Followup, field: str | None = None) -> None:
    if followup.status != "pending":
        raise Refused(
            f"only a pending follow-up can be changed; this one is {followup.status}", field=field
        )


def _require_pending_followups(plan: Plan) -> None:
    if not plan.pending:
        raise Refused("the plan has no pending follow-up")
