"""A client's plan: which follow-ups there are and when each falls due."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal, assert_never
from uuid import UUID

from chassis.domain.errors import Refused
from chassis.domain.state import Given, Sparse, State
from contracts.crm import ClientCreated, ClientDeleted, ClientUpdated, PropertyType, Stage
from contracts.message import Contract, Time
from contracts.scheduler import (
    CancelReason,
    FollowupCancelled,
    FollowupChanged,
    FollowupDue,
    FollowupEvent,
    FollowupRescheduled,
    FollowupsPlanned,
    FollowupType,
    PlannedFollowup,
    PlanPaused,
    PlanResumed,
    Priority,
    Recipient,
)

PLAN: tuple[tuple[int, FollowupType, Priority], ...] = (
    (1, "Day 1", "high"),
    (3, "Day 3", "medium"),
    (7, "Week 1", "medium"),
    (14, "Week 2", "low"),
    (30, "Month 1", "low"),
)
# Stored plans leave these out. After a change of one, what was stored before needs a replay.
USUAL: dict[FollowupType, Priority] = {kind: priority for _, kind, priority in PLAN}
STOPS: dict[Stage, CancelReason] = {"closed": "client_closed", "lost": "client_lost"}


class Followup(Contract, Sparse):
    """One follow-up of the plan. `own_priority` is None while it has its type's USUAL one."""

    followup_id: UUID
    followup_type: FollowupType
    scheduled_for: Time
    status: Literal["pending", "due", "cancelled"] = "pending"
    own_priority: Priority | None = None
    notes: str | None = None

    @property
    def priority(self) -> Priority:
        """The priority that was planned, or that the agent gave it since."""
        return self.own_priority or USUAL[self.followup_type]


class Plan(State):
    """The follow-ups of one client. `due_at` is the earliest pending date, unless it is paused."""

    agent_id: UUID
    client_id: UUID
    followups: tuple[Followup, ...]
    last_due_at: Time | None = None
    paused_at: Time | None = None

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
                followups=tuple(_planned(followup) for followup in event.followups),
            )
        case FollowupDue():
            folded = _changed(plan, event.followup_id, status="due")
            folded = folded.model_copy(update={"last_due_at": event.due_at})
        case FollowupRescheduled():
            folded = _changed(plan, event.followup_id, scheduled_for=event.scheduled_for)
        case FollowupCancelled():
            folded = _changed(plan, event.followup_id, status="cancelled")
        case FollowupChanged():
            own, notes = event.priority, event.personal.notes
            folded = _changed(plan, event.followup_id, own_priority=own, notes=notes)
        case PlanPaused():
            folded = _known(plan).model_copy(update={"paused_at": event.paused_at})
        case PlanResumed():
            folded = _known(plan).model_copy(update={"paused_at": None})
        case _:
            assert_never(event)
    dates = (f.scheduled_for for f in folded.followups if f.status == "pending")
    due_at = None if folded.paused_at else min(dates, default=None)
    return folded.model_copy(update={"due_at": due_at})


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
    return cancelled(plan, plan.pending, reason, given.now) if plan and reason else []


def end_plan(plan: Plan | None, client: ClientDeleted, given: Given) -> list[FollowupEvent]:
    """Cancel what is pending for a deleted client."""
    return cancelled(plan, plan.pending, "client_deleted", given.now) if plan else []


def fall_due(
    plan: Plan, given: Given, *, client: KnownClient, day: timedelta
) -> list[FollowupEvent]:
    """Let the earliest follow-up fall due, and keep a day between it and those after it.

    After an outage several dates have passed: the earliest goes, the others move on.
    """
    if plan.paused_at:
        raise Refused("the plan is paused")
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
        events.append(moved(plan, followup, latest, given.now))
    return events


def moved(plan: Plan, followup: Followup, to: datetime, now: datetime) -> FollowupRescheduled:
    """Tell that a follow-up has another date."""
    return FollowupRescheduled(
        agent_id=plan.agent_id,
        client_id=plan.client_id,
        followup_id=followup.followup_id,
        scheduled_for=to,
        rescheduled_at=now,
    )


def cancelled(
    plan: Plan, followups: Iterable[Followup], reason: CancelReason, now: datetime
) -> list[FollowupEvent]:
    """Tell that these follow-ups will not be sent."""
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


def _planned(followup: PlannedFollowup) -> Followup:
    usual = USUAL.get(followup.followup_type) == followup.priority
    return Followup(
        followup_id=followup.followup_id,
        followup_type=followup.followup_type,
        scheduled_for=followup.scheduled_for,
        own_priority=None if usual else followup.priority,
    )


def _known(plan: Plan | None) -> Plan:
    if plan is None:
        raise ValueError("a plan changes before it was made")
    return plan


def _changed(plan: Plan | None, followup_id: UUID, **changes: object) -> Plan:
    known = _known(plan)
    followups = tuple(
        f.model_copy(update=changes) if f.followup_id == followup_id else f for f in known.followups
    )
    return known.model_copy(update={"followups": followups})
