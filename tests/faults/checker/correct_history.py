"""A handmade correct history: one client, one follow-up sent, four cancelled."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from tests.faults.checker.history import Acknowledged, Document, History, Record

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
DAYS = {"Day 1": 1, "Day 3": 3, "Week 1": 7, "Week 2": 14, "Month 1": 30}
DAY = timedelta(seconds=10)
AGENT, CLIENT, EMAIL, SUPPRESSION, SENDING = (str(uuid.UUID(int=n)) for n in range(1, 6))
FOLLOWUPS = [str(uuid.UUID(int=n)) for n in range(10, 15)]
FIRST = FOLLOWUPS[0]
PLAN, DRAFT = f"plan-{CLIENT}", f"draft-{FIRST}"
ADDRESS = "jane@example.com"
LETTER = {"subject": "Your search", "body": "Hi Jane,\n\nany news?"}
SERVICES = {
    "agents": "crm",
    "clients": "crm",
    "followups": "scheduler",
    "drafts": "composer",
    "emails": "mailer",
}


def wire_time(seconds: float) -> str:
    """Return the time so many seconds after noon, in RFC 3339."""
    at = (NOON + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
    return at.replace("+00:00", "Z")


def planned_for(number: int) -> datetime:
    """Return the date of a follow-up."""
    return NOON + list(DAYS.values())[number] * DAY


class HistoryBuilder:
    """A history under construction; `append` adds an event to its log and its topic."""

    def __init__(self) -> None:
        stored: dict[str, dict[str, list[Document]]] = {
            service: {"commits": []} for service in SERVICES.values()
        }
        self.history = History([], [], stored | {"gateway": {}}, Acknowledged())
        self._versions: dict[str, int] = {}

    def append(self, topic: str, stream: str, type_: str, **data: Any) -> None:
        """Append an event about the client, and publish it."""
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        id_, value = uuid.uuid5(uuid.NAMESPACE_OID, f"{stream}@{version}"), self._about(data)
        wire_name, raw = f"realtoros.{type_}.v1", orjson.dumps(value)
        commit: Document = {
            "_id": f"{stream}@{version:09}",
            "stream": stream,
            "first": version,
            "last": version,
            "topic": topic,
            "events": [{"id": id_, "type": wire_name, "data": raw.decode()}],
            "published": {"partition": 3, "offset": 0},
        }
        self.history.stored[SERVICES[topic]]["commits"].append(commit)
        headers = {
            "ce_id": str(id_),
            "ce_type": wire_name,
            "ce_source": f"/realtoros/{SERVICES[topic]}",
            "ce_subject": stream,
            "ce_streamversion": str(version),
        }
        self.add_record(topic, headers, value)

    def _about(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"agent_id": AGENT, "client_id": CLIENT} | data

    def add_record(
        self, topic: str, headers: dict[str, str], value: Any, key: str = CLIENT
    ) -> None:
        """Add a record to a topic."""
        offset = sum(record.topic == topic for record in self.history.records)
        raw = b"" if value is None else orjson.dumps(value)
        self.history.records.append(Record(topic, 3, offset, key, headers, value, raw))

    def email_event(self, type_: str, **data: Any) -> None:
        """Append an event of the first follow-up's email."""
        self.append("emails", f"email-{EMAIL}", type_, email_id=EMAIL, followup_id=FIRST, **data)

    def draft_event(self, type_: str, **data: Any) -> None:
        """Append an event of the first follow-up's draft."""
        self.append("drafts", DRAFT, type_, followup_id=FIRST, **data)

    def compose(self, seconds: float, **changes: str) -> None:
        """Append that the first follow-up's letter is composed."""
        letter = {"to_email": ADDRESS} | LETTER | changes
        self.draft_event("EmailComposed", composed_at=wire_time(seconds), personal=letter)

    def queue(self, seconds: float, to: str = ADDRESS) -> None:
        """Append that the first follow-up's email is queued."""
        self.email_event("EmailQueued", queued_at=wire_time(seconds), personal={"to_email": to})

    def start(self, seconds: float, attempt: int = 1) -> None:
        """Append that an attempt has started."""
        times = {"started_at": wire_time(seconds), "give_up_at": wire_time(seconds + 6)}
        self.email_event("SendStarted", attempt=attempt, **times)

    def accept(
        self, seconds: float, attempt: int = 1, email: str = EMAIL, to: str = ADDRESS
    ) -> None:
        """Add an accepted call to the ledger."""
        number = len(self.history.ledger) + 1
        args = {"email_id": email, "client_id": CLIENT, "followup_id": FIRST, "agent_id": AGENT}
        text = f"{LETTER['body']}\n\nRealtorOS"
        entry = {
            "number": number,
            "at": wire_time(seconds),
            "to": [to],
            "subject": LETTER["subject"],
            "request": {"content": [{"value": text}]},
        }
        self.history.ledger.append(entry | {"custom_args": args | {"send_attempt": str(attempt)}})

    def document(self, service: str, collection: str, id_: str) -> Document:
        """Return a stored document."""
        [found] = [d for d in self.history.stored[service][collection] if str(d["_id"]) == id_]
        return found

    def set_email_version(self, version: int) -> None:
        """Set the last version of the email's stream."""
        self._versions[f"email-{EMAIL}"] = version

    def set_draft_version(self, version: int) -> None:
        """Set the last version of the draft's stream."""
        self._versions[DRAFT] = version

    def update_versions(self) -> None:
        """Set the versions of documents and positions to those of the streams."""
        for service, collection, stream in (
            ("mailer", "emails", f"email-{EMAIL}"),
            ("scheduler", "plans", PLAN),
        ):
            id_ = stream.partition("-")[2]
            self.document(service, collection, id_)["version"] = self._versions[stream]
        for service, topics in (
            ("gateway", ("client", "plan", "draft", "email", "suppression", "sending")),
            ("scheduler", ("agent", "client")),
            ("mailer", ("agent", "client", "plan")),
        ):
            self.history.stored[service]["positions"] = [
                {"_id": stream, "version": version}
                for stream, version in self._versions.items()
                if stream.partition("-")[0] in topics
            ]

    def store(self, service: str, collection: str, id_: str, **fields: Any) -> None:
        """Set fields of a stored document; a nested one is updated. None removes a field."""
        document = self.document(service, collection, id_)
        for name, value in fields.items():
            if value is None:
                document.pop(name, None)
            elif isinstance(value, dict):
                document[name] |= value
            else:
                document[name] = value

    def commit(self, type_: str) -> Document:
        """Return the first commit with an event of this type."""
        wire_name = f"realtoros.{type_}.v1"
        logs = (collections.get("commits", ()) for collections in self.history.stored.values())
        return next(c for log in logs for c in log if c["events"][0]["type"] == wire_name)

    def remove(self, *types: str) -> None:
        """Remove all events of these types from logs and topics."""
        wire_names = {f"realtoros.{type_}.v1" for type_ in types}
        for collections in self.history.stored.values():
            if "commits" in collections:
                collections["commits"] = [
                    c for c in collections["commits"] if c["events"][0]["type"] not in wire_names
                ]
        for type_ in types:
            self.remove_records(type_)

    def remove_records(self, type_: str) -> None:
        """Remove all events of a type from its topic."""
        wire_name = f"realtoros.{type_}.v1"
        self.history.records[:] = [
            r for r in self.history.records if r.headers.get("ce_type") != wire_name
        ]

    def change_data(self, type_: str, **data: Any) -> None:
        """Change the data of a type's first event, in log and topic."""
        [event] = self.commit(type_)["events"]
        event["data"] = orjson.dumps(orjson.loads(event["data"]) | data).decode()
        raw = event["data"].encode()
        self.change_record(type_, lambda record: replace(record, value=orjson.loads(raw), raw=raw))

    def change_record(self, type_: str, change: Callable[[Record], Record]) -> None:
        """Change the first record of a type."""
        records = self.history.records
        wire_name = f"realtoros.{type_}.v1"
        index = next(i for i, r in enumerate(records) if r.headers.get("ce_type") == wire_name)
        records[index] = change(records[index])


