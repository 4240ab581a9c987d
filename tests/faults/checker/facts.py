"""The facts of a history: each stream's events in order, and the follow-ups they describe."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import idna
import orjson

from tests.faults.checker.history import History, Record

EVENT_TOPICS = ("agents", "clients", "followups", "drafts", "emails", "alerts", "notices")
# The topic of each kind of stream; the one service that writes to it.
STREAM_TOPICS = {
    "agent": "agents",
    "sequence": "agents",
    "client": "clients",
    "plan": "followups",
    "draft": "drafts",
    "email": "emails",
    "suppression": "emails",
    "sending": "emails",
    "alert": "alerts",
    "notice": "notices",
}
SOURCES = {
    "agents": "/realtoros/crm",
    "clients": "/realtoros/crm",
    "followups": "/realtoros/scheduler",
    "drafts": "/realtoros/composer",
    "emails": "/realtoros/mailer",
    "alerts": "/realtoros/mailer",
    "notices": "/realtoros/mailer",
}
EMAIL_STATUS = {
    "EmailQueued": "queued",
    "SendStarted": "sending",
    "SendAttemptFailed": "queued",
    "EmailSent": "sent",
    "EmailFailed": "failed",
    "EmailWithheld": "withheld",
    "EmailWithdrawn": "withheld",
    "EmailPostponed": "queued",
    "SendOutcomeUnknown": "unknown",
}
EMAIL_ENDS = ("sent", "failed", "withheld", "unknown")
# For these an email is withdrawn although nobody has cancelled its follow-up.
WITHHELD_FOR = ("plan_paused", "client_reassigned")
DRAFT_STATUS = {
    "DraftRequested": "requested",
    "DraftWritten": "written",
    "DraftRevised": "written",
    "DraftApproved": "written",
    "EmailComposed": "composed",
    "CompositionFailed": "failed",
    "DraftPostponed": "requested",
    "DraftDiscarded": "discarded",
}
PLAN_STATUS = {"FollowupDue": "due", "FollowupCancelled": "cancelled"}
SWITCH_STATUS = {
    "SendingPaused": "pausing",
    "SendingStopped": "paused",
    "SendingResumed": "active",
}
PAUSE_EVENTS = ("PlanPaused", "PlanResumed")
# They name no one follow-up.
PLAN_EVENTS = (*PAUSE_EVENTS, "PlanDeleted", "ClientReplied")
PLANNING_EVENTS = ("FollowupsPlanned", "FollowupsAdded")
STAGES_WITHOUT_PLAN = ("closed", "lost")


@dataclass(frozen=True, slots=True)
class Event:
    """One event, from a topic or from a log. `type` is the class name, `json` the stored text."""

    id: str
    type: str
    topic: str
    stream: str
    version: int
    data: Mapping[str, Any]
    json: bytes
    location: str
    partition: int = -1
    offset: int = -1

    def time(self, name: str) -> datetime:
        """Read a field that is a time (RFC 3339)."""
        return datetime.fromisoformat(self.data[name])


Streams = dict[str, list[Event]]


@dataclass
class Followup:
    """A planned follow-up: its events in each stream, in order."""

    id: str
    client_id: str
    planned: Mapping[str, Any] | None = None
    plan: list[Event] = field(default_factory=list)
    draft: list[Event] = field(default_factory=list)
    email: list[Event] = field(default_factory=list)

    @property
    def due(self) -> Event | None:
        """The event with which it fell due."""
        return next((event for event in self.plan if event.type == "FollowupDue"), None)

    @property
    def scheduled_for(self) -> datetime | None:
        """The date at which it fell due, or the current date."""
        date = self.planned["scheduled_for"] if self.planned else None
        for event in self.plan:
            if event.type == "FollowupDue":
                break
            if event.type == "FollowupRescheduled":
                date = event.data["scheduled_for"]
        return datetime.fromisoformat(date) if date else None

    @property
    def notes(self) -> str | None:
        """The agent's latest notes."""
        changed = [event for event in self.plan if event.type == "FollowupChanged"]
        return changed[-1].data["personal"]["notes"] if changed else None

    @property
    def end(self) -> str | None:
        """Its final status; None if it has none yet."""
        if self.email:
            status = email_status(self.email)
            return status if status in (*EMAIL_ENDS, "cancelled") else None
        draft = last(self.draft, DRAFT_STATUS)
        # One that was made ahead is written anew.
        if draft in ("failed", "discarded") and self.due:
            return "failed" if draft == "failed" else "cancelled"
        return "cancelled" if last(self.plan, PLAN_STATUS) == "cancelled" else None

    @property
    def awaits_agent(self) -> bool:
        """Whether its letter waits for the agent's approval."""
        return last(self.draft, DRAFT_STATUS) == "written"

    @property
    def cancelled_when_due(self) -> Event | None:
        """The event that has cancelled it when it was due already."""
        return next((event for event in self.plan if event.type == "DueFollowupCancelled"), None)

    @property
    def postponed_until(self) -> datetime | None:
        """Until when its email or its draft is postponed."""
        latest = (self.email or self.draft)[-1:]
        return next((e.time("until") for e in latest if e.type.endswith("Postponed")), None)


