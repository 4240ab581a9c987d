"""Events that the other services would publish about one client's follow-ups."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

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
    Finding,
    FlaggedLetter,
    Letter,
)
from contracts.crm import AgentProfile, ClientDetails
from contracts.mailer import (
    EmailClicked,
    EmailDelivered,
    EmailFailed,
    EmailOpened,
    EmailPostponed,
    EmailQueued,
    EmailSent,
    EmailWithdrawn,
    EmailWithheld,
    SendOutcomeUnknown,
    SendStarted,
    email_id,
)
from contracts.scheduler import (
    DeletedFollowup,
    DueFollowupCancelled,
    FollowupCancelled,
    FollowupChanged,
    FollowupDue,
    FollowupNotes,
    FollowupRescheduled,
    FollowupsPlanned,
    FollowupType,
    PlanDeleted,
    PlannedFollowup,
    PlanPaused,
    PlanResumed,
    Recipient,
)
from contracts.steps import Priority

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FIVE: tuple[tuple[FollowupType, int, Priority], ...] = (
    ("Day 1", 1, "high"),
    ("Day 3", 3, "medium"),
    ("Week 1", 7, "medium"),
    ("Week 2", 14, "low"),
    ("Month 1", 30, "low"),
)
LETTER = Letter(
    to_name="Maria",
    to_email="maria@mail.example",
    from_name="Dana",
    subject="Hello",
    body="Hi Maria",
)
_PEOPLE = Recipient(
    client=ClientDetails(name="Maria", email="maria@mail.example"),
    agent=AgentProfile(name="Dana", email="dana@reed.example"),
)


class Story:
    """The events about one client's plan; `at` is in days after noon."""

    def __init__(self, agent_id: UUID, client_id: UUID | str) -> None:
        self.client = UUID(str(client_id))
        self._about: dict[str, Any] = {"agent_id": agent_id, "client_id": self.client}
        self.ids = [uuid4() for _ in FIVE]
        self.emails = [email_id(of) for of in self.ids]

    def _of(self, number: int) -> dict[str, Any]:
        return self._about | {"followup_id": self.ids[number]}

    def _mail(self, number: int) -> dict[str, Any]:
        return self._of(number) | {"email_id": self.emails[number]}

    def planned(self) -> FollowupsPlanned:
        return FollowupsPlanned(
            **self._about,
            planned_at=NOON,
            followups=tuple(
                PlannedFollowup(
                    followup_id=id_,
                    followup_type=kind,
                    scheduled_for=NOON + days * DAY,
                    priority=priority,
                )
                for id_, (kind, days, priority) in zip(self.ids, FIVE, strict=True)
            ),
        )

    def due(self, number: int, at: float) -> FollowupDue:
        return FollowupDue(
            **self._of(number),
            followup_type=FIVE[number][0],
            scheduled_for=NOON,
            due_at=NOON + at * DAY,
            stage="lead",
            property_type="land",
            personal=_PEOPLE,
        )

    def moved(self, number: int, to: float, at: float = 0) -> FollowupRescheduled:
        return FollowupRescheduled(
            **self._of(number), scheduled_for=NOON + to * DAY, rescheduled_at=NOON + at * DAY
        )

    def cancelled(self, number: int, at: float) -> FollowupCancelled:
        return FollowupCancelled(
            **self._of(number), reason="by_agent", cancelled_at=NOON + at * DAY
        )

    def cancelled_when_due(
        self, number: int, at: float, reason: str = "by_agent"
    ) -> DueFollowupCancelled:
        return DueFollowupCancelled(**self._of(number), reason=reason, cancelled_at=NOON + at * DAY)

    def changed(
        self, number: int, at: float, priority: Priority, notes: str | None
    ) -> FollowupChanged:
        return FollowupChanged(
            **self._of(number),
            priority=priority,
            changed_at=NOON + at * DAY,
            personal=FollowupNotes(notes=notes),
        )

    def paused(self, at: float) -> PlanPaused:
        return PlanPaused(**self._about, paused_at=NOON + at * DAY)

    def deleted(self, at: float) -> PlanDeleted:
        followups = (
            DeletedFollowup(followup_id=id_, was_due=number == 0)
            for number, id_ in enumerate(self.ids)
        )
        return PlanDeleted(**self._about, followups=tuple(followups), deleted_at=NOON + at * DAY)

    def resumed(self, at: float) -> PlanResumed:
        return PlanResumed(**self._about, resumed_at=NOON + at * DAY)

    def requested(self, number: int, at: float, ahead_of: float | None = None) -> DraftRequested:
        return DraftRequested(
            **self._of(number),
            followup_type=FIVE[number][0],
            requested_at=NOON + at * DAY,
            ahead_of=None if ahead_of is None else NOON + ahead_of * DAY,
            stage="lead",
            property_type="land",
            personal=_PEOPLE,
        )

    def written(self, number: int, at: float) -> DraftWritten:
        when = NOON + at * DAY
        return DraftWritten(
            **self._of(number),
            written_by="templates",
            written_at=when,
            expires_at=when + 7 * DAY,
            personal=LETTER,
        )

    def revised(self, number: int, at: float) -> DraftRevised:
        when, letter = NOON + at * DAY, LETTER.model_copy(update={"body": "Hello."})
        return DraftRevised(
            **self._of(number), revised_at=when, expires_at=when + 7 * DAY, personal=letter
        )

    def approved(self, number: int, at: float) -> DraftApproved:
        return DraftApproved(**self._of(number), approved_at=NOON + at * DAY)

    def fell_due(self, number: int, at: float) -> DraftFellDue:
        when = NOON + at * DAY
        return DraftFellDue(
            **self._of(number),
            fell_due_at=when,
            expires_at=when + 7 * DAY,
            stage="lead",
            property_type="land",
            personal=_PEOPLE,
        )

    def composed(self, number: int, at: float) -> EmailComposed:
        return EmailComposed(
            **self._of(number), written_by="templates", composed_at=NOON + at * DAY, personal=LETTER
        )

    def not_composed(self, number: int, at: float) -> CompositionFailed:
        return CompositionFailed(
            **self._of(number), attempts=3, error="no text", failed_at=NOON + at * DAY
        )

    def discarded(self, number: int, at: float) -> DraftDiscarded:
        return DraftDiscarded(**self._of(number), reason="by_agent", discarded_at=NOON + at * DAY)

    def draft_postponed(self, number: int, at: float, until: float) -> DraftPostponed:
        return DraftPostponed(
            **self._of(number),
            reason="daily_limit",
            postponed_at=NOON + at * DAY,
            until=NOON + until * DAY,
        )

    def flagged(self, number: int, at: float) -> CompositionFailed:
        finding = Finding(flag="placeholder", excerpt="[Client Name]")
        return CompositionFailed(
            **self._of(number),
            attempts=1,
            error="not fit to send: placeholder",
            failed_at=NOON + at * DAY,
            flags=("placeholder",),
            personal=FlaggedLetter(letter=LETTER, findings=(finding,)),
        )

    def queued(self, number: int, at: float, to: str = LETTER.to_email) -> EmailQueued:
        letter = LETTER.model_copy(update={"to_email": to})
        return EmailQueued(
            **self._mail(number), written_by="templates", queued_at=NOON + at * DAY, personal=letter
        )

    def postponed(self, number: int, at: float, until: float) -> EmailPostponed:
        return EmailPostponed(
            **self._mail(number),
            reason="daily_limit",
            postponed_at=NOON + at * DAY,
            until=NOON + until * DAY,
        )

    def withdrawn(self, number: int, at: float, reason: str) -> EmailWithdrawn:
        return EmailWithdrawn(**self._mail(number), reason=reason, withdrawn_at=NOON + at * DAY)

    def started(self, number: int, at: float) -> SendStarted:
        when = NOON + at * DAY
        return SendStarted(**self._mail(number), attempt=1, started_at=when, give_up_at=when)

    def sent(self, number: int, at: float) -> EmailSent:
        return EmailSent(
            **self._mail(number), attempt=1, provider_message_id="m1", sent_at=NOON + at * DAY
        )

    def failed(self, number: int, at: float) -> EmailFailed:
        return EmailFailed(
            **self._mail(number), attempts=3, error="refused", failed_at=NOON + at * DAY
        )

    def withheld(self, number: int, at: float) -> EmailWithheld:
        return EmailWithheld(
            **self._mail(number), reason="address_suppressed", withheld_at=NOON + at * DAY
        )

    def unknown(self, number: int, at: float) -> SendOutcomeUnknown:
        return SendOutcomeUnknown(
            **self._mail(number), attempt=1, error="no answer", unknown_at=NOON + at * DAY
        )

    def delivered(self, number: int, at: float) -> EmailDelivered:
        return EmailDelivered(**self._mail(number), at=NOON + at * DAY)

    def opened(self, number: int, at: float) -> EmailOpened:
        return EmailOpened(**self._mail(number), at=NOON + at * DAY)

    def clicked(self, number: int, at: float) -> EmailClicked:
        return EmailClicked(**self._mail(number), at=NOON + at * DAY)
