"""An email: queued, then sent once or not at all, then followed through the provider's reports."""

from datetime import timedelta
from typing import Any, Literal, assert_never
from uuid import UUID, uuid5

from chassis.errors import CallFailed, Refused
from chassis.retry import RetryPolicy
from chassis.state import Given, State
from contracts.composer import EmailComposed, Letter
from contracts.mailer import (
    EmailBounced,
    EmailClicked,
    EmailDelivered,
    EmailEvent,
    EmailFailed,
    EmailOpened,
    EmailQueued,
    EmailSent,
    EmailWithheld,
    RecordDelivery,
    SendAttemptFailed,
    SendOutcomeUnknown,
    SendStarted,
    WithholdReason,
)

Status = Literal["queued", "sending", "sent", "failed", "withheld", "unknown"]


class Email(State):
    """`attempt` numbers the calls. While `sending`, `due_at` is when to give up on the answer."""

    agent_id: UUID
    client_id: UUID
    followup_id: UUID
    email_id: UUID
    personal: Letter
    status: Status = "queued"
    attempt: int = 0


def email_id(followup_id: UUID) -> UUID:
    """Give the id of a follow-up's email."""
    return uuid5(followup_id, "email")


def evolve(email: Email | None, event: EmailEvent) -> Email:
    """Fold an event."""
    match event:
        case EmailQueued():
            return Email(
                **event.model_dump(exclude={"queued_at", "written_by"}), due_at=event.queued_at
            )
        case SendStarted():
            return _next(email, status="sending", attempt=event.attempt, due_at=event.give_up_at)
        case SendAttemptFailed():
            return _next(email, status="queued", due_at=event.retry_at)
        case EmailSent():
            return _next(email, status="sent", due_at=None)
        case EmailFailed():
            return _next(email, status="failed", due_at=None)
        case EmailWithheld():
            return _next(email, status="withheld", due_at=None)
        case SendOutcomeUnknown():
            return _next(email, status="unknown", due_at=None)
        case EmailDelivered() | EmailOpened() | EmailClicked() | EmailBounced():
            return _next(email)
        case _:
            assert_never(event)


def queue(email: Email | None, composed: EmailComposed, given: Given) -> list[EmailEvent]:
    """Queue what was composed."""
    if email:
        raise Refused("this follow-up has an email already")
    return [EmailQueued.of(composed, email_id=email_id(composed.followup_id), queued_at=given.now)]


def start(email: Email, given: Given, *, call: timedelta) -> list[EmailEvent]:
    """Begin the next attempt; the call may last until a little before `give_up_at`."""
    if email.status != "queued":
        raise Refused(f"the email is {email.status}")
    return [
        SendStarted(
            **_about(email),
            attempt=email.attempt + 1,
            started_at=given.now,
            give_up_at=given.now + call,
        )
    ]


def withhold(email: Email, given: Given, *, reason: WithholdReason) -> list[EmailEvent]:
    """Do not send, after all."""
    _require_sending(email, email.attempt)
    return [EmailWithheld(**_about(email), reason=reason, withheld_at=given.now)]


def sent(
    email: Email, given: Given, *, attempt: int, provider_message_id: str | None
) -> list[EmailEvent]:
    """Settle the attempt: accepted. A late answer settles an unknown outcome, too."""
    _require_sending(email, attempt)
    return [
        EmailSent(
            **_about(email),
            attempt=attempt,
            provider_message_id=provider_message_id,
            sent_at=given.now,
        )
    ]


def fail_attempt(
    email: Email, given: Given, *, attempt: int, failure: CallFailed, policy: RetryPolicy
) -> list[EmailEvent]:
    """Settle the attempt: refused. Another one later, or failed for good."""
    _require_sending(email, attempt)
    about = _about(email) | {"error": failure.reason, "failed_at": given.now}
    retry_at = policy.next(attempt, failure, given.now)
    if retry_at is None:
        return [EmailFailed(**about, attempts=attempt)]
    return [SendAttemptFailed(**about, attempt=attempt, retry_at=retry_at)]


def give_up(email: Email, given: Given, *, attempt: int, reason: str) -> list[EmailEvent]:
    """Settle the attempt: nobody knows. It is not sent again blindly."""
    if email.status != "sending" or email.attempt != attempt:
        raise Refused(f"attempt {attempt} is settled")
    return [
        SendOutcomeUnknown(**_about(email), attempt=attempt, error=reason, unknown_at=given.now)
    ]


def record(email: Email | None, report: RecordDelivery, given: Given) -> list[EmailEvent]:
    """Take in what the provider reports. A report of an email in doubt settles it as sent."""
    if email is None or email.agent_id != report.agent_id:
        raise Refused("no such email", kind="not_found")
    about = _about(email) | {"at": report.at}
    events: list[EmailEvent] = []
    if email.status in ("sending", "unknown"):
        events.append(EmailSent(**_about(email), attempt=email.attempt, sent_at=report.at))
    match report.kind:
        case "delivered":
            events.append(EmailDelivered(**about))
        case "opened":
            events.append(EmailOpened(**about))
        case "clicked":
            events.append(EmailClicked(**about))
        case "bounced":
            events.append(EmailBounced(**about, reason=report.reason))
    return events


def _about(email: Email) -> dict[str, Any]:
    return {
        "agent_id": email.agent_id,
        "client_id": email.client_id,
        "followup_id": email.followup_id,
        "email_id": email.email_id,
    }


def _require_sending(email: Email, attempt: int) -> None:
    if email.status not in ("sending", "unknown") or email.attempt != attempt:
        raise Refused(f"attempt {attempt} is settled: the email is {email.status}")


def _next(email: Email | None, **changes: object) -> Email:
    if email is None:
        raise ValueError("an email changes before it was queued")
    return email.model_copy(update=changes)
