"""The oracle: reads a history and names every promise that was broken."""

from collections import Counter
from collections.abc import Callable

from tests.faults.checker import losses as lost
from tests.faults.checker import sends, streams, stuck, views
from tests.faults.checker import states as state
from tests.faults.checker.facts import Facts
from tests.faults.checker.history import History, Record
from tests.faults.checker.verdict import Anomaly, Kind, Verdict

__all__ = ["Anomaly", "Kind", "Verdict", "check", "never", "settled"]


def never(record: Record) -> bool:
    """Expect no record in a quarantine."""
    return False


def check(history: History, *, expected_quarantine: Callable[[Record], bool] = never) -> Verdict:
    """Check the history of a run that is over.

    `expected_quarantine` tells which quarantine records were put there on purpose.
    """
    facts = Facts(history, expected_quarantine)
    calls = sends.calls(facts)
    given_up = list(sends.given_up(facts, calls))
    anomalies = [
        *lost.promises(facts),
        *lost.steps(facts),
        *lost.mails(facts),
        *lost.published(facts),
        *lost.unlogged(facts),
        *lost.quarantines(facts, expected_quarantine),
        *sends.duplicates(facts, calls),
        *sends.early(facts, calls),
        *sends.after_opt_out(facts, calls),
        *(found for found in given_up if isinstance(found, Anomaly)),
        *streams.order(facts),
        *streams.plans(facts),
        *streams.pauses(facts),
        *state.documents(facts),
        *views.positions(facts),
        *views.views(facts),
        *stuck.followups(facts),
        *stuck.due(facts),
        *stuck.unpublished(facts),
    ]
    return Verdict(
        tuple(anomalies),
        Counter(followup.end or "open" for followup in facts.followups.values()),
        tuple(sends.unknowns(facts, calls)),
        tuple(found for found in given_up if isinstance(found, str)),
    )


def settled(history: History) -> bool:
    """Tell whether the run is over.

    Every acknowledged client is planned, every follow-up has ended, every commit is published,
    every view has caught up, and the documents are as new as the topics. False for ever when
    something of that is broken: poll with a deadline, then ask `check`.
    """
    facts = Facts(history, never)
    unfinished = (
        lost.promises(facts),
        lost.steps(facts),
        stuck.followups(facts),
        stuck.unpublished(facts),
        # The topics were read later than the documents: they may tell more.
        lost.unlogged(facts),
        views.positions(facts),
    )
    return not any(True for check_ in unfinished for _ in check_)
