"""scheduler: decides when each client's follow-ups are due."""

from chassis.service import Service
from contracts import scheduler
from contracts.crm import ClientCreated, ClientDeleted, ClientUpdated
from services.scheduler import reactions
from services.scheduler.documents import AGENTS, CLIENTS, PLANS, STORE
from services.scheduler.settings import SchedulerSettings
from services.scheduler.worker import let_fall_due


def build(settings: SchedulerSettings) -> Service:
    """Put the parts together."""
    service = Service("scheduler", settings, STORE)
    agents, clients = service.loader(AGENTS), service.loader(CLIENTS)
    service.react(ClientCreated, reactions.plan_followups, day=settings.day)
    service.react(ClientUpdated, reactions.cancel_on_stage)
    service.react(ClientDeleted, reactions.cancel_on_deletion)
    service.react(scheduler.RescheduleFollowup, reactions.reschedule)
    service.react(scheduler.ChangeFollowup, reactions.change)
    service.react(scheduler.CancelFollowup, reactions.cancel)
    service.react(scheduler.PausePlan, reactions.pause)
    service.react(scheduler.ResumePlan, reactions.resume)
    service.react(scheduler.CancelPlan, reactions.cancel_all)
    service.when_due(
        PLANS, let_fall_due, slots=200, clients=clients, agents=agents, day=settings.day
    )
    return service


def main() -> None:
    """Run until SIGTERM."""
    build(SchedulerSettings.load()).run()
