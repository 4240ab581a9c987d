"""How the read models follow from the events: pure folds, one view for each collection."""

import re
from collections.abc import Iterable
from typing import get_args
from uuid import UUID

from chassis.projections.views import View
from contracts.composer import CompositionFailed, DraftRequested, EmailComposed
from contracts.crm import AgentEvent, ClientDeleted, ClientDetails, ClientEvent, ClientUpdated
from contracts.mailer import (
    EmailBounced,
    EmailClicked,
    EmailDelivered,
    EmailEvent,
    EmailFailed,
    EmailOpened,
    EmailQueued,
    EmailSent,
    EmailWithheld,
    SendOutcomeUnknown,
)
from contracts.scheduler import (
    FollowupCancelled,
    FollowupChanged,
    FollowupDue,
    FollowupRescheduled,
    FollowupsPlanned,
    PlanPaused,
    PlanResumed,
)
from services.gateway.read_models.documents import (
    AgentDocument,
    ClientDocument,
    DraftPart,
    EmailLogDocument,
    EmailPart,
    EmailStatus,
    PlanPart,
    TaskDocument,
)

ClientTold = ClientEvent | EmailSent | PlanPaused | PlanResumed
TaskTold = (
    FollowupsPlanned
    | FollowupDue
    | FollowupRescheduled
    | FollowupCancelled
    | FollowupChanged
    | DraftRequested
    | EmailComposed
    | CompositionFailed
    | EmailQueued
    | EmailSent
    | EmailFailed
    | EmailWithheld
    | SendOutcomeUnknown
)
_WORDS = re.compile(r"[^\s,;]+")
# A report that comes late does not take back what is known already.
_REACHED: dict[EmailStatus, int] = {"sent": 1, "delivered": 2, "opened": 3, "clicked": 4}


def search_terms(text: str | None) -> list[str]:
    """Give the words of a text as they are searched for."""
    return _WORDS.findall((text or "").casefold())


def agent(known: AgentDocument | None, event: AgentEvent, id_: UUID) -> AgentDocument:
    """Show an agent."""
    return AgentDocument(id=event.agent_id, personal=event.personal)


def client(known: ClientDocument | None, event: ClientTold, id_: UUID) -> ClientDocument:
    """Show a client; of its emails only the time of the last sent, of its plan only a pause."""
    shown = known or ClientDocument(id=event.client_id, agent_id=event.agent_id)
    match event:
        case EmailSent():
            latest = max(filter(None, (shown.last_contacted, event.sent_at)))
            return _beside(shown, last_contacted=latest)
        case PlanPaused():
            return _beside(shown, plan_paused=True)
        case PlanResumed():
            return _beside(shown, plan_paused=None)
    # What those say stays, also of a deleted client: they may come before its own stream or after.
    kept = shown.model_dump(include={"id", "agent_id", "last_contacted", "plan_paused"})
    if isinstance(event, ClientDeleted):
        return ClientDocument(**kept)
    return ClientDocument(
        **kept,
        **event.personal.model_dump(),
        search=_search(event.personal),
        stage=event.stage,
        property_type=event.property_type,
        created_at=event.created_at,
        updated_at=event.updated_at if isinstance(event, ClientUpdated) else event.created_at,
    )


def _beside(shown: ClientDocument, **changes: object) -> ClientDocument:
    changed: ClientDocument = shown.model_copy(update=changes)
    return changed


def _search(details: ClientDetails) -> list[str]:
    texts = (details.name, details.email, details.property_address)
    return sorted({word for text in texts for word in search_terms(text)})


def task(known: TaskDocument | None, event: TaskTold, id_: UUID) -> TaskDocument:
    """Show a follow-up: take the event into the part of its stream, then fold the parts."""
    shown = known or TaskDocument(id=id_, agent_id=event.agent_id, client_id=event.client_id)
    parts: dict[str, object] = {}
    match event:
        case FollowupsPlanned():
            [planned] = [f for f in event.followups if f.followup_id == id_]
            parts["plan"] = PlanPart(
                **planned.model_dump(), created_at=event.planned_at, at=event.planned_at
            )
        case FollowupDue() | FollowupRescheduled() | FollowupCancelled() | FollowupChanged():
            if shown.plan is None:
                raise ValueError("a follow-up changes before it was planned")
            parts["plan"] = shown.plan.model_copy(update=_plan_changes(event))
        case DraftRequested() if shown.draft:
            parts["draft"] = DraftPart(status="requested", at=event.requested_at)
        case EmailComposed():
            parts["draft"] = DraftPart(status="composed", at=event.composed_at)
        case CompositionFailed():
            parts["draft"] = DraftPart(status="failed", error=event.error, at=event.failed_at)
        case _:
            if part := _email_part(shown.email, event):
                parts["email"] = part
    return _folded(shown.model_copy(update=parts)) if parts else shown


