"""Is anything lost: between a caller and the log, between two services, between log and topic?"""

from collections.abc import Callable, Iterator

from tests.faults.checker.facts import DRAFT_STATUS, NO_PLAN, Facts, last
from tests.faults.checker.history import Record
from tests.faults.checker.verdict import Anomaly


def promises(facts: Facts) -> Iterator[Anomaly]:
    """What callers were promised: clients, deletions, opt-outs."""
    promised = facts.history.acknowledged
    created, deleted = (
        facts.ids("client_id", "ClientCreated"),
        facts.ids("client_id", "ClientDeleted"),
    )
    for client in sorted(promised.clients.keys() - created):
        at = promised.clients[client].isoformat()
        yield Anomaly("lost", f"client-{client}", f"answered 201 at {at}, but no ClientCreated")
    for client in sorted(promised.deleted.keys() - deleted):
        at = promised.deleted[client].isoformat()
        yield Anomaly("lost", f"client-{client}", f"answered 204 at {at}, but no ClientDeleted")
    suppressed = {e.data["personal"]["email"].lower() for e in facts.of("AddressSuppressed")}
    for address in promised.opt_outs.keys() - suppressed:
        at = promised.opt_outs[address].isoformat()
        yield Anomaly("lost", "an opt-out", f"answered 200 at {at}, but no AddressSuppressed")


def steps(facts: Facts) -> Iterator[Anomaly]:
    """From each service to the next: whatever was said has to be taken up."""
    gone = facts.ids("client_id", "ClientDeleted") | facts.history.acknowledged.deleted.keys()
    planned = facts.ids("client_id", "FollowupsPlanned") | gone
    for event in facts.of("ClientCreated"):
        client = event.data["client_id"]
        if client not in planned and event.data["stage"] not in NO_PLAN:
            yield Anomaly("lost", f"client-{client}", f"no FollowupsPlanned after {event.place}")
    for followup in facts.followups.values():
        if (due := followup.due) and not followup.draft:
            yield Anomaly("lost", followup.id, f"no DraftRequested after FollowupDue {due.place}")
        status = last(followup.draft, DRAFT_STATUS)
        if status == "requested":
            place = followup.draft[-1].place
            yield Anomaly("lost", followup.id, f"no end of the draft after {place}")
        if status == "composed" and not followup.email:
            place = followup.draft[-1].place
            yield Anomaly("lost", followup.id, f"no EmailQueued after EmailComposed {place}")


def mails(facts: Facts) -> Iterator[Anomaly]:
    """EmailSent, but the provider has nothing, and nobody said that it has."""
    accepted = {
        (args.get("email_id"), str(args.get("attempt")))
        for entry in facts.history.ledger
        for args in [entry["custom_args"]]
    }
    told = set()
    for record in facts.commands:
        type_ = record.headers.get("ce_type", "")
        if not isinstance(record.value, dict):
            continue
        if type_.startswith("realtoros.RecordDelivery."):
            told.add((record.value["email_id"], record.value.get("attempt")))
        elif type_.startswith("realtoros.ResolveEmail.") and record.value["resolution"] == "sent":
            told.add((record.value["email_id"], None))
    for event in facts.of("EmailSent"):
        email, attempt = event.data["email_id"], event.data["attempt"]
        if (email, str(attempt)) not in accepted and not told & {(email, attempt), (email, None)}:
            yield Anomaly(
                "lost",
                f"email-{email}",
                f"EmailSent {event.place}, but the provider did not accept attempt {attempt}",
            )


def published(facts: Facts) -> Iterator[Anomaly]:
    """What stands in a log stands in its topic, to the byte."""
    found = {event.id: event for event in facts.occurrences}
    for event in (event for events in facts.logged.values() for event in events):
        copy = found.get(event.id)
        if copy is None:
            detail = f"version {event.version}, {event.type}, is in {event.place}, not in the topic"
            yield Anomaly("lost", event.stream, detail)
        elif copy.json != event.json:
            detail = f"version {event.version}: {copy.place} differs from {event.place}"
            yield Anomaly("stale state", event.stream, detail)


def unlogged(facts: Facts) -> Iterator[Anomaly]:
    """What stands in a topic, but in no log."""
    logged = {event.id for events in facts.logged.values() for event in events}
    for event in {event.id: event for event in facts.occurrences}.values():
        if event.id not in logged:
            detail = f"version {event.version}, {event.type}, is at {event.place}, in no log"
            yield Anomaly("stale state", event.stream, detail)


def quarantines(facts: Facts, expected: Callable[[Record], bool]) -> Iterator[Anomaly]:
    """What waits in a quarantine without being meant to."""
    for record in facts.quarantined:
        if not expected(record):
            reason = record.headers.get("quarantine_reason")
            yield Anomaly("lost", record.key or record.place, f"in {record.topic}: {reason}")
