"""Requests and responses about drafts: letters that wait for their date, or for the agent."""

from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.composer import Body, LetterText, Subject
from contracts.crm import Notes
from contracts.message import Time
from contracts.scheduler import FollowupType
from services.gateway.read_models.documents import TaskDocument
from services.gateway.read_models.schemas.common import ReadModel
from services.gateway.read_models.schemas.followups import FlaggedText

# So many drafts are approved by one request.
MOST_APPROVED: Final = 100
DraftStatus = Literal["writing", "waiting", "flagged", "approved", "failed"]
ApprovalOutcome = Literal["approved", "refused", "pending"]


class Draft(ReadModel):
    """The letter of a follow-up, under the follow-up's id, until it is on its way.

    `status`: `writing`; `waiting`, for the agent or, where letters are sent without approval, for
    its date; `flagged`: not fit to send for what `findings` name, unless it is approved;
    `approved`; `failed`. `due`: its follow-up has fallen due. `expires_at`: when it is discarded
    unless it is approved. `version`: of the letter and what was decided about it. `step`: what the
    sequence calls a follow-up of type Custom.
    """

    model_config = ConfigDict(title="DraftView")

    client_id: UUID
    followup_type: FollowupType
    step: str | None = None
    scheduled_for: Time
    due: bool
    status: DraftStatus
    version: int
    written_by: str | None = None
    written_at: Time | None = None
    approved_at: Time | None = None
    expires_at: Time | None = None
    to_email: str | None = None
    subject: str | None = None
    body: str | None = None
    language: str | None = None
    findings: list[FlaggedText] = []


class ListedDraft(Draft):
    """A draft in a list, with its client's name; null once the client was deleted."""

    model_config = ConfigDict(title="ListedDraft")

    client_name: str | None = None


class NewDraft(BaseModel):
    """A letter to have written: ahead of its date, or another one, by `instructions`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    instructions: Notes | None = None


class DraftPatch(BaseModel):
    """Changes to the letter (RFC 7396): what is absent stays."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    subject: Subject | None = None
    body: Body | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> "DraftPatch":
        if self.subject is None and self.body is None:
            raise ValueError("has neither subject nor body")
        return self

    def text(self) -> LetterText:
        """Return it as a command has it."""
        return LetterText.model_validate(self.model_dump())


class DraftVersion(BaseModel):
    """A draft, and its version that was read: just that one is approved."""

    model_config = ConfigDict(extra="forbid")

    task_id: UUID
    version: int = Field(ge=1)


class DraftsToApprove(BaseModel):
    """The drafts to approve, each as it was read."""

    model_config = ConfigDict(extra="forbid")

    drafts: list[DraftVersion] = Field(min_length=1, max_length=MOST_APPROVED)


class ApprovedDraft(BaseModel):
    """What became of a draft.

    `pending`: what becomes of it will stand at `/api/commands/{command_id}`.
    """

    task_id: UUID
    outcome: ApprovalOutcome
    command_id: UUID | None = None
    reason: str | None = None


class ApprovedDrafts(BaseModel):
    """What became of each draft, in the order of the request."""

    approved: int
    refused: int
    pending: int
    drafts: list[ApprovedDraft]


def draft_of(task: TaskDocument, version: int) -> Draft | None:
    """Return the draft of the follow-up; None when it has none, or its letter is on its way."""
    draft = task.draft
    ahead = draft is not None and draft.ahead is not None
    if draft is None or task.followup_type is None or task.scheduled_for is None:
        return None
    if task.status not in ("pending", "due", "written", "failed") or task.email:
        return None
    if draft.status in ("composed", "discarded") or (task.status == "pending" and not ahead):
        return None
    letter = task.letter or (task.flagged and task.flagged.letter)
    status: DraftStatus = "writing"
    if letter:
        status = "flagged" if task.flagged else "approved" if draft.approved_at else "waiting"
    elif draft.status == "failed":
        status = "failed"
    findings = task.flagged.findings if task.flagged else ()
    return Draft.model_validate(
        {
            "_id": task.id,
            "agent_id": task.agent_id,
            "client_id": task.client_id,
            "followup_type": task.followup_type,
            "step": task.step,
            "scheduled_for": task.scheduled_for,
            "due": task.status != "pending",
            "status": status,
            "version": version,
            "written_by": draft.written_by,
            "written_at": draft.written_at if letter else None,
            "approved_at": draft.approved_at,
            "expires_at": draft.expires_at,
            "to_email": letter.to_email if letter else None,
            "subject": letter.subject if letter else None,
            "body": letter.body if letter else None,
            "language": letter.language if letter else None,
            "findings": [finding.model_dump() for finding in findings],
        }
    )
