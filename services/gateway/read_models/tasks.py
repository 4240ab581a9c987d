"""The projection of follow-ups: a pure fold of the events of plan, draft and email."""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args
from uuid import UUID

from chassis.projections.views import View
from contracts.composer import (
    CompositionFailed,
    DraftApproved,
    DraftDiscarded,
    DraftFellDue,
    DraftPostponed,
    DraftRequested,
    DraftRevised,
    DraftWritten,
    EmailComposed,
    Letter,
)
from contracts.mailer import (
    EmailFailed,
    EmailPostponed,
    EmailQueued,
    EmailSent,
    EmailWithdrawn,
    EmailWithheld,
    SendOutcomeUnknown,
)
from contracts.scheduler import (
    DueFollowupCancelled,
    FollowupCancelled,
    FollowupChanged,
    FollowupDue,
    FollowupReassigned,
    FollowupRescheduled,
    FollowupsAdded,
    FollowupsPlanned,
    PlanDeleted,
)
from services.gateway.read_models.documents import (
    Postponement,
    TaskDocument,
    TaskDraft,
    TaskEmail,
    TaskPlan,
)

PlanChange = (
    FollowupDue | FollowupRescheduled | FollowupCancelled | DueFollowupCancelled | FollowupChanged
)
DraftSource = (
    DraftRequested
    | DraftPostponed
    | DraftWritten
    | DraftRevised
    | DraftApproved
    | DraftFellDue
    | EmailComposed
    | CompositionFailed
    | DraftDiscarded
)
TaskSource = (
    FollowupsPlanned
    | FollowupsAdded
    | PlanChange
    | FollowupReassigned
    | PlanDeleted
    | DraftSource
    | EmailQueued
    | EmailPostponed
    | EmailSent
    | EmailFailed
    | EmailWithheld
    | EmailWithdrawn
    | SendOutcomeUnknown
)
# The agent has looked at it, and it is flagged no more.
_DECIDED: Mapping[str, object] = {"status": "written", "flags": None, "error": None}
# For these an email is withdrawn although nobody has cancelled its follow-up.
_WITHHELD_FOR = ("plan_paused", "client_reassigned")


def project_task(previous: TaskDocument | None, event: TaskSource, id_: UUID) -> TaskDocument:
    """Fold the event into the sub-document of its stream, then derive the task's fields."""
    task = previous or TaskDocument(id=id_, agent_id=event.agent_id, client_id=event.client_id)
    parts: dict[str, object] = {}
    match event:
        case FollowupsPlanned() | FollowupsAdded():
            parts["plan"] = _planned(event, id_)
        case (
            FollowupDue()
            | FollowupRescheduled()
            | FollowupCancelled()
            | DueFollowupCancelled()
            | FollowupChanged()
        ):
            if task.plan is None:
                raise ValueError("a follow-up changes before it was planned")
            parts["plan"] = task.plan.model_copy(update=_plan_changes(event))
        case FollowupReassigned():
            parts["agent_id"] = event.agent_id
            if event.was_due:
                parts["sender_id"] = task.sender_id or event.former_agent_id
        case PlanDeleted():
            parts["erased"] = True
        case _:
            if draft := _draft_state(task.draft, event):
                parts |= {"draft": draft} | _letters(task, event)
            elif email := _email_state(task.email, event):
                parts["email"] = email
    return _derived(_without_texts(task.model_copy(update=parts))) if parts else task


def _without_texts(task: TaskDocument) -> TaskDocument:
    """Return the task; without texts once the client was deleted, whatever comes after that."""
    if not task.erased:
        return task
    plan = task.plan and task.plan.model_copy(update={"notes": None, "instructions": None})
    erased: TaskDocument = task.model_copy(
        update={"plan": plan, "flagged": None, "letter": None, "undecided_since": None}
    )
    return erased


def _planned(event: FollowupsPlanned | FollowupsAdded, id_: UUID) -> TaskPlan:
    [planned] = [f for f in event.followups if f.followup_id == id_]
    at, said = (
        (event.added_at, event.personal.instructions)
        if isinstance(event, FollowupsAdded)
        else (event.planned_at, None)
    )
    return TaskPlan(
        **planned.model_dump(),
        sequence=event.sequence.name if event.sequence else None,
        instructions=said,
        created_at=at,
        at=at,
    )


def _plan_changes(event: PlanChange) -> dict[str, object]:
    match event:
        case FollowupDue():
            return {"status": "due", "at": event.due_at}
        case FollowupRescheduled():
            return {"scheduled_for": event.scheduled_for, "at": event.rescheduled_at}
        case FollowupCancelled():
            return {"status": "cancelled", "at": event.cancelled_at}
        case DueFollowupCancelled():
            return {"cancel_reason": event.reason, "at": event.cancelled_at}
        case FollowupChanged():
            notes = event.personal.notes
            return {"priority": event.priority, "notes": notes, "at": event.changed_at}


def _letters(task: TaskDocument, event: TaskSource) -> dict[str, object]:
    """Return the letter that waits after the event, or is flagged."""
    letter: Letter | None = task.letter
    flagged = task.flagged
    match event:
        case DraftWritten() | DraftRevised():
            letter, flagged = event.personal, None
        case CompositionFailed():
            letter, flagged = None, event.personal
        case DraftApproved() if flagged:
            letter, flagged = flagged.letter, None
        case DraftApproved() | DraftFellDue():
            pass
        case _:
            letter, flagged = None, None
    return {"letter": letter, "flagged": flagged}


