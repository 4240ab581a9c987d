"""Which message changes a draft, and by which decision."""

from collections.abc import Mapping
from operator import attrgetter

from chassis.inbox.reactor import Reaction
from contracts import composer
from contracts.message import Command
from services.composer import draft, draft_review
from services.composer.documents import DRAFTS

of_followup = attrgetter("followup_id")

request_draft = Reaction(DRAFTS, of_followup, draft.request)
discard_draft = Reaction(DRAFTS, of_followup, draft.discard)
revise_draft = Reaction(DRAFTS, of_followup, draft_review.revise)

BY_COMMAND: Mapping[type[Command], Reaction] = {
    composer.RetryDraft: Reaction(DRAFTS, of_followup, draft_review.retry),
    composer.PrepareDraft: Reaction(DRAFTS, of_followup, draft_review.prepare),
    composer.RewriteDraft: Reaction(DRAFTS, of_followup, draft_review.rewrite),
    composer.ApproveDraft: Reaction(DRAFTS, of_followup, draft_review.approve),
    composer.DiscardDraft: Reaction(DRAFTS, of_followup, draft_review.throw_away),
}
