"""scheduler: decides when each client's follow-ups are due."""

from chassis.service import Service
from contracts import crm, mailer, scheduler
from services.scheduler import reactions
from services.scheduler.documents import STORE
from services.scheduler.settings import SchedulerSettings
from services.scheduler.worker import register_due_plans


def build(settings: SchedulerSettings) -> Service:
    """Put the parts together."""
    service = Service("scheduler", settings, STORE)
    service.react(crm.ClientCreated, reactions.plan_followups, calendar=settings.calendar)
    service.react(crm.ClientUpdated, reactions.cancel_on_stage)
    service.react(crm.ClientReassigned, reactions.reassign)
    service.react(crm.ClientDeleted, reactions.cancel_on_deletion)
    service.react(mailer.AddressSuppressed, reactions.stop_on_suppression)
    service.react(mailer.EmailWithheld, reactions.pause_on_withheld)
    service.react(mailer.SuppressionReleased, reactions.resume_on_release)
    service.react(scheduler.StartPlan, reactions.start, calendar=settings.calendar)
    for command, reaction in reactions.BY_COMMAND.items():
        service.react(command, reaction)
    register_due_plans(service, settings.calendar)
    return service


def main() -> None:
    """Run until SIGTERM."""
    build(SchedulerSettings.load()).run()


if __name__ == "__main__":
    main()
