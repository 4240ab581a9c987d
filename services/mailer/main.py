"""mailer: sends each composed email once and records its outcome."""

from chassis.service import Service
from contracts.composer import EmailComposed
from contracts.mailer import RecordDelivery, ResolveEmail
from contracts.scheduler import DueFollowupCancelled, FollowupReassigned
from services.mailer import alert_worker, email_worker, notice_worker, reactions, suppression_worker
from services.mailer.documents import STORE
from services.mailer.sending import switch_worker
from services.mailer.settings import MailerSettings
from services.mailer.transport_choice import transport_for


def build(settings: MailerSettings) -> Service:
    """Put the parts together."""
    service = Service("mailer", settings, STORE)
    transport, limit = transport_for(settings)
    service.react(EmailComposed, reactions.queue_email)
    service.react(FollowupReassigned, reactions.withdraw_email)
    service.react(DueFollowupCancelled, reactions.cancel_email)
    service.react(ResolveEmail, reactions.resolve_email)
    service.react(RecordDelivery, reactions.record_delivery)
    email_worker.register_sending(service, transport, settings, limit)
    suppression_worker.register_suppressions(service, settings)
    switch_worker.register_switch(service)
    notice_worker.register_notices(service, transport, settings, limit)
    if settings.admin_email:
        alert_worker.register_alerts(service, transport, settings, limit)
    service.close(transport.close)
    return service


def main() -> None:
    """Run until SIGTERM."""
    build(MailerSettings.load()).run()


if __name__ == "__main__":
    main()
