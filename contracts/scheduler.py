"""The messages of scheduler: when a client's follow-ups are due."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.crm import (
    AgentProfile,
    ClientDetails,
    NamedSequence,
    Notes,
    PlannedSequence,
    PropertyType,
    Stage,
    TimeZone,
)
from contracts.message import AboutClient, Command, Contract, Event, Time, Unset, added, unset
from contracts.steps import Goal, Priority, SequenceName

FollowupType = Literal["Day 1", "Day 3", "Week 1", "Week 2", "Month 1", "Custom"]
CancelReason = Literal["client_deleted", "client_closed", "client_lost", "by_agent"]


class PlanStream(AboutClient):
    """Messages about the stream `plan-<client_id>`: one plan per client."""

    @property
    def stream(self) -> str:
        return f"plan-{self.client_id}"


class PlannedFollowup(Contract):
    """One follow-up of a plan, as it was planned.

    `step`: what its sequence calls one of type Custom; `goal`: what the step's letters are for.
    """

    followup_id: UUID
    followup_type: FollowupType
    scheduled_for: Time
    priority: Priority
    step: SequenceName | None = added()
    goal: Goal | None = added()


class Recipient(Contract):
    """What composing needs to know: the recipient, the sender, what the agent wants it to say.

    `goal`: what the letters of this step are for, to whomever they go.
    """

    client: ClientDetails
    agent: AgentProfile
    instructions: Notes | None = added()
    goal: Goal | None = added()


# The agents that a client has had before, in order, or None. What the client has told them not to
# do must not be done by a later one either.
FormerAgents = tuple[UUID, ...] | None


class FollowupNotes(Contract):
    """What the agent has noted about a follow-up."""

    notes: Notes | None = None


class FollowupsPlanned(PlanStream, Event, name="realtoros.FollowupsPlanned.v1"):
    """The follow-ups of a new client, in the order of their dates.

    They are the steps of `sequence`, without one those of a new lead.
    """

    planned_at: Time
    followups: tuple[PlannedFollowup, ...]
    sequence: NamedSequence | None = added()


class FollowupInstructions(Contract):
    """What the agent wants the letter of a follow-up to say."""

    instructions: Notes | None = None


class FollowupsAdded(PlanStream, Event, name="realtoros.FollowupsAdded.v1"):
    """Follow-ups were added to the client's plan: the steps of `sequence`, or one of type Custom.

    It may be the first event of the plan. `personal` is about the Custom one. Five without a
    sequence are the steps of a new lead.
    """

    added_at: Time
    followups: tuple[PlannedFollowup, ...]
    personal: FollowupInstructions = FollowupInstructions()
    sequence: NamedSequence | None = added()


class FollowupDue(PlanStream, Event, name="realtoros.FollowupDue.v1"):
    """A follow-up's date has come: it is composed and sent now."""

    followup_id: UUID
    followup_type: FollowupType
    scheduled_for: Time
    due_at: Time
    stage: Stage
    property_type: PropertyType
    personal: Recipient
    former_agents: FormerAgents = None


class FollowupRescheduled(PlanStream, Event, name="realtoros.FollowupRescheduled.v1"):
    """A pending follow-up has another date."""

    followup_id: UUID
    scheduled_for: Time
    rescheduled_at: Time


class FollowupCancelled(PlanStream, Event, name="realtoros.FollowupCancelled.v1"):
    """A pending follow-up will not be sent.

    `detail`: what `reason` has no value for; `unsubscribed` or `spam_report` (with `client_lost`):
    the client opted out. Others may be added.
    """

    followup_id: UUID
    reason: CancelReason
    cancelled_at: Time
    detail: str | None = None


class DueFollowupCancelled(PlanStream, Event, name="realtoros.DueFollowupCancelled.v1"):
    """A follow-up that has fallen due is not to be written or sent, if it is not too late for that.

    DraftDiscarded or EmailWithdrawn say that it was not; EmailSent that it was too late. `reason`:
    `by_agent`, `client_deleted`, `client_closed`, `client_lost`, `unsubscribed`, `spam_report`.
    Others may be added.
    """

    followup_id: UUID
    reason: str
    cancelled_at: Time


class FollowupChanged(PlanStream, Event, name="realtoros.FollowupChanged.v1"):
    """A follow-up's priority and notes after a change of either."""

    followup_id: UUID
    priority: Priority
    changed_at: Time
    personal: FollowupNotes


