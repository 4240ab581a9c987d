"""Projections: pure folds of events into the read models, one per collection."""

import re
from collections.abc import Iterable
from typing import get_args
from uuid import UUID

from chassis.projections.views import View
from contracts.addresses import canonical_address
from contracts.composer import CompositionFailed, DraftRequested, EmailComposed
from contracts.crm import (
    AgentRegistered,
    AgentUpdated,
    ClientDeleted,
    ClientDetails,
    ClientEvent,
    ClientReassigned,
    ClientUpdated,
)
from contracts.mailer import (
    AddressResubscribed,
    AddressSuppressed,
    EmailFailed,
    EmailQueued,
    EmailSent,
    EmailWithdrawn,
    EmailWithheld,
    SendOutcomeUnknown,
    SuppressionReleased,
)
from contracts.scheduler import (
    FollowupCancelled,
    FollowupChanged,
    FollowupDue,
    FollowupReassigned,
    FollowupRescheduled,
    FollowupsPlanned,
    PlanPaused,
    PlanResumed,
)
from services.gateway.read_models.documents import (
    AgentDocument,
    ClientDocument,
    ClientSuppression,
    TaskDocument,
    TaskDraft,
    TaskEmail,
    TaskPlan,
)

AgentSource = AgentRegistered | AgentUpdated
ClientSuppressionSource = AddressSuppressed | AddressResubscribed | SuppressionReleased
ClientSource = ClientEvent | EmailSent | PlanPaused | PlanResumed | ClientSuppressionSource
TaskSource = (
    FollowupsPlanned
    | FollowupDue
    | FollowupRescheduled
    | FollowupCancelled
    | FollowupChanged
    | FollowupReassigned
    | DraftRequested
    | EmailComposed
    | CompositionFailed
    | EmailQueued
    | EmailSent
    | EmailFailed
    | EmailWithheld
    | EmailWithdrawn
    | SendOutcomeUnknown
)
_WORD = re.compile(r"[^\s,;]+")


def search_terms(text: str | None) -> list[str]:
    """Return the words of a text, in the form that is indexed and searched."""
    return _WORD.findall((text or "").casefold())


def project_agent(previous: AgentDocument | None, event: AgentSource, id_: UUID) -> AgentDocument:
    """Return the agent."""
    return AgentDocument(id=event.agent_id, personal=event.personal)


def project_client(
    previous: ClientDocument | None, event: ClientSource, id_: UUID
) -> ClientDocument:
    """Fold a client's event, the time of its latest email, its plan's pause, or its opt-out."""
    client = previous or ClientDocument(id=id_, agent_id=event.agent_id)
    match event:
        case AddressSuppressed() | AddressResubscribed() | SuppressionReleased():
            return _with_email_status(client, _client_suppression(client.suppression, event))
        case EmailSent():
            latest = max(filter(None, (client.last_contacted, event.sent_at)))
            return _updated(client, last_contacted=latest)
        case PlanPaused():
            return _updated(client, plan_paused=True)
        case PlanResumed():
            return _updated(client, plan_paused=None)
        case ClientReassigned():
            return _updated(client, agent_id=event.agent_id)
    # These fields outlive a deletion: their streams may come before the client's own or after.
    from_others = client.model_dump(
        include={"id", "agent_id", "last_contacted", "plan_paused", "suppression"}
    )
    if isinstance(event, ClientDeleted):
        return ClientDocument(**from_others)
    changed = ClientDocument(
        **from_others,
        **event.personal.model_dump(),
        search=_search(event.personal),
        stage=event.stage,
        property_type=event.property_type,
        created_at=event.created_at,
        updated_at=event.updated_at if isinstance(event, ClientUpdated) else event.created_at,
    )
    return _with_email_status(changed, changed.suppression)


def _client_suppression(
    known: ClientSuppression | None, event: ClientSuppressionSource
) -> ClientSuppression | None:
    """Return what is known of the client's address after the event."""
    match event:
        case AddressSuppressed():
            return ClientSuppression(
                suppression_id=event.suppression_id,
                canonical=event.personal.canonical,
                reason=event.reason,
                at=event.reported_at or event.suppressed_at,
            )
        case AddressResubscribed() if known and known.reason == "bounced":
            return known
    lifts = known and known.suppression_id == event.suppression_id
    return None if lifts else known


