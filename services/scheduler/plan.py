"""A client's plan: which follow-ups there are and when each falls due."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal, assert_never
from uuid import UUID

from chassis.errors import Refused
from chassis.state import Given, State
from contracts.crm import ClientCreated, ClientDeleted, ClientUpdated, PropertyType, Stage
from contracts.message import Contract, Time
from contracts.scheduler import (
    CancelFollowup,
    CancelReason,
    FollowupCancelled,
    FollowupDue,
    FollowupEvent,
    FollowupRescheduled,
    FollowupsPlanned,
    FollowupType,
    PlannedFollowup,
    Priority,
    Recipient,
    RescheduleFollowup,
)

PLAN: tuple[tuple[int, FollowupType, Priority], ...] = (
    (1, "Day 1", "high"),
    (3, "Day 3", "medium"),
    (7, "Week 1", "medium"),
    (14, "Week 2", "low"),
    (30, "Month 1", "low"),
)
STOPS: dict[Stage, CancelReason] = {"closed": "client_closed", "lost": "client_lost"}


class Followup(Contract):
    """One follow-up of the plan."""

    followup_id: UUID
    followup_type: FollowupType
    scheduled_for: Time
    status: Literal["pending", "due", "cancelled"] = "pending"


class Plan(State):
    """The follow-ups of one client. `due_at` is the earliest pending date."""

    agent_id: UUID
    client_id: UUID
    followups: tuple[Followup, ...]
    last_due_at: Time | None = None

    @property
    def pending(self) -> list[Followup]:
        """What is still to come, in the order of the dates."""
        waiting = [f for f in self.followups if f.status == "pending"]
        return sorted(waiting, key=lambda f: f.scheduled_for)


class KnownClient(Contract):
    """What FollowupDue tells of the client, and of the agent who writes."""

    stage: Stage
    property_type: PropertyType
    recipient: Recipient


def evolve(plan: Plan | None, event: FollowupEvent) -> Plan:
    """Fold an event."""
    match event:
        case FollowupsPlanned():
            folded = Plan(
                agent_id=event.agent_id,
                client_id=event.client_id,
                followups=tuple(Followup.model_validate(f.model_dump()) for f in event.followups),
            )
        case FollowupDue():
            folded = _changed(plan, event.followup_id, status="due")
            folded = folded.model_copy(update={"last_due_at": event.due_at})
        case FollowupRescheduled():
            folded = _changed(plan, event.followup_id, scheduled_for=event.scheduled_for)
        case FollowupCancelled():
            folded = _changed(plan, event.followup_id, status="cancelled")
        case _:
            assert_never(event)
    dates = (f.scheduled_for for f in folded.followups if f.status == "pending")
    return folded.model_copy(update={"due_at": min(dates, default=None)})


def plan_followups(
    plan: Plan | None, client: ClientCreated, given: Given, *, day: timedelta
) -> list[FollowupEvent]:
    """Plan the five follow-ups from the time of ClientCreated; none for a closed or lost client."""
    if plan:
        raise Refused("this client has a plan already")
    if client.stage in STOPS:
        return []
    followups = tuple(
        PlannedFollowup(
            followup_id=given.id(f"followup {index}"),
            followup_type=kind,
            scheduled_for=client.created_at + days * day,
            priority=priority,
        )
        for index, (days, kind, priority) in enumerate(PLAN)
    )
    return [FollowupsPlanned.of(client, planned_at=given.now, followups=followups)]


def follow_stage(plan: Plan | None, client: ClientUpdated, given: Given) -> list[FollowupEvent]:
    """Cancel what is pending when the client has become closed or lost."""
    reason = STOPS.get(client.stage)
    return _cancel(plan, plan.pending, reason, given.now) if plan and reason else []


def end_plan(plan: Plan | None, client: ClientDeleted, given: Given) -> list[FollowupEvent]:
    """Cancel what is pending for a deleted client."""
    return _cancel(plan, plan.pending, "client_deleted", given.now) if plan else []


def reschedule(plan: Plan | None, command: RescheduleFollowup, given: Given) -> list[FollowupEvent]:
    """Move a pending follow-up. Refuses any other."""
    known, followup = _pending(plan, command.agent_id, command.followup_id)
    if followup.scheduled_for == command.scheduled_for:
        return []
    return [_moved(known, followup, command.scheduled_for, given.now)]


def cancel(plan: Plan | None, command: CancelFollowup, given: Given) -> list[FollowupEvent]:
    """Cancel a pending follow-up. Refuses any other."""
    known, followup = _pending(plan, command.agent_id, command.followup_id)
    return _cancel(known, [followup], "by_agent", given.now)


def fall_due(
    plan: Plan, given: Given, *, client: KnownClient, day: timedelta
) -> list[FollowupEvent]:
    """Let the earliest follow-up fall due, and keep a day between it and those after it.

    After an outage several dates have passed: the earliest goes, the others move on.
    """
    pending = plan.pending
    if not pending or pending[0].scheduled_for > given.now:
        raise Refused("no follow-up is due")
    events: list[FollowupEvent] = []
    latest = plan.last_due_at
    if latest is None or latest + day <= given.now:
        first, *pending = pending
        latest = given.now
        events.append(
            FollowupDue(
                agent_id=plan.agent_id,
                client_id=plan.client_id,
                followup_id=first.followup_id,
                followup_type=first.followup_type,
                scheduled_for=first.scheduled_for,
                due_at=given.now,
                stage=client.stage,
                property_type=client.property_type,
                personal=client.recipient,
            )
        )
    for followup in pending:
        latest += day
        if followup.scheduled_for >= latest:
            break
        events.append(_moved(plan, followup, latest, given.now))
    return events


def _changed(plan: Plan | None, followup_id: UUID, **changes: object) -> Plan:
    if plan is None:
        raise ValueError("a follow-up changes before it was planned")
    return plan.model_copy(
        update={
            "followups": tuple(
                f.model_copy(update=changes) if f.followup_id == followup_id else f
                for f in plan.followups
            )
        }
    )


def _pending(plan: Plan | None, agent_id: UUID, followup_id: UUID) -> tuple[Plan, Followup]:
    known = {f.followup_id: f for f in plan.followups} if plan else {}
    if plan is None or plan.agent_id != agent_id or followup_id not in known:
        raise Refused("no such follow-up", kind="not_found")
    followup = known[followup_id]
    if followup.status != "pending":
        raise Refused(f"the follow-up is {followup.status}")
    return plan, followup


def _moved(plan: Plan, followup: Followup, to: datetime, now: datetime) -> FollowupRescheduled:
    return FollowupRescheduled(
        agent_id=plan.agent_id,
        client_id=plan.client_id,
        followup_id=followup.followup_id,
        scheduled_for=to,
        rescheduled_at=now,
    )


def _cancel(
    plan: Plan, followups: Iterable[Followup], reason: CancelReason, now: datetime
) -> list[FollowupEvent]:
    return [
        FollowupCancelled(
            agent_id=plan.agent_id,
            client_id=plan.client_id,
            followup_id=f.followup_id,
            reason=reason,
            cancelled_at=now,
        )
        for f in followups
    ]
