"""Mutations of a handmade history, allowed or not."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.faults.checker.correct_history import (
    ADDRESS,
    CLIENT,
    EMAIL,
    FIRST,
    FOLLOWUPS,
    LETTER,
    NOON,
    PLAN,
    SENDING,
    SUPPRESSION,
    HistoryBuilder,
    wire_time,
)


def _at(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def second_send(builder: HistoryBuilder, *, ordered: bool) -> None:
    if ordered:
        builder.queue(30)
    builder.start(31, attempt=2)
    builder.accept(32, attempt=2)
    builder.email_event("EmailSent", attempt=2, sent_at=wire_time(33))
    builder.document("mailer", "emails", EMAIL)["state"]["attempt"] = 2
    builder.document("gateway", "clients", CLIENT)["last_contacted"] = NOON + _at(33)
    builder.update_versions()


def suppressed(builder: HistoryBuilder, confirmed: float) -> None:
    stream, about = f"suppression-{SUPPRESSION}", {"suppression_id": SUPPRESSION}
    personal = {"email": ADDRESS}
    builder.append("emails", stream, "AddressSuppressed", **about, personal=personal)
    builder.append(
        "emails", stream, "SuppressionConfirmed", **about, confirmed_at=wire_time(confirmed)
    )
    document = {"_id": uuid.UUID(SUPPRESSION), "version": 2, "state": {}}
    builder.history.stored["mailer"]["suppressions"] = [document]
    builder.update_versions()


def ended(builder: HistoryBuilder, type_: str, status: str, **data: object) -> None:
    """Set another final status of the email than sent; the ledger stays."""
    builder.remove("EmailSent")
    builder.set_email_version(2)
    builder.email_event(type_, attempt=1, **data)
    builder.document("mailer", "emails", EMAIL)["state"]["status"] = status
    builder.document("gateway", "tasks", FIRST)["status"] = status
    builder.document("gateway", "email_logs", EMAIL)["status"] = status
    del builder.document("gateway", "clients", CLIENT)["last_contacted"]
    builder.update_versions()


def unknown(builder: HistoryBuilder, at: float, error: str = "no answer in time") -> None:
    ended(builder, "SendOutcomeUnknown", "unknown", error=error, unknown_at=wire_time(at))


def quarantined(builder: HistoryBuilder) -> None:
    builder.add_record(
        "mailer.quarantine", {"quarantine_reason": "no such type"}, {}, key="drafts-3-9"
    )


def overdue(builder: HistoryBuilder) -> None:
    builder.remove("EmailSent")
    builder.document("mailer", "emails", EMAIL)["state"]["due_at"] = NOON


def swapped(builder: HistoryBuilder) -> None:
    offsets = {"SendStarted": 1, "EmailQueued": 2}
    for type_, offset in offsets.items():
        builder.change_record(type_, lambda record, to=offset - 1: replace(record, offset=to))  # type: ignore[misc]


def repeated(builder: HistoryBuilder, **changes: Any) -> None:
    [sent] = [
        r for r in builder.history.records if r.headers.get("ce_type", "").endswith("Sent.v1")
    ]
    builder.history.records.append(replace(sent, offset=99, **changes))


def resolved(builder: HistoryBuilder) -> None:
    builder.history.ledger.clear()
    resolution = {"email_id": EMAIL, "resolution": "sent"}
    builder.add_record("emails.commands", {"ce_type": "realtoros.ResolveEmail.v1"}, resolution)


def retried(builder: HistoryBuilder) -> None:
    quarantined(builder)
    builder.add_record("mailer.quarantine", {}, None, "drafts-3-9")


def resent_meanwhile(builder: HistoryBuilder) -> None:
    second_send(builder, ordered=True)
    builder.history.ledger[0]["at"] = wire_time(35)


def paused(builder: HistoryBuilder) -> None:
    builder.append("followups", PLAN, "PlanPaused", paused_at=wire_time(40))
    builder.document("scheduler", "plans", CLIENT)["state"]["paused_at"] = NOON + _at(40)
    builder.document("gateway", "clients", CLIENT)["plan_paused"] = True
    builder.store("mailer", "recipients", CLIENT, paused_at=NOON + _at(40))
    builder.update_versions()


def resumed(builder: HistoryBuilder) -> None:
    paused(builder)
    builder.append("followups", PLAN, "PlanResumed", resumed_at=wire_time(41))
    del builder.document("scheduler", "plans", CLIENT)["state"]["paused_at"]
    del builder.document("gateway", "clients", CLIENT)["plan_paused"]
    builder.store("mailer", "recipients", CLIENT, paused_at=None)
    builder.update_versions()


def with_notes(builder: HistoryBuilder) -> None:
    changed: dict[str, Any] = {"followup_id": FIRST, "priority": "low", "changed_at": wire_time(40)}
    builder.append("followups", PLAN, "FollowupChanged", **changed, personal={"notes": "Met."})
    builder.document("scheduler", "plans", CLIENT)["state"]["followups"][0]["notes"] = "Met."
    builder.document("gateway", "tasks", FIRST)["notes"] = "Met."
    builder.update_versions()


def due_while_paused(builder: HistoryBuilder) -> None:
    paused(builder)
    dates = {"scheduled_for": wire_time(30), "due_at": wire_time(41)}
    builder.append("followups", PLAN, "FollowupDue", followup_id=FIRST, **dates)


def pause_unseen(builder: HistoryBuilder, where: str, collection: str) -> None:
    """Hide the pause of a paused plan in a document."""
    paused(builder)
    document = builder.document(where, collection, CLIENT)
    document.pop("plan_paused", None)
    document.get("state", {}).pop("paused_at", None)


def notes_unseen(builder: HistoryBuilder, where: str, collection: str) -> None:
    """Remove the notes from a document."""
    with_notes(builder)
    if where == "gateway":
        del builder.document(where, collection, FIRST)["notes"]
    else:
        del builder.document(where, collection, CLIENT)["state"]["followups"][0]["notes"]


def cancelled_when_due(builder: HistoryBuilder, *, task: str = "sent") -> None:
    """Cancel the first follow-up when it is due; it was sent all the same unless `task` says so."""
    reason = {"followup_id": FIRST, "reason": "by_agent"}
    builder.append(
        "followups", PLAN, "DueFollowupCancelled", **reason, cancelled_at=wire_time(10.7)
    )
    followups = builder.document("scheduler", "plans", CLIENT)["state"]["followups"]
    followups[0]["due_cancelled"] = True
    told = [{"followup_id": uuid.UUID(FIRST), "reason": "by_agent"}]
    builder.store("mailer", "recipients", CLIENT, cancelled=told)
    builder.store("gateway", "tasks", FIRST, status=task)
    builder.update_versions()


def reviewed(
    builder: HistoryBuilder,
    *said: str,
    review: str = "approve",
    fell_due: bool = False,
    **composed: str,
) -> None:
    """Let the letter be written, and the agent say so of it before it is composed."""
    builder.remove("DraftRequested", "EmailComposed")
    builder.set_draft_version(0)
    recipient = {"client": {}, "agent": {"review": review}}
    builder.draft_event("DraftRequested", personal=recipient, ahead_of=fell_due or None)
    builder.draft_event("DraftWritten", personal=LETTER)
    for type_ in said:
        personal = {"personal": LETTER | {"body": "Other."}} if type_ == "DraftRevised" else {}
        builder.draft_event(type_, **personal)
    if fell_due:
        builder.draft_event("DraftFellDue", personal=recipient)
    builder.compose(12, **composed)
    version = len(builder.history.stored["composer"]["commits"])
    builder.store("composer", "drafts", FIRST, version=version)
    builder.update_versions()


def unsent(builder: HistoryBuilder) -> None:
    """Remove what was sent, and start the email's stream anew."""
    builder.history.ledger.clear()
    builder.remove("EmailQueued", "SendStarted", "EmailSent")
    builder.set_email_version(0)
    builder.store("gateway", "clients", CLIENT, last_contacted=None)


