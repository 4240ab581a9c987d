"""The choice of the transport."""

from services.mailer.settings import MailerSettings
from services.mailer.transports.transport import Transport


def transport_for(settings: MailerSettings) -> Transport:
    """Return the transport that the settings ask for; load a provider's package only when used."""
    return _redirected(settings, _direct(settings))


def _direct(settings: MailerSettings) -> Transport:
    if settings.sendgrid_api_key is None:
        from services.mailer.transports.mailbox import Mailbox  # noqa: PLC0415

        return Mailbox(settings.mailbox_dir, settings.mail_from)
    from services.mailer.transports.sendgrid import SendGridTransport  # noqa: PLC0415

    return SendGridTransport(
        settings.sendgrid_api_key.get_secret_value(),
        settings.sendgrid_base_url,
        settings.mail_from,
        timeout=settings.call_timeout_seconds,
    )


def _redirected(settings: MailerSettings, transport: Transport) -> Transport:
    if settings.mail_redirect_to is None:
        return transport
    from services.mailer.transports.transport import Redirect  # noqa: PLC0415

    return Redirect(transport, settings.mail_redirect_to)
