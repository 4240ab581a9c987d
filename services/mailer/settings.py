"""Settings of mailer."""

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from chassis.process.settings import RetrySettings, Secret, Text
from services.mailer.email import OnUnknown
from services.mailer.send_policy import SendPolicy
from services.mailer.transports.headers import valid_address


class MailerSettings(RetrySettings):
    """Without `sendgrid_api_key` the emails go into `mailbox_dir`, one file each.

    What nobody knows the outcome of is settled by the provider's report, or after
    `mailer_reconcile_seconds` as `mailer_on_unknown` says: held for a person, or sent again.
    """

    sendgrid_api_key: Secret = None
    sendgrid_base_url: str = "https://api.sendgrid.com"
    mail_from: str = "followups@realtoros.example"
    mail_redirect_to: Text = None
    mailbox_dir: Path = Path("mail")
    mailer_reconcile_seconds: float = Field(default=900, ge=0)
    mailer_on_unknown: OnUnknown = "hold"
    admin_email: Text = None
    public_url: str = "http://localhost:8000"

    @property
    def send_policy(self) -> SendPolicy:
        """How emails are sent; giving up leaves the call time to write down its answer."""
        return SendPolicy(
            call=self.call,
            give_up_after=timedelta(seconds=self.call_timeout_seconds * 1.5 + 5),
            reconcile=timedelta(seconds=self.mailer_reconcile_seconds),
            on_unknown=self.mailer_on_unknown,
            retries=self.retries,
        )

    @model_validator(mode="after")
    def _the_admin_can_be_written_to(self) -> Self:
        if self.admin_email and not valid_address(self.admin_email):
            raise ValueError("ADMIN_EMAIL is not an email address")
        return self
