"""A client's plan: its follow-ups and when each falls due."""

from datetime import datetime
from typing import Literal, assert_never, get_args
from uuid import UUID

from chassis.domain.errors import Refused
from chassis.domain.sending_hours import Calendar, SendingWindow
from chassis.domain.state import Given, Sparse, State
from contracts.crm import (
    ClientReassigned,
    NamedSequence,
    PropertyType,
    Stage,
)
from contracts.message import Contract, Time, added
from contracts.scheduler import (
    CancelReason,
    ClientReplied,
    DueFollowupCancelled,
    FollowupCancelled,
    FollowupChanged,
    FollowupDue,
    FollowupEvent,
    FollowupReassigned,
    FollowupRescheduled,
    FollowupsAdded,
    FollowupsPlanned,
    FollowupType,
    FormerAgents,
    PlanDeleted,
    PlannedFollowup,
    PlanPaused,
    PlanResumed,
    Recipient,
)
from contracts.sequences import NEW_LEAD
from contracts.steps import Priority

# The step that a name stands for; any other is Custom.
TYPES: dict[str, FollowupType] = {kind: kind for kind in get_args(FollowupType)}
# Stored plans leave these out: after a change there, plans stored before need a replay.
DEFAULT_PRIORITIES: dict[FollowupType, Priority] = {
    TYPES[step.name]: step.priority for step in NEW_LEAD.steps
}
CANCEL_REASONS: dict[Stage, CancelReason] = {"closed": "client_closed", "lost": "client_lost"}


class Followup(Contract, Sparse):
    """One follow-up of the plan. `own_priority` is None while it is its type's default.

    `due_cancelled`: it was cancelled when it was due already; it may have been sent all the same.
    """

    followup_id: UUID
    followup_type: FollowupType
    scheduled_for: Time
    status: Literal["pending", "due", "cancelled"] = "pending"
    own_priority: Priority | None = None
    notes: str | None = None
    instructions: str | None = None
    goal: str | None = None
    due_cancelled: bool | None = None

    @property
    def priority(self) -> Priority:
        """The priority as planned, or as the agent has changed it."""
        return self.own_priority or DEFAULT_PRIORITIES[self.followup_type]


class Plan(State):
    """The follow-ups of one client. `due_at` is the earliest pending date, unless it is paused.

    `pause_reason` is None while the agent has paused it. `sequence` is the last that was begun.
    `deleted`: the client was, and nothing more is added.
    """

    agent_id: UUID
    client_id: UUID
    followups: tuple[Followup, ...]
    last_due_at: Time | None = None
    former_agents: FormerAgents = None
    paused_at: Time | None = None
    pause_reason: str | None = None
    sequence: NamedSequence | None = added()
    deleted: Literal[True] | None = added()

    @property
    def pending(self) -> list[Followup]:
        """The pending follow-ups, earliest first."""
        pending = (f for f in self.followups if f.status == "pending")
        return sorted(pending, key=lambda f: f.scheduled_for)

    @property
    def stoppable(self) -> list[Followup]:
        """Those that are pending, the earliest first, then those due that were not cancelled."""
        return self.pending + [
            f for f in self.followups if f.status == "due" and not f.due_cancelled
        ]


class KnownClient(Contract):
    """The client and the agent as FollowupDue carries them."""

    stage: Stage
    property_type: PropertyType
    recipient: Recipient


def evolve(plan: Plan | None, event: FollowupEvent) -> Plan:
    """Fold an event."""
    known = _known(plan, event)
    match event:
        case FollowupsPlanned() | FollowupsAdded():
            folded = _with_added(known, event)
        case FollowupDue():
            folded = _changed(known, event.followup_id, status="due")
            folded = folded.model_copy(update={"last_due_at": event.due_at})
        case FollowupRescheduled():
            folded = _changed(known, event.followup_id, scheduled_for=event.scheduled_for)
        case FollowupCancelled():
            folded = _changed(known, event.followup_id, status="cancelled")
        case DueFollowupCancelled():
            folded = _changed(known, event.followup_id, due_cancelled=True)
        case FollowupChanged():
            own, notes = event.priority, event.personal.notes
            folded = _changed(known, event.followup_id, own_priority=own, notes=notes)
        case PlanPaused() | PlanResumed() | PlanDeleted():
            folded = known.model_copy(update=_of_the_plan(event))
        case ClientReplied():
            folded = known
        case FollowupReassigned():
            folded = _reassigned(known, event)
        case _:
            assert_never(event)
    dates = (f.scheduled_for for f in folded.followups if f.status == "pending")
    due_at = None if folded.paused_at else min(dates, default=None)
    return folded.model_copy(update={"due_at": due_at})


