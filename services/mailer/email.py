"""An email: queued, sent once or not at all, then tracked by the provider's reports."""

from datetime import timedelta
from typing import Any, Literal, assert_never
from uuid import UUID

from chassis.domain.errors import CallFailed, Refused
from chassis.domain.retry import RetryPolicy
from chassis.domain.state import Given, State
from contracts.composer import EmailComposed, Letter
from contracts.mailer import (
    EmailBounced,
    EmailClicked,
    EmailDelivered,
    EmailEvent,
    EmailFailed,
    EmailHeld,
    EmailMachineOpened,
    EmailOpened,
    EmailPostponed,
    EmailQueued,
    EmailSent,
    EmailWithdrawn,
    EmailWithheld,
    RecordDelivery,
    ResolveEmail,
    SendAttemptFailed,
    SendOutcomeUnknown,
    SendStarted,
    email_id,
    suppression_id,
)
from contracts.message import Time, added, rfc3339
from contracts.scheduler import FormerAgents

Status = Literal["queued", "sending", "sent", "failed", "withheld", "unknown"]
OnUnknown = Literal["hold", "resend"]


class Email(State):
    """`attempt` numbers the calls, `failures` counts those refused since it was queued last.

    `due_at` is the deadline of the answer while `sending`, and of the provider's report while
    `unknown`. `error` is that of the last attempt. `follows` and `started_at` are those of the
    last attempt, and None of one before there was `follows`. `fell_due_at`: when its follow-up did;
    None where the event does not say so. `approved_at`: when the agent approved the text.
    """

    agent_id: UUID
    client_id: UUID
    followup_id: UUID
    email_id: UUID
    suppression_id: UUID | None = None
    written_by: str = ""
    personal: Letter
    former_agents: FormerAgents = None
    fell_due_at: Time | None = None
    approved_at: Time | None = added()
    status: Status = "queued"
    attempt: int = 0
    failures: int = 0
    error: str | None = None
    follows: tuple[UUID, ...] | None = None
    started_at: Time | None = None


# A report proves that these were sent: also one that was refused, or is about to be sent again.
_SETTLED_BY_REPORT = ("queued", "sending", "failed", "unknown")


def evolve(email: Email | None, event: EmailEvent) -> Email:
    """Fold an event."""
    match event:
        case EmailQueued():
            return Email(
                **event.model_dump(exclude={"queued_at"}),
                suppression_id=suppression_id(event.agent_id, event.personal.to_email),
                attempt=email.attempt if email else 0,
                due_at=event.queued_at,
            )
        case SendStarted():
            return _started(email, event)
        case SendAttemptFailed():
            return _failed(email, status="queued", error=event.error, due_at=event.retry_at)
        case EmailFailed():
            return _failed(email, status="failed", error=event.error, due_at=None)
        case EmailSent():
            return _next(email, status="sent", error=None, due_at=None)
        case EmailWithheld() | EmailWithdrawn():
            return _next(email, status="withheld", error=None, due_at=None)
        case EmailPostponed() | EmailHeld():
            return _next(email, due_at=event.until if isinstance(event, EmailPostponed) else None)
        case SendOutcomeUnknown():
            return _next(email, status="unknown", error=event.error, due_at=event.reconcile_at)
        case (
            EmailDelivered()
            | EmailOpened()
            | EmailMachineOpened()
            | EmailClicked()
            | EmailBounced()
        ):
            return _next(email)
        case _:
            assert_never(event)


def queue(email: Email | None, composed: EmailComposed, given: Given) -> list[EmailEvent]:
    """Queue a composed email."""
    if email:
        raise Refused("this follow-up already has an email")
    return [EmailQueued.of(composed, email_id=email_id(composed.followup_id), queued_at=given.now)]


def start(
    email: Email, given: Given, *, give_up_after: timedelta, follows: tuple[UUID, ...] = ()
) -> list[EmailEvent]:
    """Start the next attempt; its call must end before `give_up_at`.

    `follows`: the emails that were sent to the client before.
    """
    if email.status != "queued":
        raise Refused(f"the email is {email.status}")
    return [
        SendStarted(
            **about(email),
            attempt=email.attempt + 1,
            started_at=given.now,
            give_up_at=given.now + give_up_after,
            follows=follows,
        )
    ]


def sent(
    email: Email, given: Given, *, attempt: int, provider_message_id: str | None
) -> list[EmailEvent]:
    """Settle the attempt: accepted. A late answer also settles an unknown outcome."""
    require_sending(email, attempt)
    return [
        EmailSent(
            **about(email),
            attempt=attempt,
            provider_message_id=provider_message_id,
            sent_at=given.now,
        )
    ]