class Facts:
    """`published`: the topics' events by stream; `logged`: the logs'; `merged`: both."""

    def __init__(self, history: History, expected: Callable[[Record], bool]) -> None:
        self.history = history
        self.logged: Streams = defaultdict(list)
        for service, collections in history.stored.items():
            for commit in collections.get("commits", ()):
                for event in _of_commit(service, commit):
                    self.logged[event.stream].append(event)
        ids = {event.id for events in self.logged.values() for event in events}
        self.quarantined = _quarantined(history.records)
        poison = {r.key for r in self.quarantined if expected(r)}
        found = (_of_record(record) for record in history.records if record.topic in EVENT_TOPICS)
        # As in the topics, with repeats, without the expected poison.
        self.occurrences = [e for e in found if e and (e.location not in poison or e.id in ids)]
        self.occurrences.sort(key=lambda e: (e.topic, e.partition, e.offset))
        self.published = _streams(self.occurrences)
        every = (e for s in (self.published, self.logged) for events in s.values() for e in events)
        self.merged = _streams(every)
        for streams in (self.published, self.logged, self.merged):
            for events in streams.values():
                events.sort(key=lambda e: e.version)
        self.by_type: dict[str, list[Event]] = defaultdict(list)
        for events in self.merged.values():
            for event in events:
                self.by_type[event.type].append(event)
        self.followups = _followups(self.merged)
        self.commands = [r for r in history.records if r.topic.endswith(".commands")]

    @property
    def sending_is_paused(self) -> bool:
        """Whether all emails to clients wait in the end."""
        switches = (s for name, s in self.published.items() if name.startswith("sending-"))
        return any(last(events, SWITCH_STATUS) != "active" for events in switches)

    def of(self, *types: str) -> Iterable[Event]:
        """Return the events of these types."""
        return (event for type_ in types for event in self.by_type.get(type_, ()))

    def ids(self, field_: str, *types: str) -> set[str]:
        """Return the values of a field in the events of these types."""
        return {event.data[field_] for event in self.of(*types)}


def last(events: Sequence[Event], meaning: Mapping[str, str], default: str = "") -> str:
    """Return the meaning of the last event that has one."""
    return next((meaning[e.type] for e in reversed(events) if e.type in meaning), default)


def email_status(events: Sequence[Event]) -> str:
    """Return an email's status, where withdrawn for a cancelled follow-up is `cancelled`."""
    status = last(events, EMAIL_STATUS)
    reasons = [event.data["reason"] for event in events if event.type == "EmailWithdrawn"]
    if status != "withheld" or not reasons or reasons[-1] in WITHHELD_FOR:
        return status
    return "cancelled"


def paused(events: Iterable[Event]) -> bool:
    """Return whether a plan is paused after these events."""
    changes = [event.type for event in events if event.type in PAUSE_EVENTS]
    return changes[-1:] == ["PlanPaused"]


def agent_of(events: Sequence[Event]) -> str | None:
    """Return the agent that the stream belongs to after these events."""
    return events[-1].data["agent_id"] if events else None


@cache
def event_name(type_: str) -> str:
    """Return the name in `realtoros.<Name>.v<N>`."""
    return type_.removeprefix("realtoros.").rpartition(".v")[0]


def _of_commit(service: str, commit: Mapping[str, Any]) -> Iterable[Event]:
    for version, event in enumerate(commit["events"], commit["first"]):
        yield Event(
            id=str(event["id"]),
            type=event_name(event["type"]),
            topic=commit["topic"],
            stream=commit["stream"],
            version=version,
            data=orjson.loads(event["data"]),
            json=event["data"].encode(),
            location=f"{service}'s log, {commit['_id']}",
        )


def _of_record(record: Record) -> Event | None:
    headers = record.headers
    version = headers.get("ce_streamversion")
    if not isinstance(record.value, dict) or not isinstance(version, str) or not version.isdigit():
        return None
    if not all(isinstance(headers.get(n), str) for n in ("ce_id", "ce_type", "ce_subject")):
        return None
    # In a foreign topic, or from another writer: that it has happened, nobody says.
    kind = headers["ce_subject"].partition("-")[0]
    if (
        STREAM_TOPICS.get(kind, record.topic) != record.topic
        or headers.get("ce_source") != SOURCES[record.topic]
    ):
        return None
    return Event(
        id=headers["ce_id"],
        type=event_name(headers["ce_type"]),
        topic=record.topic,
        stream=headers["ce_subject"],
        version=int(version),
        data=record.value,
        json=record.raw,
        location=record.location,
        partition=record.partition,
        offset=record.offset,
    )


def _streams(events: Iterable[Event]) -> Streams:
    """Group events by stream, keeping the first of each version."""
    first: dict[tuple[str, int], Event] = {}
    for event in events:
        first.setdefault((event.stream, event.version), event)
    streams: Streams = defaultdict(list)
    for event in first.values():
        streams[event.stream].append(event)
    return streams


def _quarantined(records: Iterable[Record]) -> list[Record]:
    """Return the quarantined records: the latest of each key, without those resolved."""
    latest: dict[tuple[str, str], Record] = {}
    for record in sorted(
        (r for r in records if r.topic.endswith(".quarantine")), key=lambda r: r.offset
    ):
        latest[record.topic, record.key or record.location] = record
    return [record for record in latest.values() if record.value is not None]


def _followups(streams: Streams) -> dict[str, Followup]:
    followups: dict[str, Followup] = {}

    def of(id_: str, event: Event) -> Followup:
        return followups.setdefault(id_, Followup(id_, event.data["client_id"]))

    for stream, events in streams.items():
        kind = stream.partition("-")[0]
        for event in events:
            if event.type in PLANNING_EVENTS:
                for planned in event.data["followups"]:
                    of(planned["followup_id"], event).planned = planned
            elif kind in ("plan", "draft", "email") and event.type not in PLAN_EVENTS:
                getattr(of(event.data["followup_id"], event), kind).append(event)
    return followups


def address_key(address: str) -> str:
    """Return what one person's address is compared by: NFC, lower case, the domain in ASCII."""
    local, _, domain = unicodedata.normalize("NFC", address.strip()).rpartition("@")
    return f"{local.lower()}@{idna.encode(domain, uts46=True).decode()}"
