"""What the agent decides about a draft: to have it ahead or again, revise, approve, discard it."""

from datetime import timedelta

from chassis.domain.errors import Refused
from chassis.domain.state import Given
from contracts.composer import (
    ApproveDraft,
    DiscardDraft,
    DraftApproved,
    DraftEvent,
    DraftRequested,
    DraftRevised,
    PrepareDraft,
    RetryDraft,
    ReviseDraft,
    RewriteDraft,
)
from contracts.message import Command
from services.composer.draft import (
    KEPT,
    Draft,
    about,
    composed,
    discarded,
    expiry,
    requested_again,
)


def prepare(draft: Draft | None, command: PrepareDraft, given: Given) -> list[DraftEvent]:
    """Request the letter of a follow-up that is not due. Refuses one that has a draft."""
    ended = draft and draft.status in {"discarded", "failed"} and not draft.letter
    if draft and not (draft.ahead_of and ended):
        raise Refused(f"the follow-up already has a draft, which is {draft.status}")
    return [
        DraftRequested.of(command, requested_at=given.now, ahead_of=command.scheduled_for),
    ]


def retry(draft: Draft | None, command: RetryDraft, given: Given) -> list[DraftEvent]:
    """Request a failed draft again. Refuses any other."""
    known = _of_agent(draft, command)
    if known.status == "discarded":
        raise Refused("the follow-up was cancelled, so its email cannot be written again")
    if known.status != "failed":
        raise Refused(f"only a failed draft can be retried; this one is {known.status}")
    return [requested_again(known, given)]


def rewrite(draft: Draft | None, command: RewriteDraft, given: Given) -> list[DraftEvent]:
    """Request another letter. Refuses a draft that is not written."""
    known = _with_letter(draft, command)
    changes = {"stage": command.stage, "property_type": command.property_type}
    return [
        requested_again(known, given, **changes, personal=command.personal, review="approve"),
    ]


def revise(
    draft: Draft | None, command: ReviseDraft, given: Given, *, kept: timedelta = KEPT
) -> list[DraftEvent]:
    """Change the letter. Refuses a draft that is not written."""
    known = _with_letter(draft, command)
    changes = command.personal.model_dump(exclude_none=True)
    revised = known.letter.model_copy(update=changes) if known.letter else None
    if revised is None or revised == known.letter:
        return []
    expires_at = expiry(known, given, kept)
    return [
        DraftRevised(**about(known), revised_at=given.now, expires_at=expires_at, personal=revised),
    ]


def approve(draft: Draft | None, command: ApproveDraft, given: Given) -> list[DraftEvent]:
    """Approve the letter; compose it if it is due. Refuses a draft that is not written."""
    known = _with_letter(draft, command)
    if known.approved_at:
        return []
    approved = DraftApproved(**about(known), approved_at=given.now)
    if known.ahead_of:
        return [approved]
    addressed = known.model_copy(
        update={"personal": command.personal, "approved_at": given.now},
    )
    return [approved, composed(addressed, given)]


def throw_away(draft: Draft | None, command: DiscardDraft, given: Given) -> list[DraftEvent]:
    """Discard the draft. Refuses one that is composed."""
    known = _of_agent(draft, command)
    if known.status == "composed":
        raise Refused("the letter is on its way: cancel the follow-up or its email")
    if known.status == "discarded":
        return []
    return [discarded(known, given, reason="by_agent")]


def expire(draft: Draft, given: Given) -> list[DraftEvent]:
    """Discard a letter that was not approved in time."""
    if draft.status != "written" or draft.approved_at:
        raise Refused(f"the draft is {draft.status}")
    return [discarded(draft, given, reason="unapproved")]


def _of_agent(draft: Draft | None, command: Command) -> Draft:
    if draft is None or draft.agent_id != command.agent_id:
        raise Refused("draft not found", kind="not_found")
    return draft


def _with_letter(draft: Draft | None, command: Command) -> Draft:
    """Return the draft. Raises Refused unless its letter waits for the agent or its date."""
    known = _of_agent(draft, command)
    if known.letter is None:
        raise Refused(f"the draft has no letter that waits: it is {known.status}")
    return known
