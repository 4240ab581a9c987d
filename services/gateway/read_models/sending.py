"""The read model of the switch that stops all emails to clients: one document."""

from collections.abc import Iterable
from typing import Any, ClassVar, Literal, get_args
from uuid import UUID

from chassis.mongo.client import Database, UuidDocument
from chassis.projections.views import View
from contracts.mailer import (
    SENDING_ID,
    SendingEvent,
    SendingPaused,
    SendingResumed,
    SendingStopped,
)
from contracts.message import Time

# Pausing: no email is started, but some that had been are not settled yet.
SendingState = Literal["active", "pausing", "paused"]


class SendingDocument(UuidDocument):
    """Whether emails are sent; since when, by which admin's order, and for what reason."""

    state: SendingState = "active"
    reason: str | None = None
    since: Time | None = None
    by: UUID | None = None

    class Settings:
        name = "sending"
        indexes: ClassVar[list[Any]] = []


def project_sending(
    previous: SendingDocument | None, event: SendingEvent, id_: UUID
) -> SendingDocument:
    """Fold an event of the switch."""
    match event:
        case SendingPaused():
            return SendingDocument(
                id=id_,
                state="pausing",
                reason=event.reason,
                since=event.paused_at,
                by=event.agent_id,
            )
        case SendingStopped():
            if previous is None:
                raise ValueError("sending has stopped before it was paused")
            stopped: SendingDocument = previous.model_copy(update={"state": "paused"})
            return stopped
        case SendingResumed():
            return SendingDocument(id=id_, since=event.resumed_at, by=event.agent_id)


async def sending_state(database: Database) -> SendingDocument:
    """Return the switch; one that nobody has used is active."""
    raw = await database[SendingDocument.Settings.name].find_one({"_id": SENDING_ID})
    known: SendingDocument = SendingDocument.model_validate(raw or {"_id": SENDING_ID})
    return known


def _of_switch(event: SendingEvent) -> Iterable[UUID]:
    return (event.sending_id,)


SENDING = View(SendingDocument, _of_switch, project_sending, get_args(SendingEvent))
