"""The messages of mailer: the state of each email, suppressions and alerts."""

from typing import Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from contracts.addresses import canonical_address, keys_of
from contracts.composer import Letter
from contracts.message import AboutClient, Command, Contract, Event, Message, Time, added
from contracts.scheduler import FormerAgents

WithholdReason = Literal["client_deleted", "address_suppressed"]
SuppressionReason = Literal["bounced", "unsubscribed", "spam_report"]
# A bounced address never takes an email again; a soft bounce (the mailbox is full) and a blocked
# email may succeed another time.
DeliveryKind = Literal[
    "delivered",
    "opened",
    "machine_opened",
    "clicked",
    "blocked",
    "soft_bounced",
    "bounced",
    "unsubscribed",
    "spam_report",
    "resubscribed",
]
OptOutReason = Literal["unsubscribed", "spam_report"]
Resolution = Literal["sent", "resend"]
Problem = Literal["composition_failed", "sending_failed", "outcome_unknown"]


def email_id(followup_id: UUID) -> UUID:
    """Return the id of a follow-up's email."""
    return uuid5(followup_id, "email")


class EmailStream(AboutClient):
    """Messages about the stream `email-<email_id>`: one per follow-up and resend by hand."""

    email_id: UUID
    followup_id: UUID

    @property
    def stream(self) -> str:
        return f"email-{self.email_id}"


class EmailQueued(EmailStream, Event, name="realtoros.EmailQueued.v1"):
    """The email waits to be sent. Not first in its stream: it was decided to send it again.

    Or, after SendStarted and before the call, its agent was deactivated, all sending was paused, or
    the client had another address, which stands in it now. Attempts are numbered on. `fell_due_at`,
    `approved_at`: as in EmailComposed.
    """

    written_by: str
    queued_at: Time
    personal: Letter
    former_agents: FormerAgents = None
    fell_due_at: Time | None = added()
    approved_at: Time | None = added()


class SendStarted(EmailStream, Event, name="realtoros.SendStarted.v1"):
    """The provider is about to be called, once; no answer by `give_up_at` is an unknown outcome.

    `follows`: the emails that were sent to the client before, the last one at the end.
    """

    attempt: int
    started_at: Time
    give_up_at: Time
    follows: tuple[UUID, ...] | None = None


class SendAttemptFailed(EmailStream, Event, name="realtoros.SendAttemptFailed.v1"):
    """The provider refused for now; the next attempt is at `retry_at`."""

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
    """Not sent on purpose: the client opted out, or was deleted."""

    reason: WithholdReason
    withheld_at: Time


class EmailWithdrawn(EmailStream, Event, name="realtoros.EmailWithdrawn.v1"):
    """Not sent on purpose, for a reason that EmailWithheld does not know.

    `client_reassigned`: the client belongs to another agent now. `plan_paused`: its plan is paused.
    A reason of DueFollowupCancelled: the follow-up was cancelled. Others may be added.
    """

    reason: str
    withdrawn_at: Time


class EmailPostponed(EmailStream, Event, name="realtoros.EmailPostponed.v1"):
    """The provider is called later, from `until` on.

    `reason`: `daily_limit`, the agent's emails of a day are used up; `sending_hours`, until they
    begin. Others may be added.
    """

    reason: str
    postponed_at: Time
    until: Time


class SendOutcomeUnknown(EmailStream, Event, name="realtoros.SendOutcomeUnknown.v1"):
    """The provider may or may not have accepted the email. It is not sent again blindly.

    Until `reconcile_at` it waits for the provider's own report.
    """

    attempt: int
    error: str
    unknown_at: Time
    reconcile_at: Time | None = None


class EmailHeld(EmailStream, Event, name="realtoros.EmailHeld.v1"):
    """No report has settled the unknown outcome: a person has to, with ResolveEmail."""

    attempt: int
    error: str
    held_at: Time