def correct_history() -> HistoryBuilder:
    """Return the builder of the history, from the agent's registration to the stored documents."""
    builder = HistoryBuilder()
    builder.append("agents", f"agent-{AGENT}", "AgentRegistered")
    builder.append(
        "clients",
        f"client-{CLIENT}",
        "ClientCreated",
        created_at=wire_time(0),
        stage="lead",
        personal={"name": "Jane", "email": ADDRESS},
    )
    followups = [
        {"followup_id": id_, "followup_type": type_, "scheduled_for": wire_time(10 * days)}
        for id_, (type_, days) in zip(FOLLOWUPS, DAYS.items(), strict=True)
    ]
    builder.append(
        "followups", PLAN, "FollowupsPlanned", planned_at=wire_time(1), followups=followups
    )
    about = {"followup_id": FIRST}
    dates = {"scheduled_for": wire_time(10), "due_at": wire_time(10.5)}
    builder.append("followups", PLAN, "FollowupDue", **about, **dates)
    for id_ in FOLLOWUPS[1:]:
        builder.append(
            "followups", PLAN, "FollowupCancelled", followup_id=id_, cancelled_at=wire_time(11)
        )
    builder.draft_event("DraftRequested", requested_at=wire_time(11))
    builder.compose(12)
    builder.queue(13)
    builder.start(14)
    builder.accept(14.5)
    builder.email_event("EmailSent", attempt=1, sent_at=wire_time(15))
    builder.history.acknowledged.clients[CLIENT] = NOON + timedelta(seconds=1)
    _store(builder.history.stored)
    builder.update_versions()
    return builder


