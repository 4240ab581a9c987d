"""Stuck work: follow-ups without a final status, overdue documents, unpublished commits."""

from collections.abc import Iterator
from datetime import timedelta

from tests.faults.checker.facts import EMAIL_STATUS, Facts, Followup, last, paused
from tests.faults.checker.states import STATES
from tests.faults.checker.verdict import Anomaly

OVERDUE = timedelta(seconds=30)


def followups(facts: Facts) -> Iterator[Anomaly]:
    """Follow-ups without a final status, but for those that something keeps waiting.

    A paused plan, a limit of emails or letters a day, or the switch of all sending.
    """
    for followup in facts.followups.values():
        plan = facts.published.get(f"plan-{followup.client_id}", ())
        waits = followup.due is None and paused(plan)
        held = facts.sending_is_paused and _is_queued(followup)
        waits = waits or held or followup.awaits_agent
        if followup.end is None and not (waits or is_postponed(facts, followup)):
            parts = (followup.email, followup.draft, followup.plan)
            latest = next((events[-1] for events in parts if events), None)
            detail = (
                f"last {latest.type} at {latest.location}" if latest else "nothing since planned"
            )
            yield Anomaly("stuck", followup.id, f"has not ended: {detail}")


def postponed(facts: Facts) -> Iterator[Followup]:
    """Return the follow-ups whose draft or email is postponed to a time that is still to come."""
    return (each for each in facts.followups.values() if is_postponed(facts, each))


def is_postponed(facts: Facts, followup: Followup) -> bool:
    """Return whether the follow-up's draft or email is postponed to a time still to come."""
    until = followup.postponed_until
    return until is not None and until > facts.history.read_at


def _is_queued(followup: Followup) -> bool:
    return last(followup.email, EMAIL_STATUS) == "queued"


def due(facts: Facts) -> Iterator[Anomaly]:
    """Documents that are overdue."""
    latest = facts.history.read_at - OVERDUE
    for service, collections in STATES.items():
        for collection, name in collections.items():
            for document in facts.history.stored.get(service, {}).get(collection, ()):
                state = document["state"]
                due_at = state.get("due_at")
                if due_at and due_at < latest and not _ended(facts, state):
                    detail = f"{service}.{collection} has been due since {due_at}"
                    yield Anomaly("stuck", f"{name}-{document['_id']}", detail)


def _ended(facts: Facts, state: dict[str, object]) -> bool:
    """Return whether the state's follow-up has a final status, or waits for the switch.

    False without a follow-up.
    """
    followup = facts.followups.get(str(state.get("followup_id")))
    held = facts.sending_is_paused and state.get("status") == "queued"
    return followup is not None and (held or followup.end is not None)


def unpublished(facts: Facts) -> Iterator[Anomaly]:
    """Commits that no relay has published."""
    for service, collections in facts.history.stored.items():
        for commit in collections.get("commits", ()):
            if commit["published"] is False:
                yield Anomaly("stuck", commit["stream"], f"{service}: {commit['_id']} unpublished")