def emailed(
    builder: HistoryBuilder, status: str, *, task: str, log: str | None = None, attempt: int = 1
) -> None:
    """Store the state of the email and what is shown of it."""
    builder.store("mailer", "emails", EMAIL, state={"status": status, "attempt": attempt})
    builder.store("gateway", "tasks", FIRST, status=task)
    builder.store("gateway", "email_logs", EMAIL, status=log or status)
    builder.update_versions()


def withdrawn(builder: HistoryBuilder, *, called: bool = False) -> None:
    """Let the email be withdrawn after SendStarted, since its follow-up was cancelled."""
    unsent(builder)
    builder.queue(13)
    builder.start(14)
    if called:
        builder.accept(14.5)
    builder.email_event("EmailWithdrawn", reason="by_agent", withdrawn_at=wire_time(14.2))
    cancelled_when_due(builder)
    emailed(builder, "withheld", task="cancelled")


def discarded(builder: HistoryBuilder) -> None:
    """Let the draft be discarded, since its follow-up was cancelled."""
    unsent(builder)
    builder.remove("EmailComposed")
    builder.set_draft_version(1)
    builder.draft_event("DraftDiscarded", reason="by_agent", discarded_at=wire_time(12))
    builder.store("composer", "drafts", FIRST, state={"status": "discarded"})
    cancelled_when_due(builder, task="cancelled")
    for service, collection in (("mailer", "emails"), ("gateway", "email_logs")):
        builder.history.stored[service][collection].clear()


