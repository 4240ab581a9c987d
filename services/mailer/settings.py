"""Settings of mailer."""

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from chassis.mongo.daily_limit import DailyLimit
from chassis.process.settings import Keys, RetrySettings, SendingHoursSettings, named_keys
from chassis.start.environment import Secret, Text
from contracts.links.replies import ReplyAddresses
from services.mailer.email import OnUnknown
from services.mailer.sending.send_policy import SendPolicy
from services.mailer.transports.headers import valid_address
from services.mailer.transports.smtp_server import SmtpServer
from services.mailer.transports.transport import Tracking


class MailerSettings(RetrySettings, SendingHoursSettings):
    """Without `sendgrid_api_key` and `smtp_url` emails are written to `mailbox_dir`, one file each.

    An unknown outcome is settled by the provider's report, or after `mailer_reconcile_seconds` as
    `mailer_on_unknown` says: held for a person, or sent again.
    """

    sendgrid_api_key: Secret = None
    """Key of SendGrid; without it and `SMTP_URL`, emails become files in `MAILBOX_DIR`."""
    sendgrid_base_url: str = "https://api.sendgrid.com"
    """Address of SendGrid or of a server that speaks its protocol."""
    smtp_url: Secret = None
    """SMTP server: `smtp://host:587` (STARTTLS) or `smtps://host:465`, with `user:password@`."""
    mail_from: str = "followups@realtoros.example"
    """Address that emails are sent from, and that bounces of SMTP go to."""
    mail_domains: Text = None
    """Domains, comma-separated, whose agents' emails are sent from the agent's own address."""
    mail_postal_address: Text = None
    """Postal address in emails whose agent has none; required with SendGrid and SMTP."""
    mail_tracking: Tracking = "opens"
    """What SendGrid tracks: `none`, `opens` (by a pixel), or `all` (links lead through it)."""
    mail_redirect_to: Text = None
    """Sends every email to this address instead, for staging; its links opt nobody out."""
    mailbox_dir: Path = Path("mail")
    """Folder of the `.eml` files; `up` and `demo` use `.realtoros/…/mail`."""
    mailer_reconcile_seconds: float = Field(default=900, ge=0)
    """How long an unknown outcome waits for the report of the provider."""
    mailer_on_unknown: OnUnknown = "hold"
    """What happens then: `hold` for a person, or `resend`."""
    emails_per_day: int = Field(default=200, ge=0, le=10_000)
    """Most emails of an agent in any day of the plan's calendar; more wait. 0: no limit."""
    admin_email: Text = None
    """Address that is alerted once of each failed or held follow-up."""
    suppress_across_agents: bool = False
    """Whether an opt-out told to one agent counts for all agents of the installation."""
    reply_domain: Text = None
    """Domain whose mail SendGrid posts to `/api/webhooks/sendgrid/inbound`, for Reply-To addresses
    beside the agents' own; without it replies are known by what their headers refer to."""
    unsubscribe_keys: Keys
    """Keys of opt-out links, as `TOKEN_KEYS`: the first seals, each opens what it has sealed."""
    public_url: str = "http://localhost:8000"
    """Address under which browsers reach the API."""

    @property
    def opt_out_keys(self) -> dict[str, str]:
        """The keys of opt-out links by name; the first one seals."""
        return named_keys(self.unsubscribe_keys)

    @property
    def reply_addresses(self) -> ReplyAddresses | None:
        """The addresses of replies; a redirected letter's reader is not the client."""
        if not self.reply_domain or self.mail_redirect_to:
            return None
        return ReplyAddresses(self.opt_out_keys, self.reply_domain)

    @property
    def own_domains(self) -> list[str]:
        """The domains whose addresses emails may come from."""
        domains = (domain.strip() for domain in (self.mail_domains or "").split(","))
        return [domain for domain in domains if domain]

    @property
    def smtp_server(self) -> SmtpServer | None:
        """The SMTP server, if there is one."""
        return SmtpServer.parse(self.smtp_url.get_secret_value()) if self.smtp_url else None

    @property
    def email_limit(self) -> DailyLimit:
        """The limit of emails; a call may take until it is given up, and time to be stored."""
        longest = self.send_policy.give_up_after + timedelta(seconds=5)
        return DailyLimit(self.emails_per_day, self.day, longest)

    @property
    def send_policy(self) -> SendPolicy:
        """The send policy; `give_up_after` leaves a call the time to append its answer."""
        return SendPolicy(
            call=self.call,
            give_up_after=timedelta(seconds=self.call_timeout_seconds * 1.5 + 5),
            reconcile=timedelta(seconds=self.mailer_reconcile_seconds),
            on_unknown=self.mailer_on_unknown,
            retries=self.retries,
        )

    @field_validator("smtp_url")
    @classmethod
    def _is_a_server(cls, url: SecretStr | None) -> SecretStr | None:
        if url:
            SmtpServer.parse(url.get_secret_value())
        return url

    @model_validator(mode="after")
    def _letters_are_fit_to_send(self) -> Self:
        """Refuse to write to people without a way out or a postal address (CAN-SPAM, RFC 8058)."""
        if self.sendgrid_api_key and self.smtp_url:
            raise ValueError("SENDGRID_API_KEY and SMTP_URL are both set: choose one")
        if not self.sendgrid_api_key and not self.smtp_url:
            return self
        if not self.public_url.startswith("https://"):
            raise ValueError("PUBLIC_URL has to begin with https://: emails link to it to opt out")
        if not self.mail_postal_address:
            raise ValueError("MAIL_POSTAL_ADDRESS is missing: emails to clients have to show one")
        return self

    @model_validator(mode="after")
    def _require_valid_admin_email(self) -> Self:
        if self.admin_email and not valid_address(self.admin_email):
            raise ValueError("ADMIN_EMAIL is not an email address")
        return self