def _draft_state(previous: TaskDraft | None, event: object) -> TaskDraft | None:
    ahead = previous.ahead if previous else None
    match event:
        case DraftRequested() if previous or event.ahead_of:
            made_ahead: Literal[True] | None = True if event.ahead_of else None
            return TaskDraft(status="requested", at=event.requested_at, ahead=made_ahead)
        case DraftWritten() | DraftRevised() | DraftApproved() | DraftFellDue():
            return _waiting(previous, event)
        case DraftPostponed():
            postponed = Postponement(reason=event.reason, until=event.until)
            at = event.postponed_at
            return TaskDraft(status="requested", at=at, postponed=postponed, ahead=ahead)
        case EmailComposed():
            return TaskDraft(status="composed", at=event.composed_at)
        case CompositionFailed():
            return TaskDraft(
                status="failed",
                error=event.error,
                at=event.failed_at,
                flags=event.flags,
                ahead=ahead,
                written_by=event.written_by,
                written_at=event.failed_at,
            )
        case DraftDiscarded():
            error, at = event.reason, event.discarded_at
            return TaskDraft(status="discarded", error=error, at=at, ahead=ahead)
    return None


def _waiting(
    previous: TaskDraft | None, event: DraftWritten | DraftRevised | DraftApproved | DraftFellDue
) -> TaskDraft:
    """Return the state of a draft whose letter waits, or that has fallen due."""
    changes: dict[str, object]
    match event:
        case DraftWritten():
            at = event.written_at
            changes = {"status": "written", "written_by": event.written_by, "written_at": at}
            changes["expires_at"] = event.expires_at
        case DraftRevised():
            at = event.revised_at
            changes = {**_DECIDED} | {"expires_at": event.expires_at, "approved_at": None}
        case DraftApproved():
            at = event.approved_at
            changes = {**_DECIDED} | {"approved_at": at}
        case DraftFellDue():
            at = event.fell_due_at
            changes = {"ahead": None, "expires_at": event.expires_at}
    known = previous or TaskDraft(status="requested", at=at)
    return known.model_copy(update=changes | {"at": at})


def _email_state(previous: TaskEmail | None, event: object) -> TaskEmail | None:
    postponed = None
    match event:
        case EmailQueued() if previous:
            status, error, at = "queued", None, event.queued_at
        case EmailPostponed():
            status, error, at = "queued", None, event.postponed_at
            postponed = Postponement(reason=event.reason, until=event.until)
        case EmailSent():
            status, error, at = "sent", None, event.sent_at
        case EmailFailed():
            status, error, at = "failed", event.error, event.failed_at
        case EmailWithheld():
            status, error, at = "withheld", event.reason, event.withheld_at
        case EmailWithdrawn():
            status = "withheld" if event.reason in _WITHHELD_FOR else "cancelled"
            error, at = event.reason, event.withdrawn_at
        case SendOutcomeUnknown():
            status, error, at = "unknown", event.error, event.unknown_at
        case _:
            return None
    return TaskEmail(
        email_id=event.email_id, status=status, error=error, at=at, postponed=postponed
    )


def _derived(task: TaskDocument) -> TaskDocument:
    """Derive the task's fields."""
    plan, draft, email = task.plan, task.draft, task.email
    if plan is None:
        return task
    status, error = _outcome(plan, draft, email)
    flagged = draft is not None and draft.flags is not None and draft.status == "failed"
    open_ = status in ("pending", "due", "written", "failed")
    waits_for_agent = task.letter is not None and draft is not None and not draft.approved_at
    # Who has the client now cannot decide about a letter in a former agent's name.
    decidable = open_ and task.sender_id is None
    undecided = draft is not None and decidable and (flagged or waits_for_agent)
    waits = (part for part in (email, draft) if part and status in ("due", "composed"))
    derived: TaskDocument = task.model_copy(
        update={
            "followup_type": plan.followup_type,
            "step": plan.step,
            "goal": plan.goal,
            "scheduled_for": plan.scheduled_for,
            "priority": plan.priority,
            "notes": plan.notes,
            "instructions": plan.instructions,
            "status": status,
            "error_message": error,
            "postponed": next((part.postponed for part in waits), None),
            "flags": draft.flags if draft and flagged and open_ else None,
            "flagged": task.flagged if flagged and open_ else None,
            "letter": task.letter if open_ else None,
            "undecided_since": draft.written_at if draft and undecided else None,
            "email_sent_id": email.email_id if email and email.status == "sent" else None,
            "created_at": plan.created_at,
            "updated_at": max(part.at for part in (plan, draft, email) if part),
        }
    )
    return derived


def _outcome(
    plan: TaskPlan, draft: TaskDraft | None, email: TaskEmail | None
) -> tuple[str, str | None]:
    """Return the status and its reason: the email's outdoes the draft's, and that the plan's.

    But what was cancelled when it was due is cancelled, unless it was, or may have been, sent.
    """
    if email and (email.status in ("sent", "unknown") or email.error in _WITHHELD_FOR):
        return email.status, email.error
    if plan.cancel_reason:
        return "cancelled", plan.cancel_reason
    if email and email.status != "queued":
        return email.status, email.error
    if draft and draft.status == "discarded" and not draft.ahead:
        return "cancelled", draft.error
    if draft and draft.status != "requested" and not draft.ahead:
        return draft.status, draft.error
    return plan.status, None


def _of_followups(event: TaskSource) -> Iterable[UUID]:
    if isinstance(event, FollowupsPlanned | FollowupsAdded | PlanDeleted):
        return [f.followup_id for f in event.followups]
    return (event.followup_id,)


TASKS = View(TaskDocument, _of_followups, project_task, get_args(TaskSource))
