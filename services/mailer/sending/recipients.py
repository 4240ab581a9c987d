"""The view of recipients: to whom a client's emails go now, and which of them are still wanted."""

from collections.abc import Iterable
from datetime import datetime
from typing import get_args
from uuid import UUID

from pydantic import BaseModel

from chassis.mongo.client import UuidDocument
from chassis.projections.views import View
from contracts.crm import ClientCreated, ClientDeleted, ClientUpdated
from contracts.message import Time
from contracts.scheduler import DueFollowupCancelled, PlanPaused, PlanResumed

RecipientSource = (
    ClientCreated | ClientUpdated | ClientDeleted | PlanPaused | PlanResumed | DueFollowupCancelled
)


class CancelledFollowup(BaseModel):
    """A follow-up that was cancelled when it was due already, and why."""

    followup_id: UUID
    reason: str


class RecipientDocument(UuidDocument):
    """A client, as crm and scheduler published it last. `former_emails` are its addresses before.

    What is None is not known: it was deleted, or its events were read before there was this view.
    """

    name: str | None = None
    email: str | None = None
    time_zone: str | None = None
    former_emails: tuple[str, ...] | None = None
    paused_at: Time | None = None
    cancelled: tuple[CancelledFollowup, ...] | None = None

    class Settings:
        name = "recipients"

    def moved_from(self, email: str) -> str | None:
        """Return the address that the client has now, if it had this one before, else None.

        An address that is not known here may be newer than what is: it stays.
        """
        return self.email if email in (self.former_emails or ()) else None

    def objection(self, followup_id: UUID, approved_at: datetime | None) -> str | None:
        """Return why this follow-up's email is not wanted any more, or None.

        One that the agent approved after the plan was paused is wanted.
        """
        for each in self.cancelled or ():
            if each.followup_id == followup_id:
                return each.reason
        if self.paused_at is None or (approved_at and approved_at > self.paused_at):
            return None
        return "plan_paused"


def project_recipient(
    previous: RecipientDocument | None, event: RecipientSource, id_: UUID
) -> RecipientDocument:
    """Fold an event of the client, or of its plan."""
    known = previous or RecipientDocument(id=id_)
    changes: dict[str, object]
    match event:
        case ClientCreated() | ClientUpdated():
            about = {"name": event.personal.name, "time_zone": event.personal.time_zone}
            changes = about | _addresses(known, event.personal.email)
        case ClientDeleted():
            changes = dict.fromkeys(("name", "email", "time_zone", "former_emails"))
        case PlanPaused():
            changes = {"paused_at": event.paused_at}
        case PlanResumed():
            changes = {"paused_at": None}
        case DueFollowupCancelled():
            one = CancelledFollowup(followup_id=event.followup_id, reason=event.reason)
            changes = {"cancelled": (*(known.cancelled or ()), one)}
    changed: RecipientDocument = known.model_copy(update=changes)
    return changed


def _addresses(known: RecipientDocument, email: str) -> dict[str, object]:
    before = dict.fromkeys((*(known.former_emails or ()), known.email))
    former = tuple(each for each in before if each not in (None, email))
    return {"email": email, "former_emails": former or None}


def _of_client(event: RecipientSource) -> Iterable[UUID]:
    return (event.client_id,)


RECIPIENTS = View(RecipientDocument, _of_client, project_recipient, get_args(RecipientSource))
