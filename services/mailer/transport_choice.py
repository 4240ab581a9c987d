"""The choice of the transport."""

from chassis.calls.call_limit import CallLimit
from services.mailer.settings import MailerSettings
from services.mailer.transports.headers import Sender
from services.mailer.transports.transport import Redirect, Transport


def transport_for(settings: MailerSettings, limit: CallLimit) -> Transport:
    """Return the transport that the settings ask for; load a provider's package only when used."""
    direct = _direct(settings, Sender(settings.mail_from, settings.own_domains), limit)
    return Redirect(direct, settings.mail_redirect_to) if settings.mail_redirect_to else direct


def _direct(settings: MailerSettings, sender: Sender, limit: CallLimit) -> Transport:
    if settings.smtp_server:
        from services.mailer.transports.smtp import SmtpTransport  # noqa: PLC0415

        return SmtpTransport(settings.smtp_server, sender, settings.call_timeout_seconds)
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