def fail_attempt(
    email: Email, given: Given, *, attempt: int, failure: CallFailed, policy: RetryPolicy
) -> list[EmailEvent]:
    """Settle the attempt: refused. Retried later, or failed for good."""
    require_sending(email, attempt)
    settled = about(email) | {"error": failure.reason, "failed_at": given.now}
    retry_at = policy.next(email.failures + 1, failure, given.now)
    if retry_at is None:
        return [EmailFailed(**settled, attempts=attempt)]
    return [SendAttemptFailed(**settled, attempt=attempt, retry_at=retry_at)]


def mark_unknown(
    email: Email, given: Given, *, attempt: int, reason: str, reconcile: timedelta
) -> list[EmailEvent]:
    """Record that the outcome is unknown; for `reconcile` the provider's report may settle it."""
    if email.status != "sending" or email.attempt != attempt:
        raise Refused(f"attempt {attempt} is settled: the email is {email.status}")
    return [
        SendOutcomeUnknown(
            **about(email),
            attempt=attempt,
            error=reason,
            unknown_at=given.now,
            reconcile_at=given.now + reconcile,
        )
    ]


def hold_or_resend(email: Email, given: Given, *, on_unknown: OnUnknown) -> list[EmailEvent]:
    """Settle an unknown outcome without a report: hold it for a person, or send it again."""
    if email.status != "unknown":
        raise Refused(f"the email is {email.status}")
    if on_unknown == "resend":
        return [queued_again(email, given)]
    return [
        EmailHeld(**about(email), attempt=email.attempt, error=email.error or "", held_at=given.now)
    ]


def resolve(email: Email | None, command: ResolveEmail, given: Given) -> list[EmailEvent]:
    """Settle a failed or unknown email as a person decides.

    Refuses to send again while the provider may still report the outcome.
    """
    known = _owned_email(email, command.agent_id)
    if known.status not in ("failed", "unknown"):
        raise Refused(f"only a failed or unknown email can be resolved; this one is {known.status}")
    if command.resolution == "sent":
        return [EmailSent(**about(known), attempt=known.attempt, sent_at=given.now)]
    if known.due_at:
        raise Refused(
            f"the provider may still report the outcome; resend after {rfc3339(known.due_at)}"
        )
    return [queued_again(known, given)]


def record(email: Email | None, report: RecordDelivery, given: Given) -> list[EmailEvent]:
    """Record the provider's report. What it reports about, it had accepted."""
    known = _owned_email(email, report.agent_id)
    reported = about(known) | {"at": report.at}
    events: list[EmailEvent] = []
    of_last_call = known.attempt > 0 and report.attempt in (None, known.attempt)
    if of_last_call and known.status in _SETTLED_BY_REPORT:
        events.append(EmailSent(**about(known), attempt=known.attempt, sent_at=report.at))
    match report.kind:
        case "delivered":
            events.append(EmailDelivered(**reported))
        case "opened":
            events.append(EmailOpened(**reported))
        case "machine_opened":
            events.append(EmailMachineOpened(**reported))
        case "clicked":
            events.append(EmailClicked(**reported))
        case "bounced" | "soft_bounced" | "blocked":
            events.append(EmailBounced(**reported, reason=report.reason))
    return events


def _owned_email(email: Email | None, agent_id: UUID) -> Email:
    if email is None or email.agent_id != agent_id:
        raise Refused("email not found", kind="not_found")
    return email


def queued_again(email: Email, given: Given) -> EmailQueued:
    """Return the event that queues the email once more."""
    return EmailQueued(
        **about(email),
        written_by=email.written_by,
        queued_at=given.now,
        personal=email.personal,
        former_agents=email.former_agents,
        fell_due_at=email.fell_due_at,
        approved_at=email.approved_at,
    )


def about(email: Email) -> dict[str, Any]:
    """Return the fields that say which email an event is about."""
    return {
        "agent_id": email.agent_id,
        "client_id": email.client_id,
        "followup_id": email.followup_id,
        "email_id": email.email_id,
    }


def require_sending(email: Email, attempt: int) -> None:
    """Refuse unless the attempt is under way, or its outcome unknown."""
    if email.status not in ("sending", "unknown") or email.attempt != attempt:
        raise Refused(f"attempt {attempt} is settled: the email is {email.status}")


def _started(email: Email | None, event: SendStarted) -> Email:
    return _next(
        email,
        status="sending",
        attempt=event.attempt,
        due_at=event.give_up_at,
        follows=event.follows,
        started_at=None if event.follows is None else event.started_at,
    )


def _failed(email: Email | None, **changes: object) -> Email:
    known = _next(email, **changes)
    return known.model_copy(update={"failures": known.failures + 1})


def _next(email: Email | None, **changes: object) -> Email:
    if email is None:
        raise ValueError("an email changes before it was queued")
    return email.model_copy(update=changes)