class EmailDelivered(EmailStream, Event, name="realtoros.EmailDelivered.v1"):
    """The receiving server accepted the email."""

    at: Time


class EmailOpened(EmailStream, Event, name="realtoros.EmailOpened.v1"):
    """The email was opened (each distinct report of the provider)."""

    at: Time


class EmailMachineOpened(EmailStream, Event, name="realtoros.EmailMachineOpened.v1"):
    """A mail program fetched the email's images, as Apple's does for all: perhaps nobody read it.

    It is not counted as opened.
    """

    at: Time


class EmailClicked(EmailStream, Event, name="realtoros.EmailClicked.v1"):
    """A link in the email was clicked (each distinct report of the provider)."""

    at: Time


class EmailBounced(EmailStream, Event, name="realtoros.EmailBounced.v1"):
    """The receiving server refused the email."""

    at: Time
    reason: str | None = None


class SuppressedAddress(Contract):
    """The address in lower case.

    `canonical` is its canonical form, of which `suppression_id` is made. Up to 0.1.0 it was made of
    `email`, in folded case (`straße` as `strasse`), and there is no `canonical`.
    """

    email: str
    canonical: str | None = None


def suppression_id(agent_id: UUID, email: str) -> UUID:
    """Return the id of the suppression stream of an agent and an address, however it is spelled."""
    return uuid5(agent_id, canonical_address(email))


def suppression_ids(agent_id: UUID, email: str) -> tuple[UUID, ...]:
    """Return every id that the suppression may have, `suppression_id` first.

    A suppression with a later one is about this address only if it has no `canonical`.
    """
    return tuple(uuid5(agent_id, key) for key in keys_of(email))


class SuppressionStream(Message):
    """Messages about the stream `suppression-<suppression_id>`: one per agent and address."""

    suppression_id: UUID

    @property
    def stream(self) -> str:
        return f"suppression-{self.suppression_id}"

    @property
    def key(self) -> UUID:
        """The suppression's own id: it outlives the client that asked for it."""
        return self.suppression_id


class AddressSuppressed(SuppressionStream, Event, name="realtoros.AddressSuppressed.v1"):
    """The agent must not write to this address any more: no further email to it is started.

    It comes again in a stream when an opt-out follows a bounce, when another client says so, or
    after AddressResubscribed or SuppressionReleased. `reported_client` is the client that it was
    told of, `reported_at` when, `source` by which way: `link`, `agent` or `provider`; others may be
    added.
    """

    reason: SuppressionReason
    suppressed_at: Time
    personal: SuppressedAddress
    reported_client: UUID | None = None
    reported_at: Time | None = None
    source: str | None = None


class SuppressionConfirmed(SuppressionStream, Event, name="realtoros.SuppressionConfirmed.v1"):
    """Every email started to this address is settled: from now on none reaches it."""

    confirmed_at: Time


class AddressSoftBounced(SuppressionStream, Event, name="realtoros.AddressSoftBounced.v1"):
    """The address did not take an email for now; after the third in 30 days it is suppressed."""

    bounced_at: Time


class AddressResubscribed(SuppressionStream, Event, name="realtoros.AddressResubscribed.v1"):
    """The client wants emails again: opt-outs from before no longer hold. A bounce does."""

    resubscribed_at: Time
    reported_client: UUID | None = None


class SuppressionReleased(SuppressionStream, Event, name="realtoros.SuppressionReleased.v1"):
    """The agent may write to the address again, as the agent says, for `reason`."""

    reason: str | None = None
    released_at: Time
    reported_client: UUID | None = None


SuppressionEvent = (
    AddressSuppressed
    | SuppressionConfirmed
    | AddressSoftBounced
    | AddressResubscribed
    | SuppressionReleased
)


# The one stream of the switch that stops all emails to clients.
SENDING_ID = uuid5(NAMESPACE_URL, "https://realtoros.example/sending")


