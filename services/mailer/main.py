"""mailer: sends each composed email once and records its outcome."""

from chassis.service import Service
from contracts.composer import EmailComposed
from contracts.mailer import RecordDelivery, ResolveEmail
from services.mailer import alert_worker, reactions
from services.mailer.documents import DELETED_CLIENTS, EMAILS, STORE, SUPPRESSIONS
from services.mailer.email_worker import SendDependencies, send_due_email
from services.mailer.settings import MailerSettings
from services.mailer.suppression_worker import confirm_suppression
from services.mailer.transport_choice import transport_for


def build(settings: MailerSettings) -> Service:
    """Put the parts together."""
    service = Service("mailer", settings, STORE)
    transport = transport_for(settings)
    deleted, suppressions = service.loader(DELETED_CLIENTS), service.loader(SUPPRESSIONS)
    provider = service.dependency("provider")
    deps = SendDependencies(transport, suppressions, deleted, settings.send_policy, provider)
    service.react(EmailComposed, reactions.queue_email)
    service.react(ResolveEmail, reactions.resolve_email)
    service.react(RecordDelivery, reactions.record_delivery)
    service.react(RecordDelivery, reactions.suppress_address)
    service.when_due(EMAILS, send_due_email, slots=settings.call_slots, caught_up=True, deps=deps)
    emails = service.database[EMAILS.collection]
    service.when_due(SUPPRESSIONS, confirm_suppression, slots=8, emails=emails)
    if settings.admin_email:
        alert_worker.register_alerts(service, transport, settings)
    service.close(transport.close)
    return service


def main() -> None:
    """Run until SIGTERM."""
    build(MailerSettings.load()).run()
