"""A draft: the text of one follow-up, from request to composed email.

It is composed when its follow-up is due and it is approved, or needs no approval: by whichever
comes second, in one commit with that.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, assert_never
from uuid import UUID

from chassis.domain.errors import CallFailed, Refused
from chassis.domain.retry import RetryPolicy
from chassis.domain.state import Given, State
from contracts.composer import (
    CompositionAttemptFailed,
    CompositionFailed,
    DraftApproved,
    DraftDiscarded,
    DraftEvent,
    DraftFellDue,
    DraftPostponed,
    DraftRequested,
    DraftRevised,
    DraftWritten,
    EmailComposed,
    Finding,
    FlaggedLetter,
    Letter,
    TokensUsed,
)
from contracts.crm import PropertyType, Stage
from contracts.message import Time, added
from contracts.scheduler import (
    DueFollowupCancelled,
    FollowupCancelled,
    FollowupDue,
    FollowupType,
    FormerAgents,
    Recipient,
)
from services.composer.signature import signed
from services.composer.writer import Written

# How long a letter waits for approval, in a calendar that is not compressed.
KEPT = timedelta(days=7)


class Draft(State):
    """`attempts` counts those that failed since the draft was requested.

    `fell_due_at`: when its follow-up did; None where the event does not say so, and while it has
    not: then `ahead_of` is its date. `letter` is the one that waits, or is flagged.
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
    status: Literal["requested", "written", "composed", "failed", "discarded"] = "requested"
    attempts: int = 0
    ahead_of: Time | None = added()
    review: Literal["approve"] | None = added()
    letter: Letter | None = added()
    written_by: str | None = added()
    approved_at: Time | None = added()

    @property
    def needs_approval(self) -> bool:
        """Whether the letter is not sent unless the agent approves it."""
        asked = self.review or self.personal.client.review or self.personal.agent.review
        return asked == "approve" or self.status == "failed"


def evolve(draft: Draft | None, event: DraftEvent) -> Draft:
    """Fold an event."""
    match event:
        case DraftRequested():
            return Draft(**event.model_dump(exclude={"requested_at"}), due_at=event.requested_at)
        case CompositionAttemptFailed():
            return _next(draft, attempts=event.attempt, due_at=event.retry_at)
        case DraftWritten() | DraftRevised() | DraftApproved():
            return _next(draft, status="written", **_waiting(event))
        case DraftFellDue():
            return _fallen_due(draft, event)
        case EmailComposed():
            return _next(draft, status="composed", due_at=None, letter=None)
        case CompositionFailed():
            letter = event.personal.letter if event.personal else None
            failed = {"letter": letter, "written_by": event.written_by, "due_at": None}
            return _next(draft, status="failed", attempts=event.attempts, **failed)
        case DraftPostponed():
            return _next(draft, due_at=event.until)
        case DraftDiscarded():
            return _next(draft, status="discarded", due_at=None, letter=None)
        case _:
            assert_never(event)


def request(
    draft: Draft | None, due: FollowupDue, given: Given, *, kept: timedelta = KEPT
) -> list[DraftEvent]:
    """Request the text of a follow-up that has fallen due, or send the one that was made ahead."""
    if draft and not draft.ahead_of:
        raise Refused("this follow-up already has a draft")
    if draft is None or not _is_usable(draft, due):
        return [DraftRequested.of(due, requested_at=given.now, fell_due_at=due.due_at)]
    fell_due = DraftFellDue.of(due, fell_due_at=due.due_at, expires_at=given.now + kept)
    fallen_due = evolve(draft, fell_due)
    if draft.status == "written" and (draft.approved_at or not fallen_due.needs_approval):
        return [fell_due, composed(fallen_due, given)]
    return [fell_due]


def _is_usable(draft: Draft, due: FollowupDue) -> bool:
    """Return whether what was made ahead is, or becomes, a letter in this agent's name."""
    ended = draft.status == "discarded" or (draft.status == "failed" and not draft.letter)
    return draft.agent_id == due.agent_id and not ended


def discard(
    draft: Draft | None, cancelled: DueFollowupCancelled | FollowupCancelled, given: Given
) -> list[DraftEvent]:
    """Give up a draft whose follow-up was cancelled; once it is composed, mailer withdraws it."""
    if draft is None or draft.status in {"composed", "discarded"}:
        return []
    reason = cancelled.reason
    if isinstance(cancelled, FollowupCancelled):
        reason = cancelled.detail or reason
    return [discarded(draft, given, reason=reason)]


def postpone(draft: Draft, given: Given, *, reason: str, until: datetime) -> list[DraftEvent]:
    """Let the draft be written later; no attempt is counted."""
    require_requested(draft)
    return [
        DraftPostponed(
            **about(draft),
            reason=reason,
            postponed_at=given.now,
            until=until,
        )
    ]


def compose(
    draft: Draft, given: Given, *, written: Written, written_by: str, kept: timedelta = KEPT
) -> list[DraftEvent]:
    """Address and sign what the writer wrote; it waits where it is not due, or needs approval."""
    require_requested(draft)
    letter = _letter(draft, written)
    if draft.ahead_of or draft.needs_approval:
        return [
            DraftWritten(
                **about(draft),
                written_by=written_by,
                written_at=given.now,
                expires_at=expiry(draft, given, kept),
                tokens=written.tokens,
                personal=letter,
            )
        ]
    made = draft.model_copy(update={"letter": letter, "written_by": written_by})
    return [composed(made, given, tokens=written.tokens)]


