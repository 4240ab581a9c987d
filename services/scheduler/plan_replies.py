"""What a client's reply does to the plan: it pauses, so that no letter crosses the conversation."""

from chassis.domain.errors import Refused
from chassis.domain.state import Given
from contracts.scheduler import ClientReplied, FollowupEvent, PlanPaused, RecordReply
from services.scheduler.plan import Plan

CLIENT_REPLIED = "client_replied"


def record_reply(plan: Plan | None, command: RecordReply, given: Given) -> list[FollowupEvent]:
    """Record the reply; pause a plan of which a follow-up is pending, or due.

    A client without a plan replies, too. Refuses a client of another agent.
    """
    if plan and plan.agent_id != command.agent_id:
        raise Refused("plan not found", kind="not_found")
    events: list[FollowupEvent] = [
        ClientReplied.of(command, replied_at=min(command.replied_at, given.now))
    ]
    if plan and plan.stoppable and not plan.paused_at:
        events.append(PlanPaused.of(command, paused_at=given.now, reason=CLIENT_REPLIED))
    return events