class ClientReplied(PlanStream, Event, name="realtoros.ClientReplied.v1"):
    """The client has answered; PlanPaused follows where something waits to be sent.

    It may be the first event of the plan. `source`: `agent`, who says so, or `email`; others may be
    added. `email_id`: the email that was answered, where that is known.
    """

    replied_at: Time
    source: str
    email_id: UUID | None = None


class PlanPaused(PlanStream, Event, name="realtoros.PlanPaused.v1"):
    """No follow-up of the client falls due until PlanResumed; emails that wait are withdrawn.

    `reason`: `address_bounced`; `address_suppressed`: an email was withheld; `client_replied`.
    Others may be added. None: the agent decided so.
    """

    paused_at: Time
    reason: str | None = None


class PlanResumed(PlanStream, Event, name="realtoros.PlanResumed.v1"):
    """Follow-ups fall due again; those whose date has passed meanwhile, one a day."""

    resumed_at: Time


class FollowupReassigned(PlanStream, Event, name="realtoros.FollowupReassigned.v1"):
    """The client, and so the follow-up, belongs to the agent `agent_id` from now on.

    `was_due`: it has fallen due already, so its email is in the name of `former_agent_id`, or of
    an agent before that one.
    """

    followup_id: UUID
    former_agent_id: UUID
    was_due: bool
    reassigned_at: Time


class DeletedFollowup(Contract):
    """A follow-up of a client that was deleted. `was_due`: it may have had a letter."""

    followup_id: UUID
    was_due: bool


class PlanDeleted(PlanStream, Event, name="realtoros.PlanDeleted.v1"):
    """The client was deleted: readers that keep texts or addresses of these follow-ups drop them.

    Those that were not sent are cancelled before it, by events of their own.
    """

    followups: tuple[DeletedFollowup, ...]
    deleted_at: Time


FollowupEvent = (
    FollowupsPlanned
    | FollowupsAdded
    | FollowupDue
    | FollowupRescheduled
    | FollowupCancelled
    | DueFollowupCancelled
    | FollowupChanged
    | ClientReplied
    | PlanPaused
    | PlanResumed
    | FollowupReassigned
    | PlanDeleted
)


class RescheduleFollowup(PlanStream, Command, name="realtoros.RescheduleFollowup.v1"):
    """Move a pending follow-up to another date."""

    followup_id: UUID
    scheduled_for: Time


class CancelFollowup(PlanStream, Command, name="realtoros.CancelFollowup.v1"):
    """Cancel a follow-up that is pending, or due and not sent yet."""

    followup_id: UUID


class FollowupPatch(Contract):
    """Notes to change (RFC 7396): absent they stay, null empties them."""

    notes: Notes | Unset | None = unset(None)


class ChangeFollowup(PlanStream, Command, name="realtoros.ChangeFollowup.v1"):
    """Change the fields that are present: date and priority of a pending follow-up, notes of any.

    Neither a date nor a priority can be taken away: null leaves them as they are.
    """

    followup_id: UUID
    scheduled_for: Time | None = None
    priority: Priority | None = None
    personal: FollowupPatch = Field(
        default=FollowupPatch(), json_schema_extra={"default": {"notes": None}}
    )


class StartPlan(PlanStream, Command, name="realtoros.StartPlan.v1"):
    """Plan the steps of `sequence` from now on, for a client that has no pending follow-up.

    Without one, those of a new lead. It counts in days of `time_zone`, the client's or the agent's.
    """

    time_zone: TimeZone | None = added()
    sequence: PlannedSequence | None = added()


class AddFollowup(PlanStream, Command, name="realtoros.AddFollowup.v1"):
    """Add one follow-up of type Custom to the client's plan, under this id."""

    followup_id: UUID
    scheduled_for: Time
    priority: Priority = "medium"
    personal: FollowupInstructions = FollowupInstructions()


class RecordReply(PlanStream, Command, name="realtoros.RecordReply.v1"):
    """Record that the client has answered, and pause the plan; the fields are ClientReplied's."""

    replied_at: Time
    source: str = "agent"
    email_id: UUID | None = None


class PausePlan(PlanStream, Command, name="realtoros.PausePlan.v1"):
    """Let no follow-up of the client fall due until ResumePlan."""


class ResumePlan(PlanStream, Command, name="realtoros.ResumePlan.v1"):
    """Let the follow-ups of a paused plan fall due again."""


class CancelPlan(PlanStream, Command, name="realtoros.CancelPlan.v1"):
    """Cancel all follow-ups of the client that are pending, or due and not sent yet."""
