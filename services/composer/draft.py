"""A draft: the text of one follow-up, from request to composed email."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, assert_never
from uuid import UUID

from chassis.domain.errors import CallFailed, Refused
from chassis.domain.retry import RetryPolicy
from chassis.domain.state import Given, State
from contracts.composer import (
    CompositionAttemptFailed,
    CompositionFailed,
    DraftDiscarded,
    DraftEvent,
    DraftPostponed,
    DraftRequested,
    EmailComposed,
    Finding,
    FlaggedLetter,
    Letter,
    RetryDraft,
)
from contracts.crm import PropertyType, Stage
from contracts.message import Time
from contracts.scheduler import (
    DueFollowupCancelled,
    FollowupDue,
    FollowupType,
    FormerAgents,
    Recipient,
)
from services.composer.signature import signed
from services.composer.writer import Written


class Draft(State):
    """`attempts` counts those that failed since the draft was requested.

    `fell_due_at`: when its follow-up did; None where the event does not say so.
    """

    agent_id: UUID
    client_id: UUID
    followup_id: UUID
    followup_type: FollowupType
    stage: Stage
    property_type: PropertyType
    personal: Recipient
    former_agents: FormerAgents = None
    fell_due_at: Time | None = None
    status: Literal["requested", "composed", "failed", "discarded"] = "requested"
    attempts: int = 0


def evolve(draft: Draft | None, event: DraftEvent) -> Draft:
    """Fold an event."""
    match event:
        case DraftRequested():
            return Draft(**event.model_dump(exclude={"requested_at"}), due_at=event.requested_at)
        case CompositionAttemptFailed():
            return _next(draft, attempts=event.attempt, due_at=event.retry_at)
        case EmailComposed():
            return _next(draft, status="composed", due_at=None)
        case CompositionFailed():
            return _next(draft, status="failed", attempts=event.attempts, due_at=None)
        case DraftPostponed():
            return _next(draft, due_at=event.until)
        case DraftDiscarded():
            return _next(draft, status="discarded", due_at=None)
        case _:
            assert_never(event)


def request(draft: Draft | None, due: FollowupDue, given: Given) -> list[DraftEvent]:
    """Request the text of a follow-up that has fallen due."""
    if draft:
        raise Refused("this follow-up already has a draft")
    return [DraftRequested.of(due, requested_at=given.now, fell_due_at=due.due_at)]


def retry(draft: Draft | None, command: RetryDraft, given: Given) -> list[DraftEvent]:
    """Request a failed draft again. Refuses any other."""
    if draft is None or draft.agent_id != command.agent_id:
        raise Refused("draft not found", kind="not_found")
    if draft.status == "discarded":
        raise Refused("the follow-up was cancelled, so its email cannot be written again")
    if draft.status != "failed":
        raise Refused(f"only a failed draft can be retried; this one is {draft.status}")
    fields = draft.model_dump(exclude={"due_at", "status", "attempts"})
    return [DraftRequested(**fields, requested_at=given.now)]


def discard(draft: Draft | None, cancelled: DueFollowupCancelled, given: Given) -> list[DraftEvent]:
    """Give up a draft whose follow-up was cancelled; once it is composed, mailer withdraws it."""
    if draft is None or draft.status not in {"requested", "failed"}:
        return []
    return [
        DraftDiscarded(
            **_about(draft),
            reason=cancelled.reason,
            discarded_at=given.now,
        )
    ]


def postpone(draft: Draft, given: Given, *, reason: str, until: datetime) -> list[DraftEvent]:
    """Let the draft be written later; no attempt is counted."""
    require_requested(draft)
    return [
        DraftPostponed(
            **_about(draft),
            reason=reason,
            postponed_at=given.now,
            until=until,
        )
    ]


def compose(draft: Draft, given: Given, *, written: Written, written_by: str) -> list[DraftEvent]:
    """Address and sign what the writer wrote."""
    require_requested(draft)
    return [
        EmailComposed(
            **_about(draft),
            written_by=written_by,
            composed_at=given.now,
            personal=_letter(draft, written),
            former_agents=draft.former_agents,
            fell_due_at=draft.fell_due_at,
            tokens=written.tokens,
        )
    ]


def refuse_letter(
    draft: Draft, given: Given, *, written: Written, findings: Sequence[Finding]
) -> list[DraftEvent]:
    """Let a person look at a letter that is not fit to send."""
    require_requested(draft)
    flags = tuple(finding.flag for finding in findings)
    return [
        CompositionFailed(
            **_about(draft),
            attempts=draft.attempts + 1,
            error=f"the letter is not fit to send: {', '.join(flags)}",
            failed_at=given.now,
            flags=flags,
            tokens=written.tokens,
            personal=FlaggedLetter(letter=_letter(draft, written), findings=tuple(findings)),
        )
    ]


def fail_attempt(
    draft: Draft, given: Given, *, failure: CallFailed, policy: RetryPolicy
) -> list[DraftEvent]:
    """Record a failed attempt: another one later, or failed for good."""
    require_requested(draft)
    attempt = draft.attempts + 1
    about = _about(draft) | {"error": failure.reason, "failed_at": given.now}
    retry_at = policy.next(attempt, failure, given.now)
    if retry_at is None:
        return [CompositionFailed(**about, attempts=attempt)]
    return [CompositionAttemptFailed(**about, attempt=attempt, retry_at=retry_at)]


def _about(draft: Draft) -> dict[str, Any]:
    return draft.model_dump(include={"agent_id", "client_id", "followup_id"})


def _letter(draft: Draft, written: Written) -> Letter:
    client, agent = draft.personal.client, draft.personal.agent
    return Letter(
        to_name=client.name,
        to_email=client.email,
        from_name=agent.name,
        reply_to=agent.reply_to or agent.email,
        subject=written.composition.subject,
        body=signed(written.composition.body, agent),
        from_email=agent.email,
        language=written.language,
        postal_address=agent.postal_address,
        disclosure=agent.disclosure,
    )


def require_requested(draft: Draft) -> None:
    """Raise Refused unless the draft waits to be written."""
    if draft.status != "requested":
        raise Refused(f"the draft is already {draft.status}")


def _next(draft: Draft | None, **changes: object) -> Draft:
    if draft is None:
        raise ValueError("a draft changes before it was requested")
    return draft.model_copy(update=changes)
