"""State documents: each equals the checker's own fold of its stream."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.faults.checker.facts import (
    DRAFT_STATUS,
    EMAIL_STATUS,
    PLAN_EVENTS,
    PLAN_STATUS,
    PLANNING_EVENTS,
    SWITCH_STATUS,
    Event,
    Facts,
    agent_of,
    last,
    paused,
)
from tests.faults.checker.history import Document
from tests.faults.checker.verdict import Anomaly

# service → collection of state documents → the kind of its streams
STATES = {
    "crm": {"agents": "agent", "clients": "client"},
    "scheduler": {"plans": "plan"},
    "composer": {"drafts": "draft"},
    "mailer": {
        "emails": "email",
        "suppressions": "suppression",
        "switches": "sending",
        "alerts": "alert",
        "notices": "notice",
    },
}
NEVER = datetime.max.replace(tzinfo=UTC)
Fold = Callable[[Sequence[Event]], object]


def _client(events: Sequence[Event]) -> object:
    deleted = any(event.type == "ClientDeleted" for event in events)
    stages = [event.data["stage"] for event in events if "stage" in event.data]
    stage = stages[-1] if stages else None
    return {"stage": stage, "deleted": deleted, "agent": agent_of(events)}


def _plan(events: Sequence[Event]) -> object:
    folded: dict[str, tuple[str, datetime, str | None, bool]] = {}
    for event in events:
        if event.type in PLAN_EVENTS:
            continue
        if event.type in PLANNING_EVENTS:
            for each in event.data["followups"]:
                date = datetime.fromisoformat(each["scheduled_for"])
                folded[each["followup_id"]] = ("pending", date, None, False)
            continue
        id_ = event.data["followup_id"]
        status, date, notes, stopped = folded.get(id_, ("pending", NEVER, None, False))
        if event.type == "FollowupRescheduled":
            date = event.time("scheduled_for")
        if event.type == "FollowupChanged":
            notes = event.data["personal"]["notes"]
        stopped = stopped or event.type == "DueFollowupCancelled"
        folded[id_] = (PLAN_STATUS.get(event.type, status), date, notes, stopped)
    return folded, paused(events), agent_of(events)


def _attempt(events: Sequence[Event]) -> int:
    started = [event.data["attempt"] for event in events if event.type == "SendStarted"]
    return started[-1] if started else 0


FOLDS: dict[str, Fold] = {
    "client": _client,
    "plan": _plan,
    "draft": lambda events: last(events, DRAFT_STATUS),
    "sending": lambda events: last(events, SWITCH_STATUS),
    "email": lambda events: (last(events, EMAIL_STATUS), _attempt(events)),
}
SHOWN: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "client": lambda state: {
        "stage": state["stage"],
        "deleted": "deleted_at" in state,
        "agent": str(state["agent_id"]),
    },
    "plan": lambda state: (
        {
            str(each["followup_id"]): (
                each["status"],
                each["scheduled_for"],
                each.get("notes"),
                each.get("due_cancelled", False),
            )
            for each in state["followups"]
        },
        "paused_at" in state,
        str(state["agent_id"]),
    ),
    "draft": lambda state: state["status"],
    "sending": lambda state: state["status"],
    "email": lambda state: (state["status"], state["attempt"]),
}


def documents(facts: Facts) -> Iterator[Anomaly]:
    """Compare each state document with its stream in the log, version and status."""
    for service, collections in STATES.items():
        stored = facts.history.stored.get(service)
        if stored is None:
            continue
        for collection, name in collections.items():
            found = {f"{name}-{each['_id']}": each for each in stored.get(collection, ())}
            prefix = f"{name}-"
            streams = {stream for stream in facts.logged if stream.startswith(prefix)}
            for stream in sorted(streams - found.keys()):
                yield Anomaly("stale state", stream, f"in the log, not in {service}.{collection}")
            for stream, document in found.items():
                yield from _compare(facts, f"{service}.{collection}", stream, name, document)


def _compare(
    facts: Facts, where: str, stream: str, name: str, document: Document
) -> Iterator[Anomaly]:
    events = facts.logged.get(stream)
    if not events:
        yield Anomaly("stale state", stream, f"in {where}, not in the log")
        return
    if document["version"] != events[-1].version:
        detail = f"{where} has version {document['version']}, the log {events[-1].version}"
        yield Anomaly("stale state", stream, detail)
    elif name in FOLDS:
        shown, folded = SHOWN[name](document["state"]), FOLDS[name](events)
        if shown != folded:
            detail = f"{where} says {shown}, its log {folded}, at version {document['version']}"
            yield Anomaly("stale state", stream, detail)


def stage_of(events: Sequence[Event]) -> str | None:
    """Return a client's stage after these events; None once it is deleted."""
    if any(event.type == "ClientDeleted" for event in events):
        return None
    return next((e.data["stage"] for e in reversed(events) if "stage" in e.data), None)