def _store(stored: dict[str, dict[str, list[Document]]]) -> None:
    statuses = ["due", *["cancelled"] * 4]
    plan = [
        {"followup_id": uuid.UUID(id_), "status": status, "scheduled_for": planned_for(number)}
        for number, (id_, status) in enumerate(zip(FOLLOWUPS, statuses, strict=True))
    ]
    client, agent, email = uuid.UUID(CLIENT), uuid.UUID(AGENT), uuid.UUID(EMAIL)
    first, sent_at = uuid.UUID(FIRST), NOON + timedelta(seconds=15)
    stored["crm"] |= {
        "agents": [{"_id": agent, "version": 1, "state": {}}],
        "clients": [{"_id": client, "version": 1, "state": {"stage": "lead", "agent_id": agent}}],
    }
    stored["scheduler"] |= {
        "plans": [{"_id": client, "state": {"followups": plan, "agent_id": agent}}],
        "clients": [{"_id": client, "stage": "lead", "agent_id": agent}],
        "agents": [{"_id": agent}],
    }
    drafted = {"followup_id": first, "status": "composed"}
    mailed = {"followup_id": first, "status": "sent", "attempt": 1}
    stored["composer"]["drafts"] = [{"_id": first, "version": 2, "state": drafted}]
    stored["mailer"]["emails"] = [{"_id": email, "state": mailed}]
    stored["mailer"]["recipients"] = [{"_id": client, "name": "Jane", "email": ADDRESS}]
    stored["gateway"] |= {
        "clients": [{"_id": client, "stage": "lead", "agent_id": agent, "last_contacted": sent_at}],
        "tasks": [
            {"_id": uuid.UUID(id_), "status": status, "agent_id": agent}
            for id_, status in zip(FOLLOWUPS, ["sent", *statuses[1:]], strict=True)
        ],
        "email_logs": [{"_id": email, "status": "sent", "agent_id": agent}],
    }
