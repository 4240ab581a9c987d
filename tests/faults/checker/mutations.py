"""What can go wrong, or be allowed, in a history made by hand."""

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
    Life,
    text,
)


def _at(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def second_send(life: Life, *, ordered: bool) -> None:
    if ordered:
        life.email("EmailQueued", queued_at=text(30))
    life.email("SendStarted", attempt=2, started_at=text(31), give_up_at=text(40))
    life.call(32, attempt=2)
    life.email("EmailSent", attempt=2, sent_at=text(33))
    life.document("mailer", "emails", EMAIL)["state"]["attempt"] = 2
    life.document("gateway", "clients", CLIENT)["last_contacted"] = NOON + _at(33)
    life.follow()


def suppressed(life: Life, confirmed: float) -> None:
    stream, about = f"suppression-{SUPPRESSION}", {"suppression_id": SUPPRESSION}
    personal = {"email": ADDRESS}
    life.tell("emails", stream, "AddressSuppressed", **about, personal=personal)
    life.tell("emails", stream, "SuppressionConfirmed", **about, confirmed_at=text(confirmed))
    document = {"_id": uuid.UUID(SUPPRESSION), "version": 2, "state": {}}
    life.history.stored["mailer"]["suppressions"] = [document]
    life.follow()


def ended(life: Life, type_: str, status: str, **data: object) -> None:
    """Let the email end otherwise than sent; what the ledger has stays."""
    life.forget("EmailSent")
    life.rewind(2)
    life.email(type_, attempt=1, **data)
    life.document("mailer", "emails", EMAIL)["state"]["status"] = status
    life.document("gateway", "tasks", FIRST)["status"] = status
    life.document("gateway", "email_logs", EMAIL)["status"] = status
    del life.document("gateway", "clients", CLIENT)["last_contacted"]
    life.follow()


def unknown(life: Life, at: float, error: str = "no answer in time") -> None:
    ended(life, "SendOutcomeUnknown", "unknown", error=error, unknown_at=text(at))


def quarantined(life: Life) -> None:
    life.put("mailer.quarantine", {"quarantine_reason": "no such type"}, {}, key="drafts-3-9")


def overdue(life: Life) -> None:
    life.forget("EmailSent")
    life.document("mailer", "emails", EMAIL)["state"]["due_at"] = NOON


def swapped(life: Life) -> None:
    places = {"SendStarted": 1, "EmailQueued": 2}
    for type_, offset in places.items():
        life.alter(type_, lambda record, to=offset - 1: replace(record, offset=to))  # type: ignore[misc]


def repeated(life: Life, **changes: Any) -> None:
    [sent] = [r for r in life.history.records if r.headers.get("ce_type", "").endswith("Sent.v1")]
    life.history.records.append(replace(sent, offset=99, **changes))


def resolved(life: Life) -> None:
    life.history.ledger.clear()
    said = {"email_id": EMAIL, "resolution": "sent"}
    life.put("emails.commands", {"ce_type": "realtoros.ResolveEmail.v1"}, said)


def retried(life: Life) -> None:
    quarantined(life)
    life.put("mailer.quarantine", {}, None, "drafts-3-9")


def resent_meanwhile(life: Life) -> None:
    second_send(life, ordered=True)
    life.history.ledger[0]["at"] = text(35)


def paused(life: Life) -> None:
    life.tell("followups", PLAN, "PlanPaused", paused_at=text(40))
    life.document("scheduler", "plans", CLIENT)["state"]["paused_at"] = NOON + _at(40)
    life.document("gateway", "clients", CLIENT)["plan_paused"] = True
    life.follow()


def resumed(life: Life) -> None:
    paused(life)
    life.tell("followups", PLAN, "PlanResumed", resumed_at=text(41))
    del life.document("scheduler", "plans", CLIENT)["state"]["paused_at"]
    del life.document("gateway", "clients", CLIENT)["plan_paused"]
    life.follow()


def noted(life: Life) -> None:
    changed: dict[str, Any] = {"followup_id": FIRST, "priority": "low", "changed_at": text(40)}
    life.tell("followups", PLAN, "FollowupChanged", **changed, personal={"notes": "Met."})
    life.document("scheduler", "plans", CLIENT)["state"]["followups"][0]["notes"] = "Met."
    life.document("gateway", "tasks", FIRST)["notes"] = "Met."
    life.follow()


def due_while_paused(life: Life) -> None:
    paused(life)
    dates = {"scheduled_for": text(30), "due_at": text(41)}
    life.tell("followups", PLAN, "FollowupDue", followup_id=FIRST, **dates)


def pause_unseen(life: Life, where: str, collection: str) -> None:
    """Let a document show no pause, though the plan is paused."""
    paused(life)
    document = life.document(where, collection, CLIENT)
    document.pop("plan_paused", None)
    document.get("state", {}).pop("paused_at", None)


def notes_unseen(life: Life, where: str, collection: str) -> None:
    """Let the notes be missing where they are kept or shown."""
    noted(life)
    if where == "gateway":
        del life.document(where, collection, FIRST)["notes"]
    else:
        del life.document(where, collection, CLIENT)["state"]["followups"][0]["notes"]
