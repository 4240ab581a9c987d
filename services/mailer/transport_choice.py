"""The choice of the transport."""

from chassis.calls.call_limit import CallLimit
from services.mailer.settings import MailerSettings
from services.mailer.transports.headers import Sender
from services.mailer.transports.transport import Redirect, Transport


def transport_for(settings: MailerSettings) -> tuple[Transport, CallLimit]:
    """Return the transport that the settings ask for, and the limit of its calls.

    A provider's package is loaded only when it is used.
    """
    limit = CallLimit(*settings.call_limits)
    transport = _direct(settings, Sender(settings.mail_from, settings.own_domains), limit)
    if settings.mail_redirect_to:
        transport = Redirect(transport, settings.mail_redirect_to)
    return transport, limit


def _direct(settings: MailerSettings, sender: Sender, limit: CallLimit) -> Transport:
    if settings.smtp_server:
        from services.mailer.transports.smtp import SmtpTransport  # noqa: PLC0415

        return SmtpTransport(settings.smtp_server, sender, settings.call_timeout_seconds, limit)
    if settings.sendgrid_api_key is None:
        from services.mailer.transports.mailbox import Mailbox  # noqa: PLC0415

        return Mailbox(settings.mailbox_dir, sender)
    from services.mailer.transports.sendgrid import SendGridTransport  # noqa: PLC0415

    return SendGridTransport(
        settings.sendgrid_api_key.get_secret_value(),
        settings.sendgrid_base_url,
        sender,
        timeout=settings.call_timeout_seconds,
        limit=limit,
        tracking=settings.mail_tracking,
    )
