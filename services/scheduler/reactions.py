"""Which message changes a client's plan, and by which decision."""

from operator import attrgetter

from chassis.inbox.reactor import Reaction
from services.scheduler import plan, plan_commands
from services.scheduler.documents import PLANS

of_client = attrgetter("client_id")

plan_followups = Reaction(PLANS, of_client, plan.plan_followups)
cancel_on_stage = Reaction(PLANS, of_client, plan.cancel_on_stage)
reassign = Reaction(PLANS, of_client, plan.reassign)
cancel_on_deletion = Reaction(PLANS, of_client, plan.cancel_on_deletion)
reschedule = Reaction(PLANS, of_client, plan_commands.reschedule)
change = Reaction(PLANS, of_client, plan_commands.change)
cancel = Reaction(PLANS, of_client, plan_commands.cancel)
pause = Reaction(PLANS, of_client, plan_commands.pause)
resume = Reaction(PLANS, of_client, plan_commands.resume)
cancel_all = Reaction(PLANS, of_client, plan_commands.cancel_all)
