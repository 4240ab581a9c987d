"""Streams: in order, with dates that come from events rather than clocks."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.faults.checker.facts import Event, Facts, paused
from tests.faults.checker.verdict import Anomaly

DAYS = {"Day 1": 1, "Day 3": 3, "Week 1": 7, "Week 2": 14, "Month 1": 30}
TOLERANCE = timedelta(milliseconds=2)


def order(facts: Facts) -> Iterator[Anomaly]:
    """A stream is in one partition, its versions in order; a repeat equals the original."""
    first: dict[tuple[str, int], Event] = {}
    latest: dict[str, Event] = {}
    moved = set()
    for event in facts.occurrences:
        before = latest.get(event.stream)
        if before and (before.topic, before.partition) != (event.topic, event.partition):
            if event.stream not in moved:
                moved.add(event.stream)
                detail = f"is in two partitions: {before.location} and {event.location}"
                yield Anomaly("stale state", event.stream, detail)
            continue
        known = first.setdefault((event.stream, event.version), event)
        if known is not event:
            if (known.id, known.json) != (event.id, event.json):
                detail = (
                    f"fork: version {event.version} at {known.location} and at {event.location}"
                )
                yield Anomaly("stale state", event.stream, detail)
            continue
        if before and event.version < before.version:
            detail = (
                f"published out of order: version {event.version} at {event.location} after "
                f"version {before.version} at {before.location}"
            )
            yield Anomaly("stale state", event.stream, detail)
        if before is None or event.version > before.version:
            latest[event.stream] = event
    for stream, event in latest.items():
        missing = [v for v in range(1, event.version) if (stream, v) not in first]
        if missing:
            detail = (
                f"versions {missing} are missing before version {event.version}, {event.location}"
            )
            yield Anomaly("stale state", stream, detail)


def plans(facts: Facts) -> Iterator[Anomaly]:
    """Dates count from the client's `created_at`; a follow-up changes only while it is pending.

    Its notes and its agent change at any time; one that is due may be cancelled, once.
    """
    created = {event.data["client_id"]: event for event in facts.of("ClientCreated")}
    for event in facts.of("FollowupsPlanned"):
        client = created.get(event.data["client_id"])
        if client is None:
            detail = f"{event.location}: FollowupsPlanned without ClientCreated"
            yield Anomaly("stale state", event.stream, detail)
            continue
        start = client.time("created_at")
        followups = [facts.followups[f["followup_id"]] for f in event.data["followups"]]
        waits = {
            DAYS[f.planned["followup_type"]]: datetime.fromisoformat(f.planned["scheduled_for"])
            - start
            for f in followups
            if f.planned and f.planned["followup_type"] in DAYS
        }
        if not waits:
            continue
        longest = max(waits)
        day = waits[longest] / longest
        wrong = [f"{n}: {wait}" for n, wait in waits.items() if abs(wait - n * day) > TOLERANCE]
        if wrong or day <= timedelta(0):
            detail = (
                f"{event.location}: "
                f"dates do not count from created_at {client.data['created_at']}: "
                f"day {', '.join(wrong)}; a day is {day}"
            )
            yield Anomaly("stale state", event.stream, detail)
    for followup in facts.followups.values():
        ended = None
        for change in followup.plan:
            if change.type in ("FollowupChanged", "FollowupReassigned"):
                continue
            after = ended.type if ended else "nothing"
            wanted = "FollowupDue" if change.type == "DueFollowupCancelled" else "nothing"
            if after != wanted:
                detail = f"{change.type} {change.location} after {after}"
                yield Anomaly("stale state", followup.id, detail)
            if change.type != "FollowupRescheduled":
                ended = change


def pauses(facts: Facts) -> Iterator[Anomaly]:
    """While a plan is paused no follow-up of it falls due."""
    for stream, events in facts.merged.items():
        for number, event in enumerate(events):
            if event.type == "FollowupDue" and paused(events[:number]):
                yield Anomaly("early", stream, f"FollowupDue {event.location} while it is paused")
