"""What adds follow-ups to a plan: the steps of a sequence, or one that the agent wants."""

from chassis.domain.errors import Refused
from chassis.domain.sending_hours import Calendar, first_zone
from chassis.domain.state import Given
from contracts.crm import NamedSequence
from contracts.scheduler import (
    AddFollowup,
    FollowupEvent,
    FollowupsAdded,
    PlannedFollowup,
    PlanResumed,
    StartPlan,
)
from contracts.sequences import NEW_LEAD
from services.scheduler.plan import Plan, of_steps

# A plan keeps what it has had: so many follow-ups fit into a document, and no client gets more.
MOST_FOLLOWUPS = 1_000


def start(
    plan: Plan | None, command: StartPlan, given: Given, *, calendar: Calendar
) -> list[FollowupEvent]:
    """Plan the steps of a sequence from now on. Refuses while a follow-up is pending."""
    _require_own(plan, command)
    if plan and plan.pending:
        raise Refused("the client has pending follow-ups: cancel them first, or let them be sent")
    steps, zone = (command.sequence or NEW_LEAD).steps, first_zone(command.time_zone)
    followups = of_steps(steps, given.now, given, calendar, zone)
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
    """Raise Refused for the plan of another agent. There may be none: the client came as lost."""
    if plan and plan.agent_id != command.agent_id:
        raise Refused("plan not found", kind="not_found")