def expiry(draft: Draft, given: Given, kept: timedelta) -> datetime:
    """Return when a letter of now is discarded unless it is approved: so long after it is due."""
    return max(given.now, draft.ahead_of or given.now) + kept


def composed(draft: Draft, given: Given, *, tokens: TokensUsed | None = None) -> EmailComposed:
    """Return that the draft's letter is composed, addressed as the draft says now."""
    if draft.letter is None or draft.written_by is None:
        raise ValueError("a draft without a letter is composed")
    return EmailComposed(
        **about(draft),
        written_by=draft.written_by,
        composed_at=given.now,
        personal=draft.letter.model_copy(update=_addressing(draft.personal)),
        former_agents=draft.former_agents,
        fell_due_at=draft.fell_due_at,
        tokens=tokens,
        approved_at=draft.approved_at,
    )


def requested_again(draft: Draft, given: Given, **changes: object) -> DraftRequested:
    """Return that another letter is wanted."""
    fields = draft.model_dump(
        exclude={"due_at", "status", "attempts", "letter", "written_by", "approved_at"}
    )
    return DraftRequested(**fields | changes, requested_at=given.now)


def discarded(draft: Draft, given: Given, *, reason: str) -> DraftDiscarded:
    """Return that the draft is given up."""
    return DraftDiscarded(**about(draft), reason=reason, discarded_at=given.now)


def refuse_letter(
    draft: Draft,
    given: Given,
    *,
    written: Written,
    written_by: str,
    findings: Sequence[Finding],
) -> list[DraftEvent]:
    """Let a person look at a letter that is not fit to send."""
    require_requested(draft)
    flags = tuple(finding.flag for finding in findings)
    return [
        CompositionFailed(
            **about(draft),
            attempts=draft.attempts + 1,
            error=f"the letter is not fit to send: {', '.join(flags)}",
            failed_at=given.now,
            flags=flags,
            tokens=written.tokens,
            written_by=written_by,
            personal=FlaggedLetter(letter=_letter(draft, written), findings=tuple(findings)),
        )
    ]


def fail_attempt(
    draft: Draft, given: Given, *, failure: CallFailed, policy: RetryPolicy
) -> list[DraftEvent]:
    """Record a failed attempt: another one later, or failed for good."""
    require_requested(draft)
    attempt = draft.attempts + 1
    fields = about(draft) | {"error": failure.reason, "failed_at": given.now}
    retry_at = policy.next(attempt, failure, given.now)
    if retry_at is None:
        return [CompositionFailed(**fields, attempts=attempt)]
    return [CompositionAttemptFailed(**fields, attempt=attempt, retry_at=retry_at)]


def about(draft: Draft) -> dict[str, Any]:
    """Return the fields that every event of the draft has."""
    return draft.model_dump(include={"agent_id", "client_id", "followup_id"})


def _letter(draft: Draft, written: Written) -> Letter:
    return Letter(
        subject=written.composition.subject,
        body=signed(written.composition.body, draft.personal.agent),
        language=written.language,
        **_addressing(draft.personal),
    )


def _addressing(recipient: Recipient) -> dict[str, Any]:
    """Return the fields of a letter that are not its text."""
    client, agent = recipient.client, recipient.agent
    return {
        "to_name": client.name,
        "to_email": client.email,
        "from_name": agent.name,
        "reply_to": agent.reply_to or agent.email,
        "from_email": agent.email,
        "postal_address": agent.postal_address,
        "disclosure": agent.disclosure,
    }


def require_requested(draft: Draft) -> None:
    """Raise Refused unless the draft waits to be written."""
    if draft.status != "requested":
        raise Refused(f"the draft is already {draft.status}")


def _waiting(event: DraftWritten | DraftRevised | DraftApproved) -> dict[str, Any]:
    """Return what the event changes of a letter that waits; once approved, for its date alone."""
    match event:
        case DraftWritten():
            letter = {"letter": event.personal, "written_by": event.written_by}
            return letter | {"due_at": event.expires_at}
        case DraftRevised():
            return {"letter": event.personal, "approved_at": None, "due_at": event.expires_at}
        case DraftApproved():
            return {"approved_at": event.approved_at, "due_at": None}


def _fallen_due(draft: Draft | None, event: DraftFellDue) -> Draft:
    """Return the draft, which is due; one that is being written, or has failed, keeps its date."""
    fields = event.model_dump(
        include={"agent_id", "fell_due_at", "stage", "property_type", "former_agents"}
    )
    due = _next(draft, **fields, personal=event.personal, ahead_of=None)
    waits = due.status == "written" and not due.approved_at
    return due.model_copy(update={"due_at": event.expires_at}) if waits else due


def _next(draft: Draft | None, **changes: object) -> Draft:
    if draft is None:
        raise ValueError("a draft changes before it was requested")
    return draft.model_copy(update=changes)
