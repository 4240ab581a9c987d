"""mailer: sends each composed email once, and follows what becomes of it."""

from chassis.service import Service
from contracts.composer import EmailComposed
from contracts.mailer import RecordDelivery
from services.mailer import reactions
from services.mailer.documents import DELETED_CLIENTS, DOCUMENTS, EMAILS, SUPPRESSIONS
from services.mailer.settings import MailerSettings
from services.mailer.transports import transport_for
from services.mailer.worker import send_email


def build(settings: MailerSettings) -> Service:
    """Put the parts together."""
    service = Service("mailer", settings, DOCUMENTS)
    transport = transport_for(settings)
    service.react(EmailComposed, reactions.queue_email)
    service.react(RecordDelivery, reactions.record_delivery)
    service.react(RecordDelivery, reactions.suppress_address)
    service.when_due(
        EMAILS,
        send_email,
        slots=settings.call_slots,
        caught_up=True,
        transport=transport,
        deleted=service.show(DELETED_CLIENTS),
        suppressions=service.lookup(SUPPRESSIONS),
        call=settings.call,
        give_up_after=settings.give_up_after,
        policy=settings.retries,
    )
    service.close(transport.close)
    return service


def main() -> None:
    """Run until SIGTERM."""
    build(MailerSettings.load()).run()
