"""The history of an agent's clients: all commands and events, in a canonical order.

Commands come from people and the provider, events from the services.
"""

from collections import defaultdict
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from contracts import composer, crm, mailer, scheduler
from contracts.mailer import email_id, suppression_id
from contracts.sequences import NEW_LEAD
from services.scheduler.plan import CANCEL_REASONS, TYPES
from tests.faults.ordering.history_strategies import ClientScenario, FollowupScenario, Sending
from tests.faults.ordering.message_history import NOON, MessageHistory

DAY = timedelta(days=1)
SUPPRESSING = ("bounced", "unsubscribed", "spam_report")
PROFILE = crm.AgentProfile(name="Dana Reed", email="dana@reed.example")


class AgentHistory(MessageHistory):
    """One agent with clients. `messages` is the canonical order, `ids` all aggregates in them.

    Repeated commands, and some that come too early, change nothing or are refused.
    """

    def __init__(self, namespace: UUID, scenarios: tuple[ClientScenario, ...]) -> None:
        super().__init__(namespace)
        self._suppressed: dict[UUID, str] = {}
        self._due_followups: set[UUID] = set()
        # By client: what is due, and can be cancelled still.
        self._stoppable: dict[UUID, dict[UUID, FollowupScenario]] = defaultdict(dict)
        self._agent = {"agent_id": uuid5(namespace, "agent")}
        self.ids = set(self._agent.values())
        self._append(crm.RegisterAgent, self._agent, personal=PROFILE)
        self._append(crm.AgentRegistered, self._agent, registered_at=NOON, personal=PROFILE)
        for number, scenario in enumerate(scenarios):
            self._client(f"client{number}", scenario)
            retitled = PROFILE.model_copy(update={"title": f"Broker {number}"})
            self._append(crm.UpdateAgent, self._agent, personal=retitled)
            self._append(crm.AgentUpdated, self._agent, updated_at=NOON, personal=retitled)
            self._deactivate(reactivated=number == 0)
            self._pause_sending()

    def _pause_sending(self) -> None:
        """Pause and resume all sending, by a switch of this history's own.

        Without the commands: mailer knows one switch only, which histories would share.
        """
        about = self._agent | {"sending_id": uuid5(self.namespace, "sending")}
        self.ids.add(about["sending_id"])
        self._append(mailer.SendingPaused, about, paused_at=self._now)
        self._append(mailer.SendingStopped, about, stopped_at=self._now)
        self._append(mailer.SendingResumed, about, resumed_at=self._now)

    def _deactivate(self, *, reactivated: bool) -> None:
        changed: dict[str, Any] = {"deactivated_at": self._now}
        self._append(crm.DeactivateAgent, self._agent, **changed)
        self._append(crm.AgentDeactivated, self._agent, **changed)
        if reactivated:
            changed = {"reactivated_at": self._now}
            self._append(crm.ReactivateAgent, self._agent, **changed)
            self._append(crm.AgentReactivated, self._agent, **changed)

    def _client(self, name: str, scenario: ClientScenario) -> None:
        about = self._agent | {"client_id": uuid5(self.namespace, name)}
        details = crm.ClientDetails(name=name, email=f"{name}@mail.example")
        kind: dict[str, Any] = {"stage": scenario.stage, "property_type": "land"}
        new = crm.NewClientDetails.model_validate(details.model_dump())
        self._append(crm.CreateClient, about, **kind, personal=new)
        kind["created_at"] = NOON
        created = self._append(crm.ClientCreated, about, **kind, personal=details)
        pending = [uuid5(created, f"followup {number}") for number in range(len(NEW_LEAD.steps))]
        self.ids |= {about["client_id"], *pending, *map(email_id, pending)}
        self.ids.add(suppression_id(about["agent_id"], details.email))
        if scenario.stage in CANCEL_REASONS:
            pending.clear()
        else:
            self._plan(about, pending)
        planned = tuple(pending)
        for stage in scenario.before:
            self._change(about, kind, details, stage, pending)
        if scenario.stopped == "paused for a while" and pending:
            self._pause(about)
            self._append(scheduler.ResumePlan, about)
            self._append(scheduler.PlanResumed, about, resumed_at=self._now)
        for followup, of in zip(scenario.followups, planned, strict=False):
            if followup.planned != "pending":
                pending.remove(of)
            self._follow_up(about | {"followup_id": of}, followup, details)
        if pending:
            self._stop(about, pending, scenario)
        for stage in scenario.after:
            self._change(about, kind, details, stage, pending)
        if scenario.reassigned and not scenario.leaves_queued:
            about = self._reassign(about, planned)
        if scenario.deleted:
            self._delete(about, pending)

    def _stop(self, about: dict[str, UUID], pending: list[UUID], scenario: ClientScenario) -> None:
        if scenario.stopped == "paused":
            self._pause(about)
        if scenario.stopped == "cancelled":
            self._append(scheduler.CancelPlan, about)
            self._cancel(about, pending, "by_agent")
            self._cancel_due(about, "by_agent")

    def _delete(self, about: dict[str, UUID], pending: list[UUID]) -> None:
        self._append(crm.DeleteClient, about)
        self._append(crm.ClientDeleted, about, deleted_at=self._now)
        self._cancel(about, pending, "client_deleted")
        self._cancel_due(about, "client_deleted")

    def _reassign(self, about: dict[str, UUID], planned: tuple[UUID, ...]) -> dict[str, UUID]:
        other = uuid5(self.namespace, "another agent")
        former: dict[str, Any] = {"former_agent_id": about["agent_id"]}
        moved = about | {"agent_id": other}
        self._append(crm.ReassignClient, about, to_agent_id=other)
        self._append(crm.ClientReassigned, moved, **former, reassigned_at=self._now)
        for followup in planned:
            self._append(
                scheduler.FollowupReassigned,
                moved | {"followup_id": followup},
                **former,
                was_due=followup in self._due_followups,
                reassigned_at=self._now,
            )
        return moved

    def _plan(self, about: dict[str, UUID], ids: list[UUID]) -> None:
        followups = tuple(
            scheduler.PlannedFollowup(
                followup_id=of,
                followup_type=TYPES[step.name],
                scheduled_for=NOON + step.days * DAY,
                priority=step.priority,
            )
            for of, step in zip(ids, NEW_LEAD.steps, strict=True)
        )
        self._append(scheduler.FollowupsPlanned, about, planned_at=self._now, followups=followups)

    def _change(
        self,
        about: dict[str, UUID],
        kind: dict[str, Any],
        details: crm.ClientDetails,
        stage: crm.Stage,
        pending: list[UUID],
    ) -> None:
        """Change the stage and the notes, so that each update changes something."""
        notes = f"note {len(self.messages)}"
        patch = crm.ClientDetailsPatch(notes=notes)
        self._append(crm.UpdateClient, about, stage=stage, personal=patch)
        changed = details.model_copy(update={"notes": notes})
        kind["stage"] = stage
        self._append(crm.ClientUpdated, about, **kind, updated_at=self._now, personal=changed)
        if stage in CANCEL_REASONS:
            self._cancel(about, pending, CANCEL_REASONS[stage])
            self._cancel_due(about, CANCEL_REASONS[stage])

    def _pause(self, about: dict[str, UUID]) -> None:
        self._append(scheduler.PausePlan, about)
        self._append(scheduler.PlanPaused, about, paused_at=self._now)

    def _cancel(self, about: dict[str, UUID], pending: list[UUID], reason: str) -> None:
        for of in pending:
            rest: dict[str, Any] = {"followup_id": of, "reason": reason, "cancelled_at": self._now}
            self._append(scheduler.FollowupCancelled, about, **rest)
        pending.clear()

    def _cancel_due(self, about: dict[str, UUID], reason: str) -> None:
        """Cancel all of the client's that is due."""
        for of, scenario in self._stoppable.pop(about["client_id"], {}).items():
            self._stop_due(about | {"followup_id": of}, scenario, reason)

    def _stop_due(self, about: dict[str, UUID], scenario: FollowupScenario, reason: str) -> None:
        """Cancel what is due; composer and mailer stop what they have not sent."""
        cancelled: dict[str, Any] = {"reason": reason, "cancelled_at": self._now}
        self._append(scheduler.DueFollowupCancelled, about, **cancelled)
        if not scenario.is_composed:
            discarded: dict[str, Any] = {"reason": reason, "discarded_at": self._now}
            self._append(composer.DraftDiscarded, about, **discarded)
        elif scenario.sending == "failed":
            about = about | {"email_id": email_id(about["followup_id"])}
            withdrawn: dict[str, Any] = {"reason": reason, "withdrawn_at": self._now}
            self._append(mailer.EmailWithdrawn, about, **withdrawn)

    def _follow_up(
        self, about: dict[str, UUID], scenario: FollowupScenario, details: crm.ClientDetails
    ) -> None:
        if scenario.planned in ("moved", "moved and due"):
            for days in (40, 50):
                times: dict[str, Any] = {"scheduled_for": NOON + days * DAY}
                self._append(scheduler.RescheduleFollowup, about, **times)
                times["rescheduled_at"] = self._now
                self._append(scheduler.FollowupRescheduled, about, **times)
        if scenario.changed == "changed":
            self._note(about, scheduled_for=NOON + 60 * DAY, priority="low")
        if scenario.planned == "cancelled":
            self._append(scheduler.CancelFollowup, about)
            self._append(
                scheduler.FollowupCancelled, about, reason="by_agent", cancelled_at=self._now
            )
        if scenario.planned in ("due", "moved and due"):
            self._due(about, scenario, details)
        if scenario.changed != "left":
            self._note(about)
        stoppable = self._stoppable[about["client_id"]]
        if scenario.cancelled_when_due and about["followup_id"] in stoppable:
            del stoppable[about["followup_id"]]
            self._append(scheduler.CancelFollowup, about)
            self._stop_due(about, scenario, "by_agent")

    def _note(self, about: dict[str, UUID], **more: Any) -> None:
        """Change the notes and the given fields."""
        patch = scheduler.FollowupPatch(notes=f"note {len(self.messages)}")
        self._append(scheduler.ChangeFollowup, about, **more, personal=patch)
        if more:
            self._append(scheduler.FollowupRescheduled, about, **more, rescheduled_at=self._now)
        notes = scheduler.FollowupNotes(notes=patch.notes)
        changed: dict[str, Any] = {"priority": "low", "changed_at": self._now}
        self._append(scheduler.FollowupChanged, about, **changed, personal=notes)

    def _due(
        self, about: dict[str, UUID], scenario: FollowupScenario, details: crm.ClientDetails
    ) -> None:
        rest: dict[str, Any] = {
            "followup_type": "Day 1",
            "stage": "lead",
            "property_type": "land",
            "personal": scheduler.Recipient(client=details, agent=PROFILE),
        }
        due = rest | {"scheduled_for": NOON, "due_at": self._now}
        self._append(scheduler.FollowupDue, about, by_worker=True, **due)
        self._due_followups.add(about["followup_id"])
        if not scenario.leaves_queued:
            self._stoppable[about["client_id"]][about["followup_id"]] = scenario
        self._draft(about, scenario, rest, details)

    def _draft(
        self,
        about: dict[str, UUID],
        scenario: FollowupScenario,
        rest: dict[str, Any],
        details: crm.ClientDetails,
    ) -> None:
        self._append(composer.DraftRequested, about, **rest, requested_at=self._now)
        # Too early: refused.
        self._append(composer.RetryDraft, about)
        failed: dict[str, Any] = {"by_worker": True, "error": "503", "failed_at": self._now}
        if scenario.drafted == "tried":
            tried = failed | {"attempt": 1, "retry_at": self._now + DAY}
            self._append(composer.CompositionAttemptFailed, about, **tried)
        if scenario.drafted in ("failed", "ordered again"):
            self._append(composer.CompositionFailed, about, **failed, attempts=3)
        if scenario.drafted == "ordered again":
            self._append(composer.RetryDraft, about)
            self._append(composer.DraftRequested, about, **rest, requested_at=self._now)
        if scenario.drafted == "postponed":
            later = {"postponed_at": self._now, "until": self._now + DAY}
            self._append(
                composer.DraftPostponed, about, by_worker=True, reason="daily_limit", **later
            )
        if scenario.is_composed:
            letter = composer.Letter(
                to_name=details.name,
                to_email=details.email,
                from_name=PROFILE.name,
                subject="Hello",
                body="Hi",
            )
            composed = {"written_by": "templates", "personal": letter}
            self._append(
                composer.EmailComposed, about, by_worker=True, **composed, composed_at=self._now
            )
            about = about | {"email_id": email_id(about["followup_id"])}
            self._send(about, scenario.sending, composed)
            for kind in scenario.reports:
                self._report(about, kind, details.email)

    def _send(self, about: dict[str, UUID], sending: Sending, composed: dict[str, Any]) -> None:
        self._append(mailer.EmailQueued, about, **composed, queued_at=self._now)
        if sending == "queued":
            return
        self._start(about, 1)
        failed: dict[str, Any] = {"by_worker": True, "error": "503", "failed_at": self._now}
        match sending:
            case "sent":
                self._accept(about, 1)
            case "sent later":
                tried = failed | {"attempt": 1, "retry_at": self._now + DAY}
                self._append(mailer.SendAttemptFailed, about, **tried)
                self._start(about, 2)
                self._accept(about, 2)
            case "failed":
                self._append(mailer.EmailFailed, about, **failed, attempts=1)
            case "withheld":
                withheld = {"reason": "client_deleted", "withheld_at": self._now}
                self._append(mailer.EmailWithheld, about, by_worker=True, **withheld)
            case "withdrawn":
                withdrawn = {"reason": "plan_paused", "withdrawn_at": self._now}
                self._append(mailer.EmailWithdrawn, about, by_worker=True, **withdrawn)
            case "postponed" | "addressed anew":
                self._wait_and_send(about, sending, composed)
            case "unknown" | "held" | "resolved as sent" | "resent":
                self._unknown_outcome(about, sending, composed)

    def _wait_and_send(
        self, about: dict[str, UUID], sending: Sending, composed: dict[str, Any]
    ) -> None:
        """End the first attempt before its call; the second one is accepted."""
        if sending == "postponed":
            later = {"postponed_at": self._now, "until": self._now + DAY}
            self._append(
                mailer.EmailPostponed, about, by_worker=True, reason="daily_limit", **later
            )
        else:
            letter = composed["personal"].model_copy(update={"to_email": "new@mail.example"})
            anew = composed | {"personal": letter}
            self._append(mailer.EmailQueued, about, by_worker=True, **anew, queued_at=self._now)
        self._start(about, 2)
        self._accept(about, 2)

    def _unknown_outcome(
        self, about: dict[str, UUID], sending: Sending, composed: dict[str, Any]
    ) -> None:
        # Too early: refused.
        self._append(mailer.ResolveEmail, about, resolution="resend")
        outcome: dict[str, Any] = {"by_worker": True, "attempt": 1, "error": "no answer"}
        until = self._now + DAY
        self._append(
            mailer.SendOutcomeUnknown, about, **outcome, unknown_at=self._now, reconcile_at=until
        )
        if sending == "unknown":
            return
        self._append(mailer.EmailHeld, about, **outcome, held_at=self._now)
        if sending == "resolved as sent":
            self._append(mailer.ResolveEmail, about, resolution="sent")
            self._append(mailer.EmailSent, about, attempt=1, sent_at=self._now)
        if sending == "resent":
            self._append(mailer.ResolveEmail, about, resolution="resend")
            self._append(mailer.EmailQueued, about, **composed, queued_at=self._now)
            self._start(about, 2)
            self._accept(about, 2)

    def _start(self, about: dict[str, UUID], attempt: int) -> None:
        times = {"started_at": self._now, "give_up_at": self._now + DAY}
        self._append(mailer.SendStarted, about, by_worker=True, attempt=attempt, **times)

    def _accept(self, about: dict[str, UUID], attempt: int) -> None:
        sent = {"provider_message_id": "m1", "sent_at": self._now}
        self._append(mailer.EmailSent, about, by_worker=True, attempt=attempt, **sent)

    def _report(self, about: dict[str, UUID], kind: mailer.DeliveryKind, address: str) -> None:
        recorded = mailer.RecordedAddress(email=address)
        self._append(mailer.RecordDelivery, about, kind=kind, at=self._now, personal=recorded)
        event_types = {
            "delivered": mailer.EmailDelivered,
            "opened": mailer.EmailOpened,
            "clicked": mailer.EmailClicked,
            "bounced": mailer.EmailBounced,
        }
        if kind in event_types:
            self._append(event_types[kind], about, at=self._now)
        of = suppression_id(about["agent_id"], address)
        # An opt-out after a bounce is one.
        if kind in SUPPRESSING and self._suppressed.get(of) in (
            (None,) if kind == "bounced" else (None, "bounced")
        ):
            self._suppressed[of] = kind
            suppression = self._agent | {"suppression_id": of}
            suppressed: dict[str, Any] = {"reason": kind, "suppressed_at": self._now}
            suppressed["personal"] = mailer.SuppressedAddress(email=address)
            self._append(mailer.AddressSuppressed, suppression, **suppressed)
            self._append(
                mailer.SuppressionConfirmed, suppression, by_worker=True, confirmed_at=self._now
            )
