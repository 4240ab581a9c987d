"""What ends follow-ups: pending ones are cancelled, due ones as well if it is not too late."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from chassis.domain.errors import Refused, TryLater
from chassis.domain.state import Given
from contracts.crm import ClientDeleted, ClientUpdated, Stage
from contracts.scheduler import (
    CancelReason,
    DeletedFollowup,
    DueFollowupCancelled,
    FollowupCancelled,
    FollowupEvent,
    PlanDeleted,
)
from services.scheduler.plan import Followup, Plan, ends_at

# So long after a follow-up's date.
STAGE_IS_READ_WITHIN = timedelta(seconds=10)


def cancel_on_stage(plan: Plan | None, client: ClientUpdated, given: Given) -> list[FollowupEvent]:
    """Cancel the follow-ups of a client that has become closed or lost, unless meant for that."""
    if plan is None or not (reason := ends_at(client.stage, plan.sequence)):
        return []
    return cancelled(plan, plan.stoppable, reason, given.now)


def cancel_on_deletion(
    plan: Plan | None, client: ClientDeleted, given: Given
) -> list[FollowupEvent]:
    """Cancel the follow-ups of a deleted client, and tell readers to drop the texts of all."""
    return _deleted(plan, given.now) if plan else []


def cancel_added(plan: Plan, given: Given, *, stage: Stage | None) -> list[FollowupEvent]:
    """Cancel what was added while the client became closed or lost, or was deleted (None).

    Raises TryLater while ClientUpdated may still come, and cancel it or change the stage.
    """
    if not plan.stoppable:
        raise Refused("the plan is cancelled already")
    if stage is None:
        return _deleted(plan, given.now)
    if not (reason := ends_at(stage, plan.sequence)):
        raise Refused("the plan is meant for this stage")
    if plan.due_at is None or given.now < plan.due_at + STAGE_IS_READ_WITHIN:
        raise TryLater("the client's stage is about to cancel the plan, or to change")
    return cancelled(plan, plan.stoppable, reason, given.now)


def _deleted(plan: Plan, now: datetime) -> list[FollowupEvent]:
    followups = tuple(
        DeletedFollowup(followup_id=f.followup_id, was_due=f.status == "due")
        for f in plan.followups
    )
    deleted = PlanDeleted(
        agent_id=plan.agent_id, client_id=plan.client_id, followups=followups, deleted_at=now
    )
    return [*cancelled(plan, plan.stoppable, "client_deleted", now), deleted]


def cancelled(
    plan: Plan,
    followups: Iterable[Followup],
    reason: CancelReason,
    now: datetime,
    detail: str | None = None,
) -> list[FollowupEvent]:
    """Return the events that cancel these follow-ups, each pending or due."""
    events: list[FollowupEvent] = []
    for followup in followups:
        about: dict[str, Any] = {
            "agent_id": plan.agent_id,
            "client_id": plan.client_id,
            "followup_id": followup.followup_id,
            "cancelled_at": now,
        }
        if followup.status == "pending":
            events.append(FollowupCancelled(**about, reason=reason, detail=detail))
        else:
            events.append(DueFollowupCancelled(**about, reason=detail or reason))
    return events
