"""The view of recipients: to whom a client's emails go now, and which of them are still wanted."""

from collections.abc import Iterable
from typing import get_args
from uuid import UUID

from pydantic import BaseModel

from chassis.mongo.client import UuidDocument
from chassis.projections.views import View
from contracts.crm import ClientCreated, ClientUpdated
from contracts.message import Time
from contracts.scheduler import DueFollowupCancelled, PlanPaused, PlanResumed

RecipientSource = ClientCreated | ClientUpdated | PlanPaused | PlanResumed | DueFollowupCancelled


class CancelledFollowup(BaseModel):
    """A follow-up that was cancelled when it was due already, and why."""

    followup_id: UUID
    reason: str


class RecipientDocument(UuidDocument):
    """A client, as crm and scheduler published it last.

    What is None is not known: the events of it were read before there was this view.
    """

    name: str | None = None
    email: str | None = None
    paused_at: Time | None = None
    cancelled: tuple[CancelledFollowup, ...] | None = None

    class Settings:
        name = "recipients"

    def objection(self, followup_id: UUID) -> str | None:
        """Return why this follow-up's email is not wanted any more, or None."""
        for each in self.cancelled or ():
            if each.followup_id == followup_id:
                return each.reason
        return "plan_paused" if self.paused_at else None


def project_recipient(
    previous: RecipientDocument | None, event: RecipientSource, id_: UUID
) -> RecipientDocument:
    """Fold an event of the client, or of its plan."""
    known = previous or RecipientDocument(id=id_)
    changes: dict[str, object]
    match event:
        case ClientCreated() | ClientUpdated():
            changes = {"name": event.personal.name, "email": event.personal.email}
        case PlanPaused():
            changes = {"paused_at": event.paused_at}
        case PlanResumed():
            changes = {"paused_at": None}
        case DueFollowupCancelled():
            one = CancelledFollowup(followup_id=event.followup_id, reason=event.reason)
            changes = {"cancelled": (*(known.cancelled or ()), one)}
    changed: RecipientDocument = known.model_copy(update=changes)
    return changed


def _of_client(event: RecipientSource) -> Iterable[UUID]:
    return (event.client_id,)


RECIPIENTS = View(RecipientDocument, _of_client, project_recipient, get_args(RecipientSource))
