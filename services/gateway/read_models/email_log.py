"""The projection of emails: a pure fold of an email's events, and of whose it is."""

from collections.abc import Iterable
from typing import get_args
from uuid import UUID

from chassis.projections.views import View
from contracts.mailer import (
    EmailBounced,
    EmailClicked,
    EmailDelivered,
    EmailEvent,
    EmailFailed,
    EmailMachineOpened,
    EmailOpened,
    EmailPostponed,
    EmailQueued,
    EmailSent,
    EmailWithdrawn,
    EmailWithheld,
    SendOutcomeUnknown,
    email_id,
)
from contracts.scheduler import FollowupReassigned, PlanDeleted
from services.gateway.read_models.documents import (
    EmailLogDocument,
    EmailStatus,
    Postponement,
)

EmailSource = EmailEvent | FollowupReassigned | PlanDeleted
# A provider's reason may quote the address.
_ERASED: dict[str, object] = dict.fromkeys(("to_email", "subject", "body", "error_message"))
# A report that comes late does not set the status back.
_RANK: dict[EmailStatus | None, int] = {"sent": 1, "delivered": 2, "opened": 3, "clicked": 4}


def project_email_log(
    previous: EmailLogDocument | None, event: EmailSource, id_: UUID
) -> EmailLogDocument:
    """Fold an email's event, that its follow-up is another agent's now, or the client's deletion.

    The latter may come first: then the document waits for the email, without a status.
    """
    known = previous or EmailLogDocument(
        id=id_, agent_id=event.agent_id, client_id=event.client_id, task_id=_task_id(event, id_)
    )
    if isinstance(event, PlanDeleted):
        changes: dict[str, object] = {"erased": True}
    elif isinstance(event, FollowupReassigned):
        sender = known.sender_id or event.former_agent_id
        changes = {"agent_id": event.agent_id, "sender_id": sender}
    elif known.status is not None:
        changes = _changes(known, event)
    elif isinstance(event, EmailQueued):
        changes = _letter(event)
    else:
        raise ValueError("an email changes before it was queued")
    if not changes:
        return known
    erased = _ERASED if known.erased or isinstance(event, PlanDeleted) else {}
    changed: EmailLogDocument = known.model_copy(update=changes | erased)
    return changed


def _letter(event: EmailQueued) -> dict[str, object]:
    return {
        "to_email": event.personal.to_email,
        "subject": event.personal.subject,
        "body": event.personal.body,
        "status": "queued",
        "written_by": event.written_by,
        "created_at": event.queued_at,
    }


def _changes(previous: EmailLogDocument, event: EmailEvent) -> dict[str, object]:
    match event:
        case EmailQueued():
            # The client may have another address by now.
            return _settled("queued") | {"to_email": event.personal.to_email}
        case EmailPostponed():
            return {"postponed": Postponement(reason=event.reason, until=event.until)}
        case EmailSent():
            return _settled("sent") | {
                "sent_at": event.sent_at,
                "sendgrid_message_id": event.provider_message_id,
            }
        case EmailFailed():
            return _settled("failed", event.error)
        case EmailWithheld() | EmailWithdrawn():
            return _settled("withheld", event.reason)
        case SendOutcomeUnknown():
            return _settled("unknown", event.error)
    return _report(previous, event)


def _report(previous: EmailLogDocument, event: EmailEvent) -> dict[str, object]:
    match event:
        case EmailDelivered() | EmailMachineOpened():
            # What a machine has opened was delivered; whether anybody reads it is not known.
            return _advance(previous, "delivered")
        case EmailOpened():
            return _advance(previous, "opened") | {
                "opened_at": min(previous.opened_at or event.at, event.at)
            }
        case EmailClicked():
            return _advance(previous, "clicked") | {
                "clicked_at": min(previous.clicked_at or event.at, event.at)
            }
        case EmailBounced():
            return {"status": "bounced", "error_message": event.reason}
    return {}


def _settled(status: EmailStatus, error: str | None = None) -> dict[str, object]:
    return {"status": status, "error_message": error, "postponed": None}


def _advance(previous: EmailLogDocument, status: EmailStatus) -> dict[str, object]:
    advances = _RANK.get(previous.status, 0) < _RANK[status] and previous.status != "bounced"
    return {"status": status} if advances else {}


def _of_email(event: EmailSource) -> Iterable[UUID]:
    if isinstance(event, FollowupReassigned):
        return (email_id(event.followup_id),) if event.was_due else ()
    if isinstance(event, PlanDeleted):
        return [email_id(each.followup_id) for each in event.followups if each.was_due]
    return (event.email_id,)


def _task_id(event: EmailSource, id_: UUID) -> UUID:
    """Return the follow-up whose email has this id."""
    if isinstance(event, PlanDeleted):
        return next(f.followup_id for f in event.followups if email_id(f.followup_id) == id_)
    return event.followup_id


EMAIL_LOGS = View(EmailLogDocument, _of_email, project_email_log, get_args(EmailSource))