def sent_later(
    builder: HistoryBuilder, ended_by: str, *, called: bool = False, to: str = ADDRESS
) -> None:
    """Let the first attempt end before its call, and the second one be accepted."""
    unsent(builder)
    builder.queue(13)
    builder.start(14)
    if called:
        builder.accept(14.1)
    if ended_by == "EmailQueued":
        builder.queue(14.2, to)
    else:
        times = {"postponed_at": wire_time(14.2), "until": wire_time(20)}
        builder.email_event("EmailPostponed", reason="daily_limit", **times)
    builder.start(20, attempt=2)
    builder.accept(20.5, attempt=2, to=to)
    builder.email_event("EmailSent", attempt=2, sent_at=wire_time(21))
    builder.store("gateway", "clients", CLIENT, last_contacted=NOON + _at(21))
    emailed(builder, "sent", task="sent", attempt=2)


def waiting(builder: HistoryBuilder, until: float) -> None:
    """Let the email be postponed, and not be sent yet."""
    unsent(builder)
    builder.queue(13)
    times = {"postponed_at": wire_time(13.2), "until": wire_time(until)}
    builder.email_event("EmailPostponed", reason="daily_limit", **times)
    builder.history.read_at = NOON + _at(60)
    emailed(builder, "queued", task="composed", attempt=0)


def stopped(builder: HistoryBuilder, seconds: float, resumed: float | None = None) -> None:
    """Pause all sending, and resume it."""
    stream, about = f"sending-{SENDING}", {"sending_id": SENDING}
    builder.append("emails", stream, "SendingPaused", **about, paused_at=wire_time(seconds - 0.1))
    builder.append("emails", stream, "SendingStopped", **about, stopped_at=wire_time(seconds))
    version, status = 2, "paused"
    if resumed is not None:
        builder.append("emails", stream, "SendingResumed", **about, resumed_at=wire_time(resumed))
        version, status = 3, "active"
    document = {"_id": uuid.UUID(SENDING), "version": version, "state": {"status": status}}
    builder.history.stored["mailer"]["switches"] = [document]
    builder.update_versions()


def held_by_switch(builder: HistoryBuilder) -> None:
    """Let the email wait for the switch."""
    unsent(builder)
    builder.queue(13)
    stopped(builder, 12)
    builder.store("mailer", "emails", EMAIL, state={"due_at": NOON + _at(13)})
    emailed(builder, "queued", task="composed", attempt=0)


def readdressed(builder: HistoryBuilder, seconds: float) -> None:
    """Change the client's address, as mailer knew at that time."""
    personal = {"name": "Jane", "email": "jane@new.example"}
    builder.append("clients", f"client-{CLIENT}", "ClientUpdated", stage="lead", personal=personal)
    builder.document("crm", "clients", CLIENT)["version"] = 2
    builder.store("mailer", "recipients", CLIENT, email="jane@new.example")
    known = [(NOON + _at(seconds), "jane@new.example")]
    builder.history.acknowledged.addresses[CLIENT] = known
    builder.update_versions()


def confirmed_pause(builder: HistoryBuilder, at: float, resumed: float | None = None) -> None:
    """Pause and resume all sending, as the API has confirmed at that time."""
    stopped(builder, 30, 31)
    until = None if resumed is None else NOON + _at(resumed)
    builder.history.acknowledged.pauses[NOON + _at(at)] = until


def shown_cancelled(builder: HistoryBuilder, seconds: float) -> None:
    """Let the API show the first follow-up as cancelled at that time."""
    cancelled_when_due(builder)
    builder.history.acknowledged.cancelled[FIRST] = NOON + _at(seconds)


def second_email(builder: HistoryBuilder) -> None:
    """Let an email of the second follow-up be sent, too: started at 18, called for at 18.5."""
    other = str(uuid.UUID(int=20))
    about = {"email_id": other, "followup_id": FOLLOWUPS[1], "attempt": 1}
    stream, personal = f"email-{other}", {"to_email": ADDRESS}
    builder.append("emails", stream, "EmailQueued", **about, personal=personal)
    times = {"started_at": wire_time(18), "give_up_at": wire_time(24)}
    builder.append("emails", stream, "SendStarted", **about, **times)
    builder.accept(18.5, email=other)
    builder.append("emails", stream, "EmailSent", **about, sent_at=wire_time(19))
