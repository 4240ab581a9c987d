"""Which message changes a client's plan, and by which decision."""

from collections.abc import Mapping
from operator import attrgetter
from uuid import UUID

from chassis.inbox.reactor import Reaction
from contracts import scheduler
from contracts.mailer import AddressSuppressed, SuppressionReleased
from contracts.message import Command
from services.scheduler import (
    plan,
    plan_additions,
    plan_cancellations,
    plan_commands,
    plan_replies,
    plan_suppressions,
)
from services.scheduler.documents import PLANS

of_client = attrgetter("client_id")


def _of_reported_client(event: AddressSuppressed | SuppressionReleased) -> UUID:
    # One that was told of no client is of no plan: no client has the id of a suppression.
    return event.reported_client or event.suppression_id


plan_followups = Reaction(PLANS, of_client, plan_additions.plan_followups)
cancel_on_stage = Reaction(PLANS, of_client, plan_cancellations.cancel_on_stage)
stop_on_suppression = Reaction(PLANS, _of_reported_client, plan_suppressions.stop_on_suppression)
pause_on_withheld = Reaction(PLANS, of_client, plan_suppressions.pause_on_withheld)
resume_on_release = Reaction(PLANS, _of_reported_client, plan_suppressions.resume_on_release)
reassign = Reaction(PLANS, of_client, plan.reassign)
cancel_on_deletion = Reaction(PLANS, of_client, plan_cancellations.cancel_on_deletion)
reschedule = Reaction(PLANS, of_client, plan_commands.reschedule)
change = Reaction(PLANS, of_client, plan_commands.change)
cancel = Reaction(PLANS, of_client, plan_commands.cancel)
start = Reaction(PLANS, of_client, plan_additions.start)
add = Reaction(PLANS, of_client, plan_additions.add)
pause = Reaction(PLANS, of_client, plan_commands.pause)
resume = Reaction(PLANS, of_client, plan_commands.resume)
record_reply = Reaction(PLANS, of_client, plan_replies.record_reply)
cancel_all = Reaction(PLANS, of_client, plan_commands.cancel_all)

BY_COMMAND: Mapping[type[Command], Reaction] = {
    scheduler.RescheduleFollowup: reschedule,
    scheduler.ChangeFollowup: change,
    scheduler.CancelFollowup: cancel,
    scheduler.AddFollowup: add,
    scheduler.RecordReply: record_reply,
    scheduler.PausePlan: pause,
    scheduler.ResumePlan: resume,
    scheduler.CancelPlan: cancel_all,
}
