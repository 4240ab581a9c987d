"""Views: each equals the checker's own fold of the topics."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from tests.faults.checker.facts import (
    DRAFT_STATUS,
    EMAIL_STATUS,
    PLAN_STATUS,
    Event,
    Facts,
    Followup,
    agent_of,
    email_status,
    last,
    paused,
)
from tests.faults.checker.history import Document
from tests.faults.checker.states import stage_of
from tests.faults.checker.verdict import Anomaly

# service → the topics whose streams its positions must cover
FOLLOWED = {
    "gateway": ("clients", "followups", "drafts", "emails"),
    "scheduler": ("agents", "clients"),
    "mailer": ("agents", "clients", "followups"),
}
# The status that a report leads to; a later report of a lower rank changes nothing.
REACHED = {
    "EmailDelivered": "delivered",
    "EmailMachineOpened": "delivered",
    "EmailOpened": "opened",
    "EmailClicked": "clicked",
}
# These do not change what the log of emails shows, or leave it as it was.
UNSHOWN = ("SendStarted", "SendAttemptFailed", "EmailPostponed")
WITHDRAWN = {"EmailWithheld": "withheld", "EmailWithdrawn": "withdrawn"}
RANKS = {"sent": 1, "delivered": 2, "opened": 3, "clicked": 4, "bounced": 5}


def positions(facts: Facts) -> Iterator[Anomaly]:
    """Each view has applied the last version of every stream that it follows."""
    ends = {stream: events[-1] for stream, events in facts.published.items()}
    for service, topics in FOLLOWED.items():
        if service not in facts.history.stored:
            continue
        shown = {d["_id"]: d["version"] for d in _stored(facts, service, "positions").values()}
        followed = {stream for stream, event in ends.items() if event.topic in topics}
        for stream in sorted(followed | shown.keys()):
            end = ends[stream].version if stream in ends else 0
            if shown.get(stream, 0) != end:
                detail = (
                    f"{service}'s view is at version {shown.get(stream, 0)}, the topic at {end}"
                )
                yield Anomaly("stale state", stream, detail)


def views(facts: Facts) -> Iterator[Anomaly]:
    """The documents of the views agree with a fold of the topics."""

    def owner(stream: str) -> dict[str, Any]:
        agent = agent_of(facts.published.get(stream, ()))
        return {"agent_id": UUID(agent)} if agent else {}

    def notes(followup: Followup) -> str | None:
        """Return the notes, which a deletion of the client takes along."""
        plan = facts.published.get(f"plan-{followup.client_id}", ())
        return None if any(e.type == "PlanDeleted" for e in plan) else followup.notes

    expected: dict[tuple[str, str], dict[str, Any]] = {
        ("gateway", "tasks"): {
            f.id: {"status": task_status(f), "notes": notes(f)} | owner(f"plan-{f.client_id}")
            for f in facts.followups.values()
        },
        ("gateway", "email_logs"): {},
        ("gateway", "clients"): {},
        ("scheduler", "clients"): {},
        ("scheduler", "agents"): {},
        ("mailer", "deleted_clients"): {},
    }
    contacted: dict[str, Any] = {}
    for stream, events in facts.published.items():
        kind, _, id_ = stream.partition("-")
        if kind == "email":
            expected["gateway", "email_logs"][id_] = {"status": email_log_status(events)} | owner(
                f"plan-{events[0].data['client_id']}"
            )
            times = [event.time("sent_at") for event in events if event.type == "EmailSent"]
            client = events[0].data["client_id"]
            contacted[client] = max([*times, *filter(None, [contacted.get(client)])], default=None)
        elif kind == "client":
            stage = {"stage": stage_of(events)} | owner(stream)
            expected["gateway", "clients"][id_] = expected["scheduler", "clients"][id_] = stage
            if any(event.type in ("ClientDeleted", "ClientReassigned") for event in events):
                expected["mailer", "deleted_clients"][id_] = {}
        elif kind == "agent":
            expected["scheduler", "agents"][id_] = {}
    # One may be told of before it is known.
    told: dict[str, Any] = {id_: {} for id_ in _told_of_suppressions(facts)}
    clients = told | expected["gateway", "clients"]
    expected["gateway", "clients"] = {
        id_: shown
        | {
            "last_contacted": contacted.get(id_),
            "plan_paused": paused(facts.published.get(f"plan-{id_}", ())) or None,
        }
        for id_, shown in clients.items()
    }
    for (service, collection), documents in expected.items():
        if service in facts.history.stored:
            shown = _stored(facts, service, collection)
            yield from _compare(f"{service}.{collection}", documents, shown)


def _told_of_suppressions(facts: Facts) -> set[str]:
    """Return the clients that a suppression was told of."""
    told = {
        event.data.get("reported_client")
        for stream, events in facts.published.items()
        if stream.startswith("suppression-")
        for event in events
    }
    return {str(client) for client in told if client}


def _stored(facts: Facts, service: str, collection: str) -> dict[str, Document]:
    found = facts.history.stored[service].get(collection, ())
    return {str(document["_id"]): document for document in found}


def _compare(
    where: str, expected: Mapping[str, Mapping[str, Any]], shown: Mapping[str, Document]
) -> Iterator[Anomaly]:
    for id_ in sorted(shown.keys() - expected.keys()):
        # An email of a reassigned client's follow-up that is not queued yet, which no list shows.
        if where == "gateway.email_logs" and "status" not in shown[id_]:
            continue
        yield Anomaly("stale state", id_, f"in {where}, but in no topic")
    for id_, fields in expected.items():
        if id_ not in shown:
            yield Anomaly("stale state", id_, f"not in {where}")
            continue
        for name, value in fields.items():
            if (found := shown[id_].get(name)) != value:
                detail = f"{where} says {name} is {found}, the topics say {value}"
                yield Anomaly("stale state", id_, detail)


def task_status(followup: Followup) -> str | None:
    """Return the task's status: the email's before the draft's, the draft's before the plan's.

    What was cancelled when it was due is cancelled, unless it was sent, or may have been.
    """
    if followup.planned is None:
        return None
    shown = [e for e in followup.email if e.type not in ("SendStarted", "SendAttemptFailed")]
    email = email_status(shown)
    withdrawn = email == "withheld" and last(shown, WITHDRAWN) == "withdrawn"
    if email in ("sent", "unknown") or withdrawn:
        return email
    if followup.cancelled_when_due:
        return "cancelled"
    draft = last(followup.draft, DRAFT_STATUS, "requested")
    plan = last(followup.plan, PLAN_STATUS, "pending")
    written = {"requested": plan, "discarded": "cancelled"}.get(draft, draft)
    # A letter that was made ahead of its date says nothing of the follow-up.
    written = written if followup.due else plan
    return written if email in ("", "queued") else email


def email_log_status(events: list[Event]) -> str:
    """Return the status of the email's log entry."""
    status = "queued"
    for event in events:
        if event.type in REACHED:
            reached = REACHED[event.type]
            status = reached if RANKS.get(status, 0) < RANKS[reached] else status
        elif event.type == "EmailBounced":
            status = "bounced"
        elif event.type not in UNSHOWN:
            status = EMAIL_STATUS.get(event.type, status)
    return status
