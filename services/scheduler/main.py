"""scheduler: decides when each client's follow-ups are due."""

from chassis.service import Service
from contracts import scheduler
from contracts.crm import ClientCreated, ClientDeleted, ClientReassigned, ClientUpdated
from contracts.mailer import AddressSuppressed, EmailWithheld, SuppressionReleased
from services.scheduler import reactions
from services.scheduler.documents import STORE
from services.scheduler.settings import SchedulerSettings
from services.scheduler.worker import register_due_plans


def build(settings: SchedulerSettings) -> Service:
    """Put the parts together."""
    service = Service("scheduler", settings, STORE)
    service.react(ClientCreated, reactions.plan_followups, day=settings.day)
    service.react(ClientUpdated, reactions.cancel_on_stage)
    service.react(ClientReassigned, reactions.reassign)
    service.react(ClientDeleted, reactions.cancel_on_deletion)
    service.react(AddressSuppressed, reactions.stop_on_suppression)
    service.react(EmailWithheld, reactions.pause_on_withheld)
    service.react(SuppressionReleased, reactions.resume_on_release)
    service.react(scheduler.RescheduleFollowup, reactions.reschedule)
    service.react(scheduler.ChangeFollowup, reactions.change)
    service.react(scheduler.CancelFollowup, reactions.cancel)
    service.react(scheduler.StartPlan, reactions.start, day=settings.day)
    service.react(scheduler.AddFollowup, reactions.add)
    service.react(scheduler.PausePlan, reactions.pause)
    service.react(scheduler.ResumePlan, reactions.resume)
    service.react(scheduler.CancelPlan, reactions.cancel_all)
    register_due_plans(service, settings.day)
    return service


def main() -> None:
    """Run until SIGTERM."""
    build(SchedulerSettings.load()).run()


if __name__ == "__main__":
    main()
