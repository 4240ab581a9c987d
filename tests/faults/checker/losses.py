"""Losses: between API and log, between two services, and between log and topic."""

from collections.abc import Callable, Iterator

from tests.faults.checker.facts import DRAFT_STATUS, STAGES_WITHOUT_PLAN, Facts, address_key, last
from tests.faults.checker.history import Record
from tests.faults.checker.stuck import is_postponed
from tests.faults.checker.verdict import Anomaly


def promises(facts: Facts) -> Iterator[Anomaly]:
    """What was acknowledged, but no event records."""
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
    events = facts.of("AddressSuppressed")
    suppressed = {address_key(event.data["personal"]["email"]) for event in events}
    for address in promised.opt_outs.keys() - suppressed:
        at = promised.opt_outs[address].isoformat()
        yield Anomaly("lost", "an opt-out", f"answered 200 at {at}, but no AddressSuppressed")
    stopped = facts.ids("followup_id", "FollowupCancelled", "DueFollowupCancelled")
    for followup in sorted(promised.cancelled.keys() - stopped):
        at = promised.cancelled[followup].isoformat()
        yield Anomaly("lost", followup, f"shown as cancelled at {at}, but no FollowupCancelled")
    missing = len(promised.pauses) - len(list(facts.of("SendingPaused")))
    if missing > 0:
        yield Anomaly("lost", "all sending", f"{missing} confirmed pauses, but no SendingPaused")


def steps(facts: Facts) -> Iterator[Anomaly]:
    """Events that the next service has not reacted to."""
    gone = facts.ids("client_id", "ClientDeleted") | facts.history.acknowledged.deleted.keys()
    planned = facts.ids("client_id", "FollowupsPlanned") | gone
    for event in facts.of("ClientCreated"):
        client, stage = event.data["client_id"], event.data["stage"]
        meant_for = (event.data.get("sequence") or {}).get("stages", ())
        if client not in planned and (stage not in STAGES_WITHOUT_PLAN or stage in meant_for):
            yield Anomaly("lost", f"client-{client}", f"no FollowupsPlanned after {event.location}")
    for followup in facts.followups.values():
        if (due := followup.due) and not followup.draft:
            yield Anomaly(
                "lost", followup.id, f"no DraftRequested after FollowupDue {due.location}"
            )
        status = last(followup.draft, DRAFT_STATUS)
        stopped = followup.cancelled_when_due
        if stopped and status in ("requested", "written", "failed"):
            detail = f"no DraftDiscarded after DueFollowupCancelled {stopped.location}"
            yield Anomaly("lost", followup.id, detail)
        elif status == "requested" and not is_postponed(facts, followup):
            location = followup.draft[-1].location
            yield Anomaly("lost", followup.id, f"no end of the draft after {location}")
        if status == "composed" and not followup.email:
            location = followup.draft[-1].location
            yield Anomaly("lost", followup.id, f"no EmailQueued after EmailComposed {location}")


def mails(facts: Facts) -> Iterator[Anomaly]:
    """EmailSent without an accepted call, a report or a person's resolution."""
    accepted = {
        (args.get("email_id"), str(args.get("send_attempt")))
        for entry in facts.history.ledger
        for args in [entry["custom_args"]]
    }
    reported = set()
    for record in facts.commands:
        type_ = record.headers.get("ce_type", "")
        if not isinstance(record.value, dict):
            continue
        if type_.startswith("realtoros.RecordDelivery."):
            reported.add((record.value["email_id"], record.value.get("attempt")))
        elif type_.startswith("realtoros.ResolveEmail.") and record.value["resolution"] == "sent":
            reported.add((record.value["email_id"], None))
    for event in facts.of("EmailSent"):
        email, attempt = event.data["email_id"], event.data["attempt"]
        if (email, str(attempt)) not in accepted and not reported & {
            (email, attempt),
            (email, None),
        }:
            yield Anomaly(
                "lost",
                f"email-{email}",
                f"EmailSent {event.location}, but the provider did not accept attempt {attempt}",
            )


def published(facts: Facts) -> Iterator[Anomaly]:
    """Events of a log that are missing from its topic, or differ there."""
    found = {event.id: event for event in facts.occurrences}
    for event in (event for events in facts.logged.values() for event in events):
        copy = found.get(event.id)
        if copy is None:
            detail = (
                f"version {event.version}, {event.type}, is in {event.location}, not in the topic"
            )
            yield Anomaly("lost", event.stream, detail)
        elif copy.json != event.json:
            detail = f"version {event.version}: {copy.location} differs from {event.location}"
            yield Anomaly("stale state", event.stream, detail)


def unlogged(facts: Facts) -> Iterator[Anomaly]:
    """Events of a topic that are in no log."""
    logged = {event.id for events in facts.logged.values() for event in events}
    for event in {event.id: event for event in facts.occurrences}.values():
        if event.id not in logged:
            detail = f"version {event.version}, {event.type}, is at {event.location}, in no log"
            yield Anomaly("stale state", event.stream, detail)


def quarantines(facts: Facts, expected: Callable[[Record], bool]) -> Iterator[Anomaly]:
    """Quarantined records that are not expected."""
    for record in facts.quarantined:
        if not expected(record):
            reason = record.headers.get("quarantine_reason")
            yield Anomaly("lost", record.key or record.location, f"in {record.topic}: {reason}")
