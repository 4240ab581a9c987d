"""Which message changes a draft, and by which decision."""

from operator import attrgetter

from chassis.inbox.reactor import Reaction
from services.composer import draft
from services.composer.documents import DRAFTS

of_followup = attrgetter("followup_id")

request_draft = Reaction(DRAFTS, of_followup, draft.request)
retry_draft = Reaction(DRAFTS, of_followup, draft.retry)
discard_draft = Reaction(DRAFTS, of_followup, draft.discard)