class SendingStream(Message):
    """Messages about the stream `sending-<sending_id>`, of which there is one.

    `agent_id` is the admin who orders it.
    """

    sending_id: UUID = SENDING_ID

    @property
    def stream(self) -> str:
        return f"sending-{self.sending_id}"

    @property
    def key(self) -> UUID:
        return self.sending_id


class SendingPaused(SendingStream, Event, name="realtoros.SendingPaused.v1"):
    """No email to any client is started until SendingResumed; all of them wait."""

    paused_at: Time
    reason: str | None = None


class SendingStopped(SendingStream, Event, name="realtoros.SendingStopped.v1"):
    """After SendingPaused: every email that had been started is settled."""

    stopped_at: Time


class SendingResumed(SendingStream, Event, name="realtoros.SendingResumed.v1"):
    """Emails are sent again, those that have waited first."""

    resumed_at: Time


SendingEvent = SendingPaused | SendingStopped | SendingResumed


class AlertStream(AboutClient):
    """Messages about the stream `alert-<alert_id>`: one per failure that alerts the admin."""

    alert_id: UUID
    followup_id: UUID

    @property
    def stream(self) -> str:
        return f"alert-{self.alert_id}"


class AlertRaised(AlertStream, Event, name="realtoros.AlertRaised.v1"):
    """A follow-up ended in a way that the admin should know."""

    problem: Problem
    error: str
    raised_at: Time


class AlertStarted(AlertStream, Event, name="realtoros.AlertStarted.v1"):
    """The alert is about to be sent, once: without an answer it is not sent again."""

    attempt: int
    started_at: Time


class AlertSent(AlertStream, Event, name="realtoros.AlertSent.v1"):
    """The provider accepted the alert."""

    sent_at: Time


class AlertFailed(AlertStream, Event, name="realtoros.AlertFailed.v1"):
    """The provider refused the alert; another attempt at `retry_at`, if there is one."""

    error: str
    failed_at: Time
    retry_at: Time | None = None


AlertEvent = AlertRaised | AlertStarted | AlertSent | AlertFailed


EmailEvent = (
    EmailQueued
    | SendStarted
    | SendAttemptFailed
    | EmailSent
    | EmailFailed
    | EmailWithheld
    | EmailWithdrawn
    | EmailPostponed
    | SendOutcomeUnknown
    | EmailHeld
    | EmailDelivered
    | EmailOpened
    | EmailMachineOpened
    | EmailClicked
    | EmailBounced
)


class ResolveEmail(EmailStream, Command, name="realtoros.ResolveEmail.v1"):
    """A person settles an email that failed or whose outcome is unknown.

    `sent`: it was sent, as the person says; `resend`: queue it again.
    """

    resolution: Resolution


class RecordedAddress(Contract):
    """The address that the provider reports about."""

    email: str


class RecordDelivery(EmailStream, Command, name="realtoros.RecordDelivery.v1"):
    """Record what the provider reports of an email (SendGrid event webhook).

    `attempt`: which of its calls, if the provider says so.
    """

    kind: DeliveryKind
    at: Time
    attempt: int | None = None
    reason: str | None = None
    personal: RecordedAddress


class SuppressAddress(SuppressionStream, Command, name="realtoros.SuppressAddress.v1"):
    """Record that a client opted out: no email to the address is started any more.

    `reported_at`: when, if that was before the command. `source` as in AddressSuppressed.
    """

    reason: OptOutReason
    source: str
    reported_client: UUID
    reported_at: Time | None = None
    personal: RecordedAddress


class ReleaseSuppression(SuppressionStream, Command, name="realtoros.ReleaseSuppression.v1"):
    """Allow emails to the address again. Lifting an opt-out takes a reason."""

    reason: str | None = None


class PauseSending(SendingStream, Command, name="realtoros.PauseSending.v1"):
    """Let no email to any client be started. `reason` is shown to other admins."""

    reason: str | None = None


class ResumeSending(SendingStream, Command, name="realtoros.ResumeSending.v1"):
    """Send emails again."""
