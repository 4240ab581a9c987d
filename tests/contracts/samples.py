"""One message of every type, as a writer makes it: what the golden files have to read as."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.composer import (
    ApproveDraft,
    CompositionAttemptFailed,
    CompositionFailed,
    DiscardDraft,
    DraftApproved,
    DraftDiscarded,
    DraftFellDue,
    DraftPostponed,
    DraftRequested,
    DraftRevised,
    DraftWritten,
    EmailComposed,
    Finding,
    FlaggedLetter,
    Letter,
    LetterText,
    PrepareDraft,
    RetryDraft,
    ReviseDraft,
    RewriteDraft,
    TokensUsed,
)
from contracts.crm import (
    AgentDeactivated,
    AgentProfile,
    AgentReactivated,
    AgentRegistered,
    AgentUpdated,
    ClientCreated,
    ClientDeleted,
    ClientDetails,
    ClientDetailsPatch,
    ClientReassigned,
    ClientUpdated,
    CreateClient,
    DeactivateAgent,
    DeleteClient,
    NewClientDetails,
    PlannedSequence,
    ReactivateAgent,
    ReassignClient,
    RegisterAgent,
    UpdateAgent,
    UpdateClient,
)
from contracts.mailer import (
    SENDING_ID,
    AddressResubscribed,
    AddressSoftBounced,
    AddressSuppressed,
    AlertFailed,
    AlertRaised,
    AlertSent,
    AlertStarted,
    EmailBounced,
    EmailClicked,
    EmailDelivered,
    EmailFailed,
    EmailHeld,
    EmailMachineOpened,
    EmailOpened,
    EmailPostponed,
    EmailQueued,
    EmailSent,
    EmailWithdrawn,
    EmailWithheld,
    PauseSending,
    RecordDelivery,
    RecordedAddress,
    ReleaseSuppression,
    ResolveEmail,
    ResumeSending,
    SendAttemptFailed,
    SendingPaused,
    SendingResumed,
    SendingStopped,
    SendOutcomeUnknown,
    SendStarted,
    SuppressAddress,
    SuppressedAddress,
    SuppressionConfirmed,
    SuppressionReleased,
)
from contracts.message import Message
from contracts.notices import NoticeFailed, NoticeQueued, NoticeSent, NoticeStarted, SendNotice
from contracts.replies import CommandAccepted, CommandRejected
from contracts.scheduler import (
    AddFollowup,
    CancelFollowup,
    CancelPlan,
    ChangeFollowup,
    ClientReplied,
    DeletedFollowup,
    DueFollowupCancelled,
    FollowupCancelled,
    FollowupChanged,
    FollowupDue,
    FollowupInstructions,
    FollowupNotes,
    FollowupPatch,
    FollowupReassigned,
    FollowupRescheduled,
    FollowupsAdded,
    FollowupsPlanned,
    PausePlan,
    PlanDeleted,
    PlannedFollowup,
    PlanPaused,
    PlanResumed,
    Recipient,
    RecordReply,
    RescheduleFollowup,
    ResumePlan,
    StartPlan,
)
from contracts.sending_hours import SendingHours
from contracts.sequences import (
    DefineSequence,
    RetireSequence,
    SequenceDefined,
    SequenceRetired,
)
from contracts.steps import Step

AGENT = UUID("7b1f0c1e-5d3a-4c55-9a51-1f2f3c0a9d01")
FORMER_AGENT = UUID("c7b4a3d2-9f11-4c0e-8a5b-6d2f1e3c4b5a")
CLIENT = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
FOLLOWUP = UUID("3d813cbb-47fb-32ba-91df-831e1593ac29")
EMAIL = UUID("6fa459ea-ee8a-3ca4-894e-db77e160355e")
FORMER_EMAIL = UUID("9c858901-8a57-4791-81fe-4c455b099bc9")
SUPPRESSION = UUID("886313e1-3b8a-5372-9b90-0c9aee199e5d")
ALERT = UUID("16fd2706-8baf-433b-82eb-8c7fada84001")
SEQUENCE = UUID("2c5ea4c0-4067-5e9b-9a3d-5a1f6e2d7b10")
NOON = datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)

PROFILE = AgentProfile(
    name="Dana Reed",
    email="dana@reed-homes.example",
    title="Broker",
    company="Reed Homes",
    phone="+1 555 0100",
    signature="Warmly,\nDana",
    reply_to="team@reed-homes.example",
    time_zone="America/Chicago",
    postal_address="Reed Homes\n1 Main Street\nSpringfield, IL 62701",
    disclosure="Licensed in Illinois, no. 471.000000",
    website="https://reed-homes.example",
    language="en-US",
    sending_hours=SendingHours(days=("mon", "tue", "wed", "thu", "fri"), end="18:30"),
    review="approve",
)
DETAILS = ClientDetails(
    name="María José López",
    email="Maria@Mail.example",
    phone="+1 555 0199, extensi",
    property_address="12 Elm St, Springfield",
    notes="Two children; prefers mornings.",
    custom_fields={"budget": 450000, "areas": ["North", "Old Town"], "loan": {"approved": True}},
    greeting="María José",
    language="es-US",
    time_zone="America/New_York",
    source="Open House",
    lead_since="2025-11-30",
    full_phone="+1 555 0199, extension 4411",
    review="automatic",
)
SPRING = PlannedSequence(
    name="Buyers in spring",
    stages=("negotiating",),
    steps=(
        Step(name="After the viewing", days=2, priority="high", goal="Ask what they liked."),
        Step(name="A year later", years=1),
    ),
)
LETTER = Letter(
    to_name=DETAILS.name,
    to_email=DETAILS.email,
    from_name=PROFILE.name,
    reply_to=PROFILE.reply_to,
    subject="Your search in Springfield",
    body="Hi María José,\n\nhow is the search going?\n\nWarmly,\nDana",
    from_email=PROFILE.email,
    language=DETAILS.language,
    postal_address=PROFILE.postal_address,
    disclosure=PROFILE.disclosure,
)
NOTICE = Letter(
    to_name="",
    to_email=PROFILE.email,
    from_name="RealtorOS",
    subject="RealtorOS: set a new password",
    body="Set it here: https://realtoros.example/reset?token=…",
)
_agent: dict[str, Any] = {"agent_id": AGENT}
_client: dict[str, Any] = {**_agent, "client_id": CLIENT}
_followup: dict[str, Any] = {**_client, "followup_id": FOLLOWUP}
_email: dict[str, Any] = {**_followup, "email_id": EMAIL}
_alert: dict[str, Any] = _client | {"followup_id": FOLLOWUP, "alert_id": ALERT}
_notice: dict[str, Any] = _agent | {"notice_id": ALERT}
_kind: dict[str, Any] = {"stage": "negotiating", "property_type": "commercial"}
_recipient = Recipient(client=DETAILS, agent=PROFILE, goal="Ask what they liked.")
_sequence: dict[str, Any] = _agent | {"sequence_id": SEQUENCE}

SAMPLES: tuple[Message, ...] = (
    AgentRegistered(**_agent, registered_at=NOON, personal=PROFILE),
    AgentUpdated(**_agent, updated_at=LATER, personal=PROFILE),
    AgentDeactivated(**_agent, deactivated_at=NOON),
    AgentReactivated(**_agent, reactivated_at=LATER),
    ClientCreated(
        **_client,
        **_kind,
        created_at=NOON,
        personal=DETAILS,
        opted_out=False,
        agent_time_zone="America/Chicago",
        imported=True,
        sequence=SPRING,
    ),
    SequenceDefined(**_sequence, sequence=SPRING, defined_at=NOON),
    SequenceRetired(**_sequence, retired_at=LATER),
    ClientUpdated(**_client, **_kind, created_at=NOON, updated_at=LATER, personal=DETAILS),
    ClientReassigned(**_client, former_agent_id=FORMER_AGENT, reassigned_at=LATER),
    ClientDeleted(**_client, deleted_at=LATER),
    FollowupsPlanned(
        **_client,
        planned_at=NOON,
        followups=(
            PlannedFollowup(
                followup_id=FOLLOWUP,
                followup_type="Custom",
                scheduled_for=NOON + timedelta(days=2),
                priority="high",
                step="After the viewing",
                goal="Ask what they liked.",
            ),
        ),
        sequence=SPRING.named,
    ),
    FollowupsAdded(
        **_client,
        added_at=NOON,
        followups=(
            PlannedFollowup(
                followup_id=FOLLOWUP,
                followup_type="Custom",
                scheduled_for=LATER,
                priority="medium",
                step="A year later",
                goal="Ask how they are.",
            ),
        ),
        personal=FollowupInstructions(instructions="Say that the roof was mended."),
        sequence=SPRING.named,
    ),
    FollowupDue(
        **_followup,
        **_kind,
        followup_type="Week 1",
        scheduled_for=NOON,
        due_at=LATER,
        personal=_recipient,
        former_agents=(FORMER_AGENT,),
    ),
    FollowupRescheduled(**_followup, scheduled_for=LATER, rescheduled_at=NOON),
    FollowupCancelled(**_followup, reason="client_lost", cancelled_at=NOON, detail="unsubscribed"),
    DueFollowupCancelled(**_followup, reason="by_agent", cancelled_at=NOON),
    FollowupChanged(
        **_followup,
        priority="high",
        changed_at=NOON,
        personal=FollowupNotes(notes="Ask María José about the loan."),
    ),
    ClientReplied(**_client, replied_at=NOON, source="email", email_id=EMAIL),
    PlanPaused(**_client, paused_at=NOON, reason="address_bounced"),
    PlanResumed(**_client, resumed_at=LATER),
    PlanDeleted(
        **_client,
        followups=(DeletedFollowup(followup_id=FOLLOWUP, was_due=True),),
        deleted_at=LATER,
    ),
    FollowupReassigned(
        **_followup, former_agent_id=FORMER_AGENT, was_due=True, reassigned_at=LATER
    ),
    DraftRequested(
        **_followup,
        **_kind,
        followup_type="Month 1",
        requested_at=NOON,
        personal=_recipient,
        former_agents=(FORMER_AGENT,),
        fell_due_at=NOON,
        ahead_of=LATER,
        review="approve",
    ),
    CompositionAttemptFailed(
        **_followup, attempt=1, error="429 rate limit", failed_at=NOON, retry_at=LATER
    ),
    EmailComposed(
        **_followup,
        written_by="gpt-4o-mini",
        composed_at=NOON,
        personal=LETTER,
        former_agents=(FORMER_AGENT,),
        tokens=TokensUsed(prompt=612, completion=148),
        fell_due_at=NOON,
        approved_at=NOON,
    ),
    DraftWritten(
        **_followup,
        written_by="gpt-4o-mini",
        written_at=NOON,
        expires_at=LATER,
        tokens=TokensUsed(prompt=612, completion=148),
        personal=LETTER,
    ),
    DraftRevised(**_followup, revised_at=NOON, expires_at=LATER, personal=LETTER),
    DraftApproved(**_followup, approved_at=NOON),
    DraftFellDue(
        **_followup,
        **_kind,
        fell_due_at=NOON,
        expires_at=LATER,
        personal=_recipient,
        former_agents=(FORMER_AGENT,),
    ),
    CompositionFailed(
        **_followup,
        attempts=3,
        error="the letter is not fit to send: placeholder, price",
        failed_at=NOON,
        flags=("placeholder", "price"),
        tokens=TokensUsed(prompt=1350, completion=301),
        written_by="gpt-4o-mini",
        personal=FlaggedLetter(
            letter=LETTER,
            findings=(
                Finding(flag="placeholder", excerpt="[Client Name]"),
                Finding(flag="price", excerpt="$480,000"),
            ),
        ),
    ),
    DraftPostponed(**_followup, reason="daily_limit", postponed_at=NOON, until=LATER),
    DraftDiscarded(**_followup, reason="by_agent", discarded_at=NOON),
    EmailQueued(
        **_email,
        written_by="templates",
        queued_at=NOON,
        personal=LETTER,
        former_agents=(FORMER_AGENT,),
        fell_due_at=NOON,
        approved_at=NOON,
    ),
    SendStarted(**_email, attempt=1, started_at=NOON, give_up_at=LATER, follows=(FORMER_EMAIL,)),
    SendAttemptFailed(**_email, attempt=1, error="503", failed_at=NOON, retry_at=LATER),
    EmailSent(**_email, attempt=2, provider_message_id="14c5d75ce93.dfd", sent_at=NOON),
    EmailFailed(**_email, attempts=3, error="400 bad request", failed_at=NOON),
    EmailWithdrawn(**_email, reason="client_reassigned", withdrawn_at=NOON),
    EmailPostponed(**_email, reason="daily_limit", postponed_at=NOON, until=LATER),
    EmailWithheld(**_email, reason="address_suppressed", withheld_at=NOON),
    SendOutcomeUnknown(
        **_email, attempt=1, error="no answer in time", unknown_at=NOON, reconcile_at=LATER
    ),
    EmailHeld(**_email, attempt=1, error="no answer in time", held_at=LATER),
    EmailDelivered(**_email, at=NOON),
    EmailOpened(**_email, at=NOON),
    EmailMachineOpened(**_email, at=NOON),
    EmailClicked(**_email, at=NOON),
    EmailBounced(**_email, at=NOON, reason="550 no such mailbox"),
    AddressSuppressed(
        **_agent,
        suppression_id=SUPPRESSION,
        reason="unsubscribed",
        suppressed_at=NOON,
        personal=SuppressedAddress(
            email="maria@bücher.example", canonical="maria@xn--bcher-kva.example"
        ),
        reported_client=CLIENT,
        reported_at=NOON,
        source="link",
    ),
    SuppressionConfirmed(**_agent, suppression_id=SUPPRESSION, confirmed_at=LATER),
    AddressSoftBounced(**_agent, suppression_id=SUPPRESSION, bounced_at=NOON),
    AddressResubscribed(
        **_agent, suppression_id=SUPPRESSION, resubscribed_at=NOON, reported_client=CLIENT
    ),
    SuppressionReleased(
        **_agent,
        suppression_id=SUPPRESSION,
        reason="asked by phone to get emails again",
        released_at=NOON,
        reported_client=CLIENT,
    ),
    SendingPaused(**_agent, sending_id=SENDING_ID, paused_at=NOON, reason="the letters look wrong"),
    SendingStopped(**_agent, sending_id=SENDING_ID, stopped_at=LATER),
    SendingResumed(**_agent, sending_id=SENDING_ID, resumed_at=LATER),
    AlertRaised(
        **_alert, problem="sending_failed", error="the mail provider answered 401", raised_at=NOON
    ),
    AlertStarted(**_alert, attempt=1, started_at=NOON),
    AlertSent(**_alert, sent_at=NOON),
    AlertFailed(**_alert, error="the mail provider answered 503", failed_at=NOON, retry_at=LATER),
    NoticeQueued(**_notice, queued_at=NOON, expires_at=LATER, confidential=True, personal=NOTICE),
    NoticeStarted(**_notice, attempt=1, started_at=NOON),
    NoticeSent(**_notice, sent_at=NOON),
    NoticeFailed(**_notice, error="the mail provider answered 503", failed_at=NOON, retry_at=LATER),
    RegisterAgent(**_agent, personal=PROFILE),
    UpdateAgent(**_agent, personal=PROFILE),
    DeactivateAgent(**_agent, deactivated_at=NOON),
    ReactivateAgent(**_agent, reactivated_at=LATER),
    DefineSequence(**_sequence, sequence=SPRING),
    RetireSequence(**_sequence),
    CreateClient(
        **_client,
        stage="lead",
        property_type="land",
        personal=NewClientDetails.model_validate(DETAILS.fields()),
        agent_time_zone="America/Chicago",
        imported=True,
        sequence=SPRING,
    ),
    UpdateClient(**_client, stage="closed", personal=ClientDetailsPatch(phone=None, name="Maria")),
    ReassignClient(**_client, to_agent_id=FORMER_AGENT),
    DeleteClient(**_client),
    RescheduleFollowup(**_followup, scheduled_for=LATER),
    ChangeFollowup(
        **_followup,
        if_version=4,
        scheduled_for=LATER,
        priority="low",
        personal=FollowupPatch(notes=None),
    ),
    CancelFollowup(**_followup),
    StartPlan(**_client, time_zone="America/Chicago", sequence=SPRING),
    AddFollowup(
        **_followup,
        scheduled_for=LATER,
        priority="medium",
        personal=FollowupInstructions(instructions="Say that the roof was mended."),
    ),
    RecordReply(**_client, replied_at=NOON, source="email", email_id=EMAIL),
    PausePlan(**_client),
    ResumePlan(**_client),
    CancelPlan(**_client),
    RetryDraft(**_followup),
    PrepareDraft(
        **_followup, **_kind, followup_type="Week 1", scheduled_for=LATER, personal=_recipient
    ),
    RewriteDraft(**_followup, **_kind, personal=_recipient),
    ReviseDraft(**_followup, personal=LetterText(subject="Your search", body="Hi María José")),
    ApproveDraft(**_followup, personal=_recipient),
    DiscardDraft(**_followup),
    ResolveEmail(**_email, resolution="resend"),
    RecordDelivery(
        **_email,
        kind="bounced",
        at=NOON,
        attempt=2,
        reason="550 no such mailbox",
        personal=RecordedAddress(email="Maria@Mail.example"),
    ),
    SuppressAddress(
        **_agent,
        suppression_id=SUPPRESSION,
        reason="unsubscribed",
        source="provider",
        reported_client=CLIENT,
        reported_at=NOON,
        personal=RecordedAddress(email="Maria@bücher.example"),
    ),
    ReleaseSuppression(
        **_agent, suppression_id=SUPPRESSION, reason="asked by phone to get emails again"
    ),
    PauseSending(**_agent, sending_id=SENDING_ID, reason="the letters look wrong"),
    ResumeSending(**_agent, sending_id=SENDING_ID),
    SendNotice(**_notice, expires_at=LATER, personal=NOTICE),
    CommandAccepted(**_agent, about=f"client-{CLIENT}", version=3),
    CommandRejected(
        **_agent,
        about=f"client-{CLIENT}",
        kind="conflict",
        reason="another client has this email",
        field="email",
    ),
)
