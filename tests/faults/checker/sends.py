"""Sends: at most one per follow-up, none too early, none after an opt-out."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.faults.checker.facts import EMAIL_STATUS, Event, Facts, address_key, last
from tests.faults.checker.verdict import Anomaly

# Ledger and events are rounded to milliseconds independently.
ROUNDING = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the provider accepted, and the SendStarted before it."""

    email_id: str
    followup_id: str
    agent_id: str
    attempt: int
    at: datetime
    to: tuple[str, ...]
    number: int
    subject: str
    text: str
    started: Event | None

    def __str__(self) -> str:
        return f"ledger entry {self.number} ({self.email_id}, attempt {self.attempt}, {self.at})"


def calls(facts: Facts) -> list[Call]:
    """Return the accepted calls about follow-ups, by attempt, then time."""
    started: dict[tuple[str, int], Event] = {}
    for event in facts.of("SendStarted"):
        started.setdefault((event.data["email_id"], event.data["attempt"]), event)
    entries = [e for e in facts.history.ledger if "followup_id" in e["custom_args"]]
    found = [_call(entry, started) for entry in entries]
    return sorted(found, key=lambda call: (call.attempt, call.at))


def _call(entry: dict[str, Any], started: dict[tuple[str, int], Event]) -> Call:
    args = entry["custom_args"]
    email, attempt = args["email_id"], int(args["send_attempt"])
    return Call(
        email,
        args["followup_id"],
        args["agent_id"],
        attempt,
        datetime.fromisoformat(entry["at"]),
        tuple(map(address_key, entry["to"])),
        entry["number"],
        entry["subject"],
        entry["request"]["content"][0]["value"],
        started.get((email, attempt)),
    )


def duplicates(facts: Facts, accepted: Iterable[Call]) -> Iterator[Anomaly]:
    """Follow-ups sent or started twice; a requested resend is no duplicate."""
    requeued: dict[str, list[int]] = defaultdict(list)
    for event in facts.of("EmailQueued"):
        if event.version > 1:
            requeued[event.data["email_id"]].append(event.version)
    by_followup: dict[str, list[Call]] = defaultdict(list)
    for call in accepted:
        by_followup[call.followup_id].append(call)
    for id_, sends in by_followup.items():
        for one, other in pairwise(sends):
            after = one.started.version if one.started and one.email_id == other.email_id else 0
            before = other.started.version if other.started else 0
            if not any(after < version < before for version in requeued[other.email_id]):
                yield Anomaly("duplicate", id_, f"accepted twice: {one} and {other}")
    for type_, name in (("FollowupDue", "followup_id"), ("FollowupsPlanned", "client_id")):
        yield from _twice(facts, type_, name)
    yield from _twice(facts, "SendStarted", "email_id", "attempt")


def _twice(facts: Facts, type_: str, *names: str) -> Iterator[Anomaly]:
    locations: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for event in facts.of(type_):
        locations[tuple(event.data[name] for name in names)].append(event.location)
    for about, found in locations.items():
        if len(found) > 1:
            text = " attempt ".join(map(str, about))
            yield Anomaly("duplicate", text, f"{len(found)} {type_}: {', '.join(found)}")


def early(facts: Facts, accepted: Iterable[Call]) -> Iterator[Anomaly]:
    """Sends before the date, before FollowupDue, or before SendStarted."""
    for followup in facts.followups.values():
        date, due = followup.scheduled_for, followup.due
        if due and date and due.time("due_at") < date:
            detail = f"{due.location} is due at {due.data['due_at']}, scheduled for {date}"
            yield Anomaly("early", followup.id, detail)
    for call in accepted:
        about = facts.followups.get(call.followup_id)
        if about is None or about.due is None:
            yield Anomaly("early", call.followup_id, f"{call} without a FollowupDue")
        elif about.scheduled_for and call.at < about.scheduled_for - ROUNDING:
            yield Anomaly("early", about.id, f"{call}, scheduled for {about.scheduled_for}")
        if call.started is None:
            detail = f"{call} was called before SendStarted was appended"
            yield Anomaly("early", call.followup_id, detail)
        elif call.at < call.started.time("started_at") - ROUNDING:
            started = call.started.data["started_at"]
            yield Anomaly("early", call.followup_id, f"{call}, started only at {started}")


