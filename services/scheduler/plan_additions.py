"""What adds follow-ups to a plan: the steps of a sequence, or one that the agent wants."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from chassis.domain.errors import Refused
from chassis.domain.sending_hours import Calendar, first_zone
from chassis.domain.state import Given
from contracts.crm import ClientCreated, NamedSequence
from contracts.message import to_milliseconds
from contracts.scheduler import (
    AddFollowup,
    FollowupEvent,
    FollowupsAdded,
    FollowupsPlanned,
    PlannedFollowup,
    PlanResumed,
    StartPlan,
)
from contracts.sequences import NEW_LEAD
from contracts.steps import Step
from services.scheduler.plan import TYPES, Plan, ends_at

# A plan keeps what it has had: so many follow-ups fit into a document, and no client gets more.
MOST_FOLLOWUPS = 1_000


def plan_followups(
    plan: Plan | None, client: ClientCreated, given: Given, *, calendar: Calendar
) -> list[FollowupEvent]:
    """Plan the steps of the sequence from the time of ClientCreated.

    None for a client who has said no to emails, is lost, or closed without a sequence.
    """
    if plan:
        raise Refused("this client already has a plan")
    chosen = client.sequence
    if client.opted_out or ends_at(client.stage, chosen):
        return []
    zone = first_zone(client.personal.time_zone, client.agent_time_zone)
    steps = (chosen or NEW_LEAD).steps
    followups = _of_steps(steps, client.created_at, given, calendar, zone)
    if client.imported:
        followups = tuple(_spread(each, calendar) for each in followups)
    named = chosen and chosen.named
    planned = FollowupsPlanned.of(client, planned_at=given.now, followups=followups, sequence=named)
    return [planned]


def start(
    plan: Plan | None, command: StartPlan, given: Given, *, calendar: Calendar
) -> list[FollowupEvent]:
    """Plan the steps of a sequence from now on. Refuses while a follow-up is pending."""
    _require_own(plan, command)
    if plan and plan.pending:
        raise Refused("the client has pending follow-ups: cancel them first, or let them be sent")
    steps, zone = (command.sequence or NEW_LEAD).steps, first_zone(command.time_zone)
    followups = _of_steps(steps, given.now, given, calendar, zone)
    named = command.sequence and command.sequence.named
    return _added(plan, command, given, *followups, sequence=named)


def add(plan: Plan | None, command: AddFollowup, given: Given) -> list[FollowupEvent]:
    """Add one follow-up of type Custom."""
    _require_own(plan, command)
    followup = PlannedFollowup(
        followup_id=command.followup_id,
        followup_type="Custom",
        scheduled_for=command.scheduled_for,
        priority=command.priority,
    )
    return _added(plan, command, given, followup)


def _added(
    plan: Plan | None,
    command: StartPlan | AddFollowup,
    given: Given,
    *followups: PlannedFollowup,
    sequence: NamedSequence | None = None,
) -> list[FollowupEvent]:
    """Return the events; the pause of a plan in which nothing waits is over."""
    if plan and len(plan.followups) + len(followups) > MOST_FOLLOWUPS:
        raise Refused(f"the client has had {len(plan.followups)} follow-ups: no more can be added")
    added = FollowupsAdded.of(command, added_at=given.now, followups=followups, sequence=sequence)
    if plan and plan.paused_at and not plan.pending:
        return [added, PlanResumed.of(command, resumed_at=given.now)]
    return [added]


def _require_own(plan: Plan | None, command: StartPlan | AddFollowup) -> None:
    """Raise Refused for a plan of another agent or a deleted client.

    There may be none: the client came as lost.
    """
    if plan and (plan.deleted or plan.agent_id != command.agent_id):
        raise Refused("plan not found", kind="not_found")


def _of_steps(
    steps: Iterable[Step], start: datetime, given: Given, calendar: Calendar, zone: ZoneInfo | None
) -> tuple[PlannedFollowup, ...]:
    """Return the follow-ups of a sequence that begins then, in days of the zone."""
    return tuple(
        PlannedFollowup(
            followup_id=given.id(f"followup {index}"),
            followup_type=TYPES.get(step.name, "Custom"),
            scheduled_for=calendar.after(start, step.days, zone, years=step.years),
            priority=step.priority,
            step=None if step.name in TYPES else step.name,
            goal=step.goal,
        )
        for index, step in enumerate(steps)
    )


def _spread(followup: PlannedFollowup, calendar: Calendar) -> PlannedFollowup:
    # Earlier, for later would be after the hours of a client that came in shortly before their end.
    earlier = followup.scheduled_for - calendar.share(followup.followup_id)
    return followup.model_copy(update={"scheduled_for": to_milliseconds(earlier)})