def _plan_changes(
    event: FollowupDue | FollowupRescheduled | FollowupCancelled | FollowupChanged,
) -> dict[str, object]:
    match event:
        case FollowupDue():
            return {"status": "due", "at": event.due_at}
        case FollowupRescheduled():
            return {"scheduled_for": event.scheduled_for, "at": event.rescheduled_at}
        case FollowupCancelled():
            return {"status": "cancelled", "at": event.cancelled_at}
        case FollowupChanged():
            notes = event.personal.notes
            return {"priority": event.priority, "notes": notes, "at": event.changed_at}


def _email_part(known: EmailPart | None, event: object) -> EmailPart | None:
    match event:
        case EmailQueued() if known:
            return EmailPart(email_id=event.email_id, status="queued", at=event.queued_at)
        case EmailSent():
            return EmailPart(email_id=event.email_id, status="sent", at=event.sent_at)
        case EmailFailed():
            return EmailPart(
                email_id=event.email_id, status="failed", error=event.error, at=event.failed_at
            )
        case EmailWithheld():
            return EmailPart(
                email_id=event.email_id,
                status="withheld",
                error=event.reason,
                at=event.withheld_at,
            )
        case SendOutcomeUnknown():
            return EmailPart(
                email_id=event.email_id, status="unknown", error=event.error, at=event.unknown_at
            )
    return None


def _folded(shown: TaskDocument) -> TaskDocument:
    """Give what the parts say together: the email outdoes the draft, the draft the plan."""
    plan, draft, email = shown.plan, shown.draft, shown.email
    if plan is None:
        return shown
    status: str = plan.status
    error = None
    if draft and draft.status != "requested":
        status, error = draft.status, draft.error
    if email and email.status != "queued":
        status, error = email.status, email.error
    folded: TaskDocument = shown.model_copy(
        update={
            "followup_type": plan.followup_type,
            "scheduled_for": plan.scheduled_for,
            "priority": plan.priority,
            "notes": plan.notes,
            "status": status,
            "error_message": error,
            "email_sent_id": email.email_id if email and email.status == "sent" else None,
            "created_at": plan.created_at,
            "updated_at": max(part.at for part in (plan, draft, email) if part),
        }
    )
    return folded


def email_log(known: EmailLogDocument | None, event: EmailEvent, id_: UUID) -> EmailLogDocument:
    """Show an email."""
    if known is None and isinstance(event, EmailQueued):
        return EmailLogDocument(
            id=event.email_id,
            agent_id=event.agent_id,
            task_id=event.followup_id,
            client_id=event.client_id,
            to_email=event.personal.to_email,
            subject=event.personal.subject,
            body=event.personal.body,
            status="queued",
            written_by=event.written_by,
            created_at=event.queued_at,
        )
    if known is None:
        raise ValueError("an email changes before it was queued")
    changes = _email_changes(known, event)
    changed: EmailLogDocument = known.model_copy(update=changes)
    return changed if changes else known


def _email_changes(known: EmailLogDocument, event: EmailEvent) -> dict[str, object]:
    match event:
        case EmailQueued():
            return {"status": "queued", "error_message": None}
        case EmailSent():
            return {
                "status": "sent",
                "sent_at": event.sent_at,
                "sendgrid_message_id": event.provider_message_id,
                "error_message": None,
            }
        case EmailFailed():
            return {"status": "failed", "error_message": event.error}
        case EmailWithheld():
            return {"status": "withheld", "error_message": event.reason}
        case SendOutcomeUnknown():
            return {"status": "unknown", "error_message": event.error}
        case EmailDelivered():
            return _reached(known, "delivered")
        case EmailOpened():
            return _reached(known, "opened") | {"opened_at": known.opened_at or event.at}
        case EmailClicked():
            return _reached(known, "clicked") | {"clicked_at": known.clicked_at or event.at}
        case EmailBounced():
            return {"status": "bounced", "error_message": event.reason}
    return {}


def _reached(known: EmailLogDocument, status: EmailStatus) -> dict[str, object]:
    further = _REACHED.get(known.status, 0) < _REACHED[status] and known.status != "bounced"
    return {"status": status} if further else {}


def _of_agent(event: AgentEvent) -> Iterable[UUID]:
    return (event.agent_id,)


def _of_client(event: ClientTold) -> Iterable[UUID]:
    return (event.client_id,)


def _of_email(event: EmailEvent) -> Iterable[UUID]:
    return (event.email_id,)


def _of_followups(event: TaskTold) -> Iterable[UUID]:
    if isinstance(event, FollowupsPlanned):
        return [f.followup_id for f in event.followups]
    return (event.followup_id,)


AGENTS = View(AgentDocument, _of_agent, agent, get_args(AgentEvent))
CLIENTS = View(ClientDocument, _of_client, client, get_args(ClientTold))
TASKS = View(TaskDocument, _of_followups, task, get_args(TaskTold))
EMAIL_LOGS = View(EmailLogDocument, _of_email, email_log, get_args(EmailEvent))
