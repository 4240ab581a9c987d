"""Settings of mailer."""

from datetime import timedelta
from pathlib import Path

from chassis.settings import RetrySettings, Secret, Text


class MailerSettings(RetrySettings):
    """Without `sendgrid_api_key` the emails go into `mailbox_dir`, one file each."""

    sendgrid_api_key: Secret = None
    sendgrid_base_url: str = "https://api.sendgrid.com"
    mail_from: str = "followups@realtoros.example"
    mail_redirect_to: Text = None
    mailbox_dir: Path = Path("mail")

    @property
    def give_up_after(self) -> timedelta:
        """How long an attempt may last: the call, and time to write down its answer."""
        return timedelta(seconds=self.call_timeout_seconds * 1.5 + 5)
