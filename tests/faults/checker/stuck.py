"""Does anything hang: a follow-up without an end, due work, an event that is not published?"""

from collections.abc import Iterator
from datetime import timedelta

from tests.faults.checker.facts import Facts
from tests.faults.checker.states import STATES
from tests.faults.checker.verdict import Anomaly

OVERDUE = timedelta(seconds=30)


def followups(facts: Facts) -> Iterator[Anomaly]:
    """Follow-ups that have not ended."""
    for followup in facts.followups.values():
        if followup.end is None:
            parts = (followup.email, followup.draft, followup.plan)
            latest = next((events[-1] for events in parts if events), None)
            detail = f"last {latest.type} at {latest.place}" if latest else "nothing since planned"
            yield Anomaly("stuck", followup.id, f"has not ended: {detail}")


def due(facts: Facts) -> Iterator[Anomaly]:
    """Documents whose date has passed though there is something left to do."""
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
    """Tell whether the follow-up that it is about has ended; what is about none has not."""
    followup = facts.followups.get(str(state.get("followup_id")))
    return followup is not None and followup.end is not None


def unpublished(facts: Facts) -> Iterator[Anomaly]:
    """Commits that no relay has published."""
    for service, collections in facts.history.stored.items():
        for commit in collections.get("commits", ()):
            if commit["published"] is False:
                yield Anomaly("stuck", commit["stream"], f"{service}: {commit['_id']} unpublished")
