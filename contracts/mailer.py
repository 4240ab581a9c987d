"""What mailer says: the way of each email, which downstream systems follow."""

from typing import Literal
from uuid import UUID, uuid5

from contracts.composer import Letter
from contracts.message import AboutClient, Command, Contract, Event, Time

WithholdReason = Literal["client_deleted", "address_suppressed"]
SuppressionReason = Literal["bounced", "unsubscribed", "spam_report"]
DeliveryKind = Literal["delivered", "opened", "clicked", "bounced", "unsubscribed", "spam_report"]
Resolution = Literal["sent", "resend"]


class EmailStream(AboutClient):
    """Messages about the stream `email-<email_id>`: one per follow-up and resend by hand."""

    email_id: UUID
    followup_id: UUID

    @property
    def stream(self) -> str:
        return f"email-{self.email_id}"


class EmailQueued(EmailStream, Event, name="realtoros.EmailQueued.v1"):
    """The email waits for its turn."""

    written_by: str
    queued_at: Time
    personal: Letter


class SendStarted(EmailStream, Event, name="realtoros.SendStarted.v1"):
    """The provider is about to be called, once; no answer by `give_up_at` is an unknown outcome."""

    attempt: int
    started_at: Time
    give_up_at: Time


class SendAttemptFailed(EmailStream, Event, name="realtoros.SendAttemptFailed.v1"):
    """The provider refused for now; it is tried again at `retry_at`."""

    attempt: int
    error: str
    failed_at: Time
    retry_at: Time


class EmailSent(EmailStream, Event, name="realtoros.EmailSent.v1"):
    """The provider accepted the email, or a person says that it did."""

    attempt: int
    provider_message_id: str | None = None
    sent_at: Time


class EmailFailed(EmailStream, Event, name="realtoros.EmailFailed.v1"):
    """The provider refused for good."""

    attempts: int
    error: str
    failed_at: Time


class EmailWithheld(EmailStream, Event, name="realtoros.EmailWithheld.v1"):
    """Not sent on purpose: the client said no, or is gone."""

    reason: WithholdReason
    withheld_at: Time


class SendOutcomeUnknown(EmailStream, Event, name="realtoros.SendOutcomeUnknown.v1"):
    """The provider may or may not have accepted the email. It is not sent again blindly."""

    attempt: int
    error: str
    unknown_at: Time


class EmailDelivered(EmailStream, Event, name="realtoros.EmailDelivered.v1"):
    """The receiving server took the email."""

    at: Time


class EmailOpened(EmailStream, Event, name="realtoros.EmailOpened.v1"):
    """The email was opened (each distinct report of the provider)."""

    at: Time


class EmailClicked(EmailStream, Event, name="realtoros.EmailClicked.v1"):
    """A link in the email was clicked (each distinct report of the provider)."""

    at: Time


class EmailBounced(EmailStream, Event, name="realtoros.EmailBounced.v1"):
    """The receiving server refused the email."""

    at: Time
    reason: str | None = None


class SuppressedAddress(Contract):
    """The address, normalised: lower case."""

    email: str


def suppression_id(agent_id: UUID, email: str) -> UUID:
    """Give the id of the suppression stream of an agent and an address, whatever its case."""
    return uuid5(agent_id, email.strip().casefold())


class AddressSuppressed(Event, name="realtoros.AddressSuppressed.v1"):
    """The agent must not write to this address any more."""

    suppression_id: UUID
    reason: SuppressionReason
    suppressed_at: Time
    personal: SuppressedAddress

    @property
    def stream(self) -> str:
        return f"suppression-{self.suppression_id}"

    @property
    def key(self) -> UUID:
        """The suppression's own id: it outlives the client that asked for it."""
        return self.suppression_id


EmailEvent = (
    EmailQueued
    | SendStarted
    | SendAttemptFailed
    | EmailSent
    | EmailFailed
    | EmailWithheld
    | SendOutcomeUnknown
    | EmailDelivered
    | EmailOpened
    | EmailClicked
    | EmailBounced
)


class ResolveEmail(EmailStream, Command, name="realtoros.ResolveEmail.v1"):
    """A person settles an email that failed or whose outcome is unknown."""

    resolution: Resolution


class RecordedAddress(Contract):
    """The address that the provider reports about."""

    email: str


class RecordDelivery(EmailStream, Command, name="realtoros.RecordDelivery.v1"):
    """The provider reports what became of an email (SendGrid event webhook)."""

    kind: DeliveryKind
    at: Time
    reason: str | None = None
    personal: RecordedAddress
