"""Which message meets a client's plan."""

from operator import attrgetter

from chassis.inbox.reactor import Reaction
from services.scheduler import orders, plan
from services.scheduler.documents import PLANS

of_client = attrgetter("client_id")

plan_followups = Reaction(PLANS, of_client, plan.plan_followups)
follow_stage = Reaction(PLANS, of_client, plan.follow_stage)
end_plan = Reaction(PLANS, of_client, plan.end_plan)
reschedule = Reaction(PLANS, of_client, orders.reschedule)
change = Reaction(PLANS, of_client, orders.change)
cancel = Reaction(PLANS, of_client, orders.cancel)
pause = Reaction(PLANS, of_client, orders.pause)
resume = Reaction(PLANS, of_client, orders.resume)
cancel_all = Reaction(PLANS, of_client, orders.cancel_all)
