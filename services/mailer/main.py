"""mailer: sends each composed email once, and follows what becomes of it."""

from chassis.service import Service
from contracts.composer import EmailComposed
from contracts.mailer import RecordDelivery, ResolveEmail
from services.mailer import alerting, reactions
from services.mailer.documents import DELETED_CLIENTS, EMAILS, SUPPRESSIONS
from services.mailer.opt_out import confirm_suppression
from services.mailer.settings import MailerSettings
from services.mailer.store import STORE
from services.mailer.transports import transport_for
from services.mailer.worker import Sending, see_to_email


def build(settings: MailerSettings) -> Service:
    """Put the parts together."""
    service = Service("mailer", settings, STORE)
    transport = transport_for(settings)
    deleted, suppressions = service.lookup(DELETED_CLIENTS), service.lookup(SUPPRESSIONS)
    provider = service.trouble("provider")
    sending = Sending(transport, suppressions, deleted, settings.terms, provider)
    service.react(EmailComposed, reactions.queue_email)
    service.react(ResolveEmail, reactions.resolve_email)
    service.react(RecordDelivery, reactions.record_delivery)
    service.react(RecordDelivery, reactions.suppress_address)
    service.when_due(
        EMAILS, see_to_email, slots=settings.call_slots, caught_up=True, sending=sending
    )
    emails = service.database[EMAILS.collection]
    service.when_due(SUPPRESSIONS, confirm_suppression, slots=8, emails=emails)
    if settings.admin_email:
        alerting.install(service, transport, settings)
    service.close(transport.close)
    return service


def main() -> None:
    """Run until SIGTERM."""
    build(MailerSettings.load()).run()
