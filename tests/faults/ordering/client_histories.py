"""Lives of clients: all that is told of an agent's clients, once, in its canonical order.

Both what persons and the provider order (commands), and what the services tell of it (events, with
the versions of their streams). The ids follow from a namespace: another one, another life.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from contracts import cloudevents, composer, crm, mailer, scheduler
from contracts.cloudevents import Envelope
from contracts.mailer import suppression_id
from contracts.message import Command, Event, Message
from services.mailer.email import email_id
from services.mailer.suppression import REASONS
from services.scheduler.plan import PLAN, STOPS
from tests.faults.ordering.history_strategies import ClientWay, FollowupWay, Sending

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PROFILE = crm.AgentProfile(name="Dana Reed", email="dana@reed.example")


@dataclass(frozen=True, slots=True)
class Told:
    """A message of a life. `by_worker`: not caused by a record, but by a worker of its writer."""

    message: Message
    envelope: Envelope
    by_worker: bool


class Life:
    """One agent with clients. `told` is the canonical order, `ids` whatever is told about.

    Each order is given twice, and some before there is anything to order: these change nothing, or
    are refused.
    """

    def __init__(self, namespace: UUID, ways: tuple[ClientWay, ...]) -> None:
        self.namespace = namespace
        self.told: list[Told] = []
        self._versions: Counter[str] = Counter()
        self._suppressed: set[UUID] = set()
        self._agent = {"agent_id": uuid5(namespace, "agent")}
        self.ids = set(self._agent.values())
        self._tell(crm.RegisterAgent, self._agent, personal=PROFILE)
        self._tell(crm.AgentRegistered, self._agent, registered_at=NOON, personal=PROFILE)
        for number, way in enumerate(ways):
            self._live(f"client{number}", way)
            retitled = PROFILE.model_copy(update={"title": f"Broker {number}"})
            self._tell(crm.UpdateAgent, self._agent, personal=retitled)
            self._tell(crm.AgentUpdated, self._agent, updated_at=NOON, personal=retitled)

    @property
    def streams(self) -> set[str]:
        """The streams that are told about."""
        return {told.envelope.subject for told in self.told}

    @property
    def _now(self) -> datetime:
        return NOON + timedelta(minutes=len(self.told))

    def _tell(
        self, type_: type[Message], about: dict[str, UUID], *, by_worker: bool = False, **rest: Any
    ) -> UUID:
        if issubclass(type_, Command):
            self._add(type_(**about, **rest), by_worker=by_worker)
        return self._add(type_(**about, **rest), by_worker=by_worker)

    def _too_early(self, type_: type[Command], about: dict[str, UUID], **rest: Any) -> None:
        self._tell(type_, about, **rest)

    def _add(self, message: Message, *, by_worker: bool) -> UUID:
        version = None
        if isinstance(message, Event):
            self._versions[message.stream] += 1
            version = self._versions[message.stream]
        envelope = cloudevents.about(
            message,
            id=uuid5(self.namespace, f"{len(self.told)}"),
            source="test",
            time=self._now,
            correlation=uuid5(self.namespace, f"correlation {len(self.told)}"),
            version=version,
        )
        self.told.append(Told(message, envelope, by_worker))
        return envelope.id

    def _live(self, name: str, way: ClientWay) -> None:
        about = self._agent | {"client_id": uuid5(self.namespace, name)}
        details = crm.ClientDetails(name=name, email=f"{name}@mail.example")
        kind: dict[str, Any] = {"stage": way.stage, "property_type": "land"}
        new = crm.NewClientDetails.model_validate(details.model_dump())
        self._tell(crm.CreateClient, about, **kind, personal=new)
        kind["created_at"] = NOON
        created = self._tell(crm.ClientCreated, about, **kind, personal=details)
        pending = [uuid5(created, f"followup {number}") for number in range(len(PLAN))]
        self.ids |= {about["client_id"], *pending, *map(email_id, pending)}
        self.ids.add(suppression_id(about["agent_id"], details.email))
        if way.stage in STOPS:
            pending.clear()
        else:
            self._plan(about, pending)
        for stage in way.before:
            self._change(about, kind, details, stage, pending)
        if way.stopped == "paused for a while" and pending:
            self._pause(about)
            self._tell(scheduler.ResumePlan, about)
            self._tell(scheduler.PlanResumed, about, resumed_at=self._now)
        for followup, of in zip(way.followups, tuple(pending), strict=False):
            if followup.planned != "pending":
                pending.remove(of)
            self._follow_up(about | {"followup_id": of}, followup, details)
        if way.stopped == "paused" and pending:
            self._pause(about)
        if way.stopped == "cancelled" and pending:
            self._tell(scheduler.CancelPlan, about)
            self._cancel(about, pending, "by_agent")
        for stage in way.after:
            self._change(about, kind, details, stage, pending)
        if way.deleted:
            self._tell(crm.DeleteClient, about)
            self._tell(crm.ClientDeleted, about, deleted_at=self._now)
            self._cancel(about, pending, "client_deleted")

    def _plan(self, about: dict[str, UUID], ids: list[UUID]) -> None:
        followups = tuple(
            scheduler.PlannedFollowup(
                followup_id=of, followup_type=kind, scheduled_for=NOON + days * DAY, priority=rank
            )
            for of, (days, kind, rank) in zip(ids, PLAN, strict=True)
        )
        self._tell(scheduler.FollowupsPlanned, about, planned_at=self._now, followups=followups)

    def _change(
        self,
        about: dict[str, UUID],
        kind: dict[str, Any],
        details: crm.ClientDetails,
        stage: crm.Stage,
        pending: list[UUID],
    ) -> None:
        """Change the stage and the notes: each change changes something."""
        notes = f"note {len(self.told)}"
        patch = crm.ClientDetailsPatch(notes=notes)
        self._tell(crm.UpdateClient, about, stage=stage, personal=patch)
        changed = details.model_copy(update={"notes": notes})
        kind["stage"] = stage
        self._tell(crm.ClientUpdated, about, **kind, updated_at=self._now, personal=changed)
        if stage in STOPS:
            self._cancel(about, pending, STOPS[stage])

    def _pause(self, about: dict[str, UUID]) -> None:
        self._tell(scheduler.PausePlan, about)
        self._tell(scheduler.PlanPaused, about, paused_at=self._now)

    def _cancel(self, about: dict[str, UUID], pending: list[UUID], reason: str) -> None:
        for of in pending:
            rest: dict[str, Any] = {"followup_id": of, "reason": reason, "cancelled_at": self._now}
            self._tell(scheduler.FollowupCancelled, about, **rest)
        pending.clear()

    def _follow_up(
        self, about: dict[str, UUID], way: FollowupWay, details: crm.ClientDetails
    ) -> None:
        if way.planned in ("moved", "moved and due"):
            for days in (40, 50):
                times: dict[str, Any] = {"scheduled_for": NOON + days * DAY}
                self._tell(scheduler.RescheduleFollowup, about, **times)
                times["rescheduled_at"] = self._now
                self._tell(scheduler.FollowupRescheduled, about, **times)
        if way.changed == "changed":
            self._note(about, scheduled_for=NOON + 60 * DAY, priority="low")
        if way.planned == "cancelled":
            self._tell(scheduler.CancelFollowup, about)
            self._tell(
                scheduler.FollowupCancelled, about, reason="by_agent", cancelled_at=self._now
            )
        if way.planned in ("due", "moved and due"):
            self._due(about, way, details)
        if way.changed != "left":
            self._note(about)

    def _note(self, about: dict[str, UUID], **more: Any) -> None:
        """Change the notes, and what else is given."""
        patch = scheduler.FollowupPatch(notes=f"note {len(self.told)}")
        self._tell(scheduler.ChangeFollowup, about, **more, personal=patch)
        if more:
            self._tell(scheduler.FollowupRescheduled, about, **more, rescheduled_at=self._now)
        notes = scheduler.FollowupNotes(notes=patch.notes)
        changed: dict[str, Any] = {"priority": "low", "changed_at": self._now}
        self._tell(scheduler.FollowupChanged, about, **changed, personal=notes)

    def _due(self, about: dict[str, UUID], way: FollowupWay, details: crm.ClientDetails) -> None:
        rest: dict[str, Any] = {
            "followup_type": "Day 1",
            "stage": "lead",
            "property_type": "land",
            "personal": scheduler.Recipient(client=details, agent=PROFILE),
        }
        due = rest | {"scheduled_for": NOON, "due_at": self._now}
        self._tell(scheduler.FollowupDue, about, by_worker=True, **due)
        self._draft(about, way, rest, details)

    def _draft(
        self,
        about: dict[str, UUID],
        way: FollowupWay,
        rest: dict[str, Any],
        details: crm.ClientDetails,
    ) -> None:
        self._tell(composer.DraftRequested, about, **rest, requested_at=self._now)
        self._too_early(composer.RetryDraft, about)
        failed: dict[str, Any] = {"by_worker": True, "error": "503", "failed_at": self._now}
        if way.drafted == "tried":
            tried = failed | {"attempt": 1, "retry_at": self._now + DAY}
            self._tell(composer.CompositionAttemptFailed, about, **tried)
        if way.drafted in ("failed", "ordered again"):
            self._tell(composer.CompositionFailed, about, **failed, attempts=3)
        if way.drafted == "ordered again":
            self._tell(composer.RetryDraft, about)
            self._tell(composer.DraftRequested, about, **rest, requested_at=self._now)
        if way.drafted in ("composed", "ordered again"):
            letter = composer.Letter(
                to_name=details.name,
                to_email=details.email,
                from_name=PROFILE.name,
                subject="Hello",
                body="Hi",
            )
            composed = {"written_by": "templates", "personal": letter}
            self._tell(
                composer.EmailComposed, about, by_worker=True, **composed, composed_at=self._now
            )
            about = about | {"email_id": email_id(about["followup_id"])}
            self._send(about, way.sending, composed)
            for kind in way.reports:
                self._report(about, kind, details.email)

    def _send(self, about: dict[str, UUID], way: Sending, composed: dict[str, Any]) -> None:
        self._tell(mailer.EmailQueued, about, **composed, queued_at=self._now)
        if way == "queued":
            return
        self._start(about, 1)
        failed: dict[str, Any] = {"by_worker": True, "error": "503", "failed_at": self._now}
        match way:
            case "sent":
                self._accept(about, 1)
            case "sent later":
                tried = failed | {"attempt": 1, "retry_at": self._now + DAY}
                self._tell(mailer.SendAttemptFailed, about, **tried)
                self._start(about, 2)
                self._accept(about, 2)
            case "failed":
                self._tell(mailer.EmailFailed, about, **failed, attempts=1)
            case "withheld":
                no = {"reason": "client_deleted", "withheld_at": self._now}
                self._tell(mailer.EmailWithheld, about, by_worker=True, **no)
            case "unknown" | "held" | "said sent" | "resent":
                self._doubt(about, way, composed)

    def _doubt(self, about: dict[str, UUID], way: Sending, composed: dict[str, Any]) -> None:
        self._too_early(mailer.ResolveEmail, about, resolution="resend")
        doubt: dict[str, Any] = {"by_worker": True, "attempt": 1, "error": "no answer"}
        until = self._now + DAY
        self._tell(
            mailer.SendOutcomeUnknown, about, **doubt, unknown_at=self._now, reconcile_at=until
        )
        if way == "unknown":
            return
        self._tell(mailer.EmailHeld, about, **doubt, held_at=self._now)
        if way == "said sent":
            self._tell(mailer.ResolveEmail, about, resolution="sent")
            self._tell(mailer.EmailSent, about, attempt=1, sent_at=self._now)
        if way == "resent":
            self._tell(mailer.ResolveEmail, about, resolution="resend")
            self._tell(mailer.EmailQueued, about, **composed, queued_at=self._now)
            self._start(about, 2)
            self._accept(about, 2)

    def _start(self, about: dict[str, UUID], attempt: int) -> None:
        times = {"started_at": self._now, "give_up_at": self._now + DAY}
        self._tell(mailer.SendStarted, about, by_worker=True, attempt=attempt, **times)

    def _accept(self, about: dict[str, UUID], attempt: int) -> None:
        sent = {"provider_message_id": "m1", "sent_at": self._now}
        self._tell(mailer.EmailSent, about, by_worker=True, attempt=attempt, **sent)

    def _report(self, about: dict[str, UUID], kind: mailer.DeliveryKind, address: str) -> None:
        recorded = mailer.RecordedAddress(email=address)
        self._tell(mailer.RecordDelivery, about, kind=kind, at=self._now, personal=recorded)
        shown = {
            "delivered": mailer.EmailDelivered,
            "opened": mailer.EmailOpened,
            "clicked": mailer.EmailClicked,
            "bounced": mailer.EmailBounced,
        }
        if kind in shown:
            self._tell(shown[kind], about, at=self._now)
        of = suppression_id(about["agent_id"], address)
        if kind in REASONS and of not in self._suppressed:
            self._suppressed.add(of)
            suppression = self._agent | {"suppression_id": of}
            no: dict[str, Any] = {"reason": kind, "suppressed_at": self._now}
            no["personal"] = mailer.SuppressedAddress(email=address)
            self._tell(mailer.AddressSuppressed, suppression, **no)
            self._tell(
                mailer.SuppressionConfirmed, suppression, by_worker=True, confirmed_at=self._now
            )
