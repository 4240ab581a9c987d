"""Unwanted sends: what was forbidden before the call, and what exceeds an agent's limit."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tests.faults.checker.facts import EMAIL_STATUS, Event, Facts, address_key, last
from tests.faults.checker.sends import ROUNDING, Call
from tests.faults.checker.verdict import Anomaly, Kind

NEVER = datetime.max.replace(tzinfo=UTC)
# What ends an attempt before its call, with the field that says when.
_NOT_CALLED_FOR = {
    "EmailWithheld": "withheld_at",
    "EmailWithdrawn": "withdrawn_at",
    "EmailPostponed": "postponed_at",
    "EmailQueued": "queued_at",
}
# After these, the email is not sent at all.
_FINAL = ("EmailWithheld", "EmailWithdrawn")


class DailyLimit(NamedTuple):
    """How many emails of an agent may be started in any day of the calendar, which lasts `day`."""

    emails: int
    day: timedelta


def ended_attempts(facts: Facts, accepted: Iterable[Call]) -> Iterator[Anomaly]:
    """Calls of an attempt that ended before its call, and of an email that is not to be sent."""
    ended: dict[tuple[str, int], Event] = {}
    final: dict[str, Event] = {}
    for stream, events in facts.merged.items():
        if stream.startswith("email-"):
            ended |= dict(_ended_before_the_call(events))
            final |= {e.data["email_id"]: e for e in events if e.type in _FINAL}
    for call in accepted:
        event = ended.get((call.email_id, call.attempt))
        stopped = final.get(call.email_id)
        if stopped and call.at > stopped.time(_NOT_CALLED_FOR[stopped.type]) + ROUNDING:
            event = event or stopped
        if event:
            what = event.type.removeprefix("Email").lower()
            at = event.data[_NOT_CALLED_FOR[event.type]]
            kind: Kind = "after-opt-out" if event.type == "EmailWithheld" else "unwanted"
            yield Anomaly(kind, call.followup_id, f"{call}, but {what} at {at}, {event.location}")


def _ended_before_the_call(events: Iterable[Event]) -> Iterator[tuple[tuple[str, int], Event]]:
    status, attempt = "", 0
    for event in events:
        # One that is queued again after its outcome was unknown may have been called for.
        is_final = event.type in _FINAL and status == "unknown"
        if event.type in _NOT_CALLED_FOR and (status == "sending" or is_final):
            yield (event.data["email_id"], attempt), event
        attempt = event.data["attempt"] if event.type == "SendStarted" else attempt
        status = EMAIL_STATUS.get(event.type, status)


def old_addresses(facts: Facts, accepted: Iterable[Call]) -> Iterator[Anomaly]:
    """Calls to another address than the email's, or than the client's as mailer knew it."""
    told: dict[str, list[str]] = defaultdict(list)
    for event in facts.of("ClientCreated", "ClientUpdated"):
        told[event.data["client_id"]].append(address_key(event.data["personal"]["email"]))
    for call in accepted:
        if call.started is None:
            continue
        queued = [
            event
            for event in facts.merged[call.started.stream]
            if event.type == "EmailQueued" and event.version < call.started.version
        ]
        if queued and call.to != (address_key(queued[-1].data["personal"]["to_email"]),):
            detail = f"{call}, not to the address in {queued[-1].location}"
            yield Anomaly("unwanted", call.followup_id, detail)
        client, started = call.started.data["client_id"], call.started.time("started_at")
        known = facts.history.acknowledged.addresses.get(client, ())
        before = [(at, address) for at, address in known if at < started]
        if before:
            at, address = before[-1]
            # Or one that the client had later.
            later = told[client][_index(told[client], address) :]
            if not set(call.to) <= {address, *later}:
                detail = f"{call}, but the client had another address at {at}"
                yield Anomaly("unwanted", call.followup_id, detail)


def _index(addresses: list[str], address: str) -> int:
    return addresses.index(address) if address in addresses else 0


def while_paused(facts: Facts, accepted: Iterable[Call]) -> Iterator[Anomaly]:
    """Calls while all sending had stopped, or started after its pause was confirmed."""
    stops = list(_stops(facts))
    for call in accepted:
        for stopped, resumed in stops:
            if stopped.time("stopped_at") + ROUNDING < call.at < resumed - ROUNDING:
                detail = f"{call}, but all sending had stopped, {stopped.location}"
                yield Anomaly("unwanted", call.followup_id, detail)
        for at, resumed_at in facts.history.acknowledged.pauses.items():
            until = resumed_at or NEVER
            if call.started and at < call.started.time("started_at") and call.at < until:
                detail = f"{call}, started after all sending was paused at {at}"
                yield Anomaly("unwanted", call.followup_id, detail)


def _stops(facts: Facts) -> Iterator[tuple[Event, datetime]]:
    """Return when all sending had stopped, and when it was resumed."""
    for stream, events in facts.merged.items():
        if stream.startswith("sending-"):
            for number, event in enumerate(events):
                if event.type == "SendingStopped":
                    after = events[number:]
                    resumed = (e.time("resumed_at") for e in after if e.type == "SendingResumed")
                    yield event, next(resumed, NEVER)


def cancelled(facts: Facts, accepted: Iterable[Call]) -> Iterator[Anomaly]:
    """Calls about a follow-up that was shown as cancelled."""
    shown = facts.history.acknowledged.cancelled
    for call in accepted:
        if (at := shown.get(call.followup_id)) and call.at > at:
            yield Anomaly("unwanted", call.followup_id, f"{call}, shown as cancelled at {at}")


def over_limit(
    facts: Facts, accepted: Iterable[Call], limit: DailyLimit | None
) -> Iterator[Anomaly]:
    """More emails of an agent within a day than its limit.

    Of those that were called for within a day since the first one was started, the last to start
    has counted all others. An email that was queued again counts from its next start on.
    """
    if limit is None:
        return
    by_agent: dict[str, list[tuple[datetime, Call]]] = defaultdict(list)
    for call in accepted:
        if call.started and _counts(facts.merged, call.started):
            by_agent[call.agent_id].append((call.started.time("started_at"), call))
    for agent, calls in by_agent.items():
        for first, call in calls:
            until = first + limit.day - 2 * ROUNDING
            within = [each for started, each in calls if first <= started and each.at < until]
            if len(within) > limit.emails:
                detail = f"{len(within)} emails within a day from {call} on"
                yield Anomaly("unwanted", agent, detail)
                break


def _counts(streams: Mapping[str, list[Event]], started: Event) -> bool:
    """Return whether the start was the last one of its email, and still counts."""
    after = [event for event in streams[started.stream] if event.version > started.version]
    return not last(after, {type_: type_ for type_ in (*_NOT_CALLED_FOR, "SendStarted")})