def after_opt_out(facts: Facts, accepted: Iterable[Call]) -> Iterator[Anomaly]:
    """Sends after an acknowledged opt-out."""
    opt_outs = facts.history.acknowledged.opt_outs
    confirmed = _confirmed(facts)
    for call in accepted:
        for address in call.to:
            if (opted_out := opt_outs.get(address)) and call.at > opted_out:
                yield Anomaly(
                    "after-opt-out", call.followup_id, f"{call}, acknowledged at {opted_out}"
                )
            for agent in _agents(facts, call):
                if (at := confirmed.get((agent, address))) and call.at > at:
                    yield Anomaly("after-opt-out", call.followup_id, f"{call}, confirmed at {at}")


def _confirmed(facts: Facts) -> dict[tuple[str, str], datetime]:
    """Return since when the suppressions hold, by agent and address."""
    return {
        (first.data["agent_id"], address_key(first.data["personal"]["email"])): event.time(
            "confirmed_at"
        )
        for event in facts.of("SuppressionConfirmed")
        for first in facts.merged[event.stream]
        if first.type == "AddressSuppressed"
    }


def _agents(facts: Facts, call: Call) -> tuple[str, ...]:
    """Return the agents whose opt-outs hold for the call: also those that had the client before."""
    followup = facts.followups.get(call.followup_id)
    due = followup.due if followup else None
    return (call.agent_id, *(due.data.get("former_agents") or () if due else ()))


def given_up(facts: Facts, accepted: list[Call]) -> Iterator[Anomaly | str]:
    """Yield an anomaly for each attempt given up too soon, a text for each that was merely late."""
    unknown = {
        (event.data["email_id"], event.data["attempt"]): event
        for event in facts.of("SendOutcomeUnknown")
        if event.data["error"] == "no answer in time"
    }
    calls_by_attempt = {(call.email_id, call.attempt): call for call in accepted}
    for attempt, event in unknown.items():
        call, at = calls_by_attempt.get(attempt), event.time("unknown_at")
        if call and call.at > at:
            detail = f"{call} was given up while the call was under way, {event.location} at {at}"
            yield Anomaly("stale state", call.followup_id, detail)
    for call in accepted:
        if call.started is None or call.at <= call.started.time("give_up_at"):
            continue
        later = [
            event
            for event in facts.merged[call.started.stream]
            if event.type == "SendStarted"
            and event.version > call.started.version
            and event.time("started_at") <= call.at
        ]
        until = call.started.data["give_up_at"]
        if later:
            detail = f"{call} after its give_up_at {until}, and {later[0].location} had begun"
            yield Anomaly("duplicate", call.followup_id, detail)
        elif (call.email_id, call.attempt) not in unknown:
            yield f"{call.followup_id}: {call} after its give_up_at {until}"


def unknowns(facts: Facts, accepted: Iterable[Call]) -> Iterator[str]:
    """Explain each follow-up that ended unknown: the ledger's entry and the error."""
    ledger = {(call.email_id, call.attempt): call for call in accepted}
    for followup in facts.followups.values():
        if last(followup.email, EMAIL_STATUS) != "unknown":
            continue
        event = next(e for e in reversed(followup.email) if e.type == "SendOutcomeUnknown")
        call = ledger.get((event.data["email_id"], event.data["attempt"]))
        ledger_entry = f"the ledger has it at {call.at}" if call else "the ledger has it not"
        held = ", held for a person" if followup.email[-1].type == "EmailHeld" else ""
        yield (
            f"{followup.id}: attempt {event.data['attempt']} of {event.stream}: {ledger_entry}; "
            f"{event.data['error']!r} at {event.data['unknown_at']}{held}"
        )
