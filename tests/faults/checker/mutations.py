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
    NOON,
    PLAN,
    SUPPRESSION,
    HistoryBuilder,
    wire_time,
)


def _at(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def second_send(builder: HistoryBuilder, *, ordered: bool) -> None:
    if ordered:
        builder.email_event("EmailQueued", queued_at=wire_time(30))
    builder.email_event(
        "SendStarted", attempt=2, started_at=wire_time(31), give_up_at=wire_time(40)
    )
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
    builder.update_versions()


def resumed(builder: HistoryBuilder) -> None:
    paused(builder)
    builder.append("followups", PLAN, "PlanResumed", resumed_at=wire_time(41))
    del builder.document("scheduler", "plans", CLIENT)["state"]["paused_at"]
    del builder.document("gateway", "clients", CLIENT)["plan_paused"]
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
