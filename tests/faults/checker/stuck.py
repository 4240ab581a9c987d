"""Stuck work: follow-ups without a final status, overdue documents, unpublished commits."""

from collections.abc import Iterator
from datetime import timedelta

from tests.faults.checker.facts import Facts, paused
from tests.faults.checker.states import STATES
from tests.faults.checker.verdict import Anomaly

OVERDUE = timedelta(seconds=30)


def followups(facts: Facts) -> Iterator[Anomaly]:
    """Follow-ups without a final status, but for those that a paused plan keeps waiting."""
    for followup in facts.followups.values():
        plan = facts.published.get(f"plan-{followup.client_id}", ())
        waits = followup.due is None and paused(plan)
        if followup.end is None and not waits:
            parts = (followup.email, followup.draft, followup.plan)
            latest = next((events[-1] for events in parts if events), None)
            detail = (
                f"last {latest.type} at {latest.location}" if latest else "nothing since planned"
            )
            yield Anomaly("stuck", followup.id, f"has not ended: {detail}")


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
    """Return whether the state's follow-up has a final status; False without a follow-up."""
    followup = facts.followups.get(str(state.get("followup_id")))
    return followup is not None and followup.end is not None


def unpublished(facts: Facts) -> Iterator[Anomaly]:
    """Commits that no relay has published."""
    for service, collections in facts.history.stored.items():
        for commit in collections.get("commits", ()):
            if commit["published"] is False:
                yield Anomaly("stuck", commit["stream"], f"{service}: {commit['_id']} unpublished")
