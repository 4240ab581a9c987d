"""Histories of one follow-up in each stream, and folding them as the chassis does."""

from collections.abc import Iterable
from functools import reduce
from typing import Any
from uuid import uuid4

from contracts.message import Message
from contracts.scheduler import FollowupReassigned
from tests.services.gateway.client_events import NOON, Story

AGENT, CLIENT = uuid4(), uuid4()
STORY = Story(AGENT, CLIENT)
PLAN = (
    *(STORY.planned(), STORY.moved(0, 2, at=0.5), STORY.changed(0, 0.6, "low", "Ring first.")),
    *(STORY.due(0, at=2), STORY.changed(0, 2.3, "low", "Rang.")),
)
CANCELLED = (*PLAN, STORY.cancelled_when_due(0, 2.35))
DELETED = (*CANCELLED, STORY.deleted(2.38), STORY.changed(0, 2.39, "low", "Too late."))
DRAFTS = {
    "composed": (STORY.requested(0, 2), STORY.composed(0, 2.1)),
    "again": (STORY.requested(0, 2), STORY.not_composed(0, 2.1), STORY.requested(0, 2.2)),
    "failed": (STORY.requested(0, 2), STORY.not_composed(0, 2.1)),
    "none": (),
    "flagged": (STORY.requested(0, 2), STORY.flagged(0, 2.1)),
    "flagged, then composed": (
        *(STORY.requested(0, 2), STORY.flagged(0, 2.1), STORY.requested(0, 2.2)),
        STORY.composed(0, 2.3),
    ),
    "postponed": (STORY.requested(0, 2), STORY.draft_postponed(0, 2.1, until=3)),
    "discarded": (STORY.requested(0, 2), STORY.discarded(0, 2.36)),
    "waits": (STORY.requested(0, 2), STORY.written(0, 2.1)),
    "revised": (STORY.requested(0, 2), STORY.written(0, 2.1), STORY.revised(0, 2.2)),
    "approved": (
        *(STORY.requested(0, 2), STORY.written(0, 2.1), STORY.revised(0, 2.2)),
        *(STORY.approved(0, 2.3), STORY.composed(0, 2.3)),
    ),
    "flagged, then approved": (
        *(STORY.requested(0, 2), STORY.flagged(0, 2.1), STORY.approved(0, 2.2)),
        STORY.composed(0, 2.2),
    ),
    "ahead": (STORY.requested(0, 1, ahead_of=2), STORY.written(0, 1.1)),
    "approved ahead": (
        *(STORY.requested(0, 1, ahead_of=2), STORY.written(0, 1.1), STORY.approved(0, 1.2)),
        *(STORY.fell_due(0, 2), STORY.composed(0, 2)),
    ),
    "ahead, then due": (
        *(STORY.requested(0, 1, ahead_of=2), STORY.written(0, 1.1), STORY.fell_due(0, 2)),
    ),
    "ahead, then discarded": (
        *(STORY.requested(0, 1, ahead_of=2), STORY.draft_postponed(0, 1.1, until=1.5)),
        STORY.discarded(0, 1.2),
    ),
    "late": (STORY.requested(0, 2), STORY.draft_postponed(0, 2.1, 3), STORY.composed(0, 3)),
}
_TRIED = (STORY.queued(0, 2.2), STORY.started(0, 2.3))
EMAILS = {
    "none": (),
    "tried": _TRIED,
    "sent": (*_TRIED, STORY.sent(0, 2.4), STORY.opened(0, 3)),
    "unknown": (*_TRIED, STORY.unknown(0, 2.4)),
    "sent after all": (*_TRIED, STORY.unknown(0, 2.4), STORY.sent(0, 2.5)),
    "failed": (*_TRIED, STORY.failed(0, 2.4)),
    "withheld": (*_TRIED, STORY.withheld(0, 2.4)),
    "cancelled": (*_TRIED, STORY.withdrawn(0, 2.4, "by_agent")),
    "paused": (*_TRIED, STORY.withdrawn(0, 2.4, "plan_paused")),
    "reassigned": (*_TRIED, STORY.withdrawn(0, 2.4, "client_reassigned")),
    "postponed": (*_TRIED, STORY.postponed(0, 2.4, until=3)),
    "postponed, then sent": (*_TRIED, STORY.postponed(0, 2.4, until=3), STORY.sent(0, 3)),
    "postponed, then queued": (*_TRIED, STORY.postponed(0, 2.4, until=3), STORY.queued(0, 2.5)),
    "queued again": (*_TRIED, STORY.failed(0, 2.4), STORY.queued(0, 2.5)),
    "sent again": (*_TRIED, STORY.unknown(0, 2.4), STORY.queued(0, 2.5), STORY.sent(0, 2.6)),
}
BEN, CLEO = uuid4(), uuid4()
_ABOUT: dict[str, Any] = {"client_id": CLIENT, "followup_id": STORY.ids[0], "reassigned_at": NOON}
MOVES = (
    FollowupReassigned(**_ABOUT, agent_id=BEN, former_agent_id=AGENT, was_due=True),
    FollowupReassigned(**_ABOUT, agent_id=CLEO, former_agent_id=BEN, was_due=True),
)


def folded(view: Any, id_: Any, events: Iterable[Message]) -> Any:
    """Fold what the view is interested in, as the chassis does."""
    concerned = [e for e in events if isinstance(e, view.types) and id_ in view.ids(e)]
    return reduce(lambda known, event: view.apply(known, event, id_), concerned, None)