def _with_email_status(
    client: ClientDocument, suppression: ClientSuppression | None
) -> ClientDocument:
    """Derive what is shown: a suppression of another address than the client's present one is not.

    An address that is not known yet comes with the client's own events.
    """
    status, at = None, None
    if suppression and client.email and suppression.canonical == canonical_address(client.email):
        status = suppression.reason
        at = suppression.at if status != "bounced" else None
    return _updated(client, suppression=suppression, email_status=status, unsubscribed_at=at)


def _updated(client: ClientDocument, **changes: object) -> ClientDocument:
    changed: ClientDocument = client.model_copy(update=changes)
    return changed


def _search(details: ClientDetails) -> list[str]:
    texts = (details.name, details.email, details.property_address)
    return sorted({word for text in texts for word in search_terms(text)})


def project_task(previous: TaskDocument | None, event: TaskSource, id_: UUID) -> TaskDocument:
    """Fold the event into the sub-document of its stream, then derive the task's fields."""
    task = previous or TaskDocument(id=id_, agent_id=event.agent_id, client_id=event.client_id)
    parts: dict[str, object] = {}
    match event:
        case FollowupsPlanned():
            [planned] = [f for f in event.followups if f.followup_id == id_]
            parts["plan"] = TaskPlan(
                **planned.model_dump(), created_at=event.planned_at, at=event.planned_at
            )
        case FollowupDue() | FollowupRescheduled() | FollowupCancelled() | FollowupChanged():
            if task.plan is None:
                raise ValueError("a follow-up changes before it was planned")
            parts["plan"] = task.plan.model_copy(update=_plan_changes(event))
        case FollowupReassigned():
            parts["agent_id"] = event.agent_id
            if event.was_due:
                parts["sender_id"] = task.sender_id or event.former_agent_id
        case DraftRequested() if task.draft:
            parts["draft"] = TaskDraft(status="requested", at=event.requested_at)
        case EmailComposed():
            parts["draft"] = TaskDraft(status="composed", at=event.composed_at)
        case CompositionFailed():
            parts["draft"] = TaskDraft(status="failed", error=event.error, at=event.failed_at)
        case _:
            if email := _email_state(task.email, event):
                parts["email"] = email
    return _derived(task.model_copy(update=parts)) if parts else task


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


def _email_state(previous: TaskEmail | None, event: object) -> TaskEmail | None:
    match event:
        case EmailQueued() if previous:
            status, error, at = "queued", None, event.queued_at
        case EmailSent():
            status, error, at = "sent", None, event.sent_at
        case EmailFailed():
            status, error, at = "failed", event.error, event.failed_at
        case EmailWithheld():
            status, error, at = "withheld", event.reason, event.withheld_at
        case EmailWithdrawn():
            status, error, at = "withheld", event.reason, event.withdrawn_at
        case SendOutcomeUnknown():
            status, error, at = "unknown", event.error, event.unknown_at
        case _:
            return None
    return TaskEmail(email_id=event.email_id, status=status, error=error, at=at)


def _derived(task: TaskDocument) -> TaskDocument:
    """Derive the task's fields: the email takes precedence over the draft, that over the plan."""
    plan, draft, email = task.plan, task.draft, task.email
    if plan is None:
        return task
    status: str = plan.status
    error = None
    if draft and draft.status != "requested":
        status, error = draft.status, draft.error
    if email and email.status != "queued":
        status, error = email.status, email.error
    derived: TaskDocument = task.model_copy(
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
    return derived


def _of_agent(event: AgentSource) -> Iterable[UUID]:
    return (event.agent_id,)


def _of_client(event: ClientSource) -> Iterable[UUID]:
    if isinstance(event, AddressSuppressed | AddressResubscribed | SuppressionReleased):
        return (event.reported_client,) if event.reported_client else ()
    return (event.client_id,)


def _of_followups(event: TaskSource) -> Iterable[UUID]:
    if isinstance(event, FollowupsPlanned):
        return [f.followup_id for f in event.followups]
    return (event.followup_id,)


AGENTS = View(AgentDocument, _of_agent, project_agent, get_args(AgentSource))
CLIENTS = View(ClientDocument, _of_client, project_client, get_args(ClientSource))
TASKS = View(TaskDocument, _of_followups, project_task, get_args(TaskSource))