def ends_at(stage: Stage, sequence: NamedSequence | None) -> CancelReason | None:
    """Return why a client at this stage gets nothing more of the sequence, or None."""
    meant = sequence and stage in sequence.stages
    return None if meant else CANCEL_REASONS.get(stage)


def reassign(plan: Plan | None, client: ClientReassigned, given: Given) -> list[FollowupEvent]:
    """Move every follow-up of a reassigned client to the other agent."""
    return [
        FollowupReassigned.of(
            client,
            followup_id=f.followup_id,
            was_due=f.status == "due",
            reassigned_at=given.now,
        )
        for f in (plan.followups if plan else ())
    ]


def fall_due(
    plan: Plan, given: Given, *, client: KnownClient, calendar: Calendar, window: SendingWindow
) -> list[FollowupEvent]:
    """Let the earliest follow-up fall due, and keep a day between it and the next ones.

    Outside the window it is rescheduled to its turn after the next opening. When several dates have
    passed, as after an outage, the later ones are rescheduled.
    """
    if plan.paused_at:
        raise Refused("the plan is paused")
    pending = plan.pending
    if not pending or pending[0].scheduled_for > given.now:
        raise Refused("no follow-up is due")
    events: list[FollowupEvent] = []
    latest = plan.last_due_at
    if latest is None or calendar.after(latest, 1, window.zone) <= given.now:
        first, *pending = pending
        latest = window.turn(given.now, first.followup_id)
        is_open = latest == given.now
        events.append(
            _due(plan, first, client, given.now)
            if is_open
            else rescheduled(plan, first, latest, given.now)
        )
    for followup in pending:
        next_day = calendar.after(latest, 1, window.zone)
        if followup.scheduled_for >= next_day:
            break
        latest = window.turn(next_day, followup.followup_id)
        events.append(rescheduled(plan, followup, latest, given.now))
    return events


def _due(plan: Plan, followup: Followup, client: KnownClient, now: datetime) -> FollowupDue:
    said = {"instructions": followup.instructions, "goal": followup.goal}
    recipient = client.recipient.model_copy(update=said)
    return FollowupDue(
        agent_id=plan.agent_id,
        client_id=plan.client_id,
        followup_id=followup.followup_id,
        followup_type=followup.followup_type,
        scheduled_for=followup.scheduled_for,
        due_at=now,
        stage=client.stage,
        property_type=client.property_type,
        personal=recipient,
        former_agents=plan.former_agents,
    )


def rescheduled(plan: Plan, followup: Followup, to: datetime, now: datetime) -> FollowupRescheduled:
    """Return the event that gives a follow-up another date."""
    return FollowupRescheduled(
        agent_id=plan.agent_id,
        client_id=plan.client_id,
        followup_id=followup.followup_id,
        scheduled_for=to,
        rescheduled_at=now,
    )


def _planned(followup: PlannedFollowup) -> Followup:
    is_default = DEFAULT_PRIORITIES.get(followup.followup_type) == followup.priority
    return Followup(
        followup_id=followup.followup_id,
        followup_type=followup.followup_type,
        scheduled_for=followup.scheduled_for,
        own_priority=None if is_default else followup.priority,
        goal=followup.goal,
    )


def _with_added(plan: Plan, event: FollowupsPlanned | FollowupsAdded) -> Plan:
    more = [_planned(followup) for followup in event.followups]
    if isinstance(event, FollowupsAdded) and (said := event.personal.instructions):
        more = [followup.model_copy(update={"instructions": said}) for followup in more]
    begun = {"sequence": event.sequence} if event.sequence else {}
    return plan.model_copy(update={"followups": (*plan.followups, *more), **begun})


def _of_the_plan(event: PlanPaused | PlanResumed | PlanDeleted) -> dict[str, object]:
    match event:
        case PlanPaused():
            return {"paused_at": event.paused_at, "pause_reason": event.reason}
        case PlanResumed():
            return {"paused_at": None, "pause_reason": None}
        case PlanDeleted():
            return {"deleted": True}


def _reassigned(plan: Plan, event: FollowupReassigned) -> Plan:
    former = dict.fromkeys((*(plan.former_agents or ()), event.former_agent_id))
    return plan.model_copy(update={"agent_id": event.agent_id, "former_agents": tuple(former)})


def _known(plan: Plan | None, event: FollowupEvent) -> Plan:
    """Return the plan before the event, which may be its first."""
    if plan is None and not isinstance(event, FollowupsPlanned | FollowupsAdded | ClientReplied):
        raise ValueError("a plan changes before it was made")
    return plan or Plan(agent_id=event.agent_id, client_id=event.client_id, followups=())


def _changed(plan: Plan, followup_id: UUID, **changes: object) -> Plan:
    followups = tuple(
        f.model_copy(update=changes) if f.followup_id == followup_id else f for f in plan.followups
    )
    return plan.model_copy(update={"followups": followups})
