"""Settings of mailer."""

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from chassis.process.settings import Keys, RetrySettings, Secret, Text
from services.mailer.email import OnUnknown
from services.mailer.send_policy import SendPolicy
from services.mailer.transports.headers import valid_address


class MailerSettings(RetrySettings):
    """Without `sendgrid_api_key` emails are written to `mailbox_dir`, one file each.

    An unknown outcome is settled by the provider's report, or after `mailer_reconcile_seconds` as
    `mailer_on_unknown` says: held for a person, or sent again.
    """

    sendgrid_api_key: Secret = None
    """Key of SendGrid; without it emails become files in `MAILBOX_DIR`."""
    sendgrid_base_url: str = "https://api.sendgrid.com"
    """Address of SendGrid or of a server that speaks its protocol."""
    mail_from: str = "followups@realtoros.example"
    """Address that emails are sent from."""
    mail_redirect_to: Text = None
    """Sends every email to this address instead, for staging."""
    mailbox_dir: Path = Path("mail")
    """Folder of the `.eml` files; `up` and `demo` use `.realtoros/…/mail`."""
    mailer_reconcile_seconds: float = Field(default=900, ge=0)
    """How long an unknown outcome waits for the report of the provider."""
    mailer_on_unknown: OnUnknown = "hold"
    """What happens then: `hold` for a person, or `resend`."""
    admin_email: Text = None
    """Address that is alerted once of each failed or held follow-up."""
    suppress_across_agents: bool = False
    """Whether an opt-out told to one agent counts for all agents of the installation."""
    unsubscribe_keys: Keys
    """Keys of opt-out links, as `TOKEN_KEYS`: the first seals, each opens what it has sealed."""
    public_url: str = "http://localhost:8000"
    """Address under which browsers reach the API."""

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

    @model_validator(mode="after")
    def _require_valid_admin_email(self) -> Self:
        if self.admin_email and not valid_address(self.admin_email):
            raise ValueError("ADMIN_EMAIL is not an email address")
        return self
