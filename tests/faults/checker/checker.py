"""The checker: names every guarantee that a history breaks."""

from collections import Counter
from collections.abc import Callable

from tests.faults.checker import letters, recipients, sends, streams, stuck, unwanted, views
from tests.faults.checker import losses as lost
from tests.faults.checker import states as state
from tests.faults.checker.facts import Facts
from tests.faults.checker.history import History, Record
from tests.faults.checker.unwanted import DailyLimit
from tests.faults.checker.verdict import Anomaly, Kind, Verdict

__all__ = ["Anomaly", "DailyLimit", "Kind", "Verdict", "check", "expect_none", "settled"]


def expect_none(record: Record) -> bool:
    """Expect no record in a quarantine."""
    return False


def check(
    history: History,
    *,
    expected_quarantine: Callable[[Record], bool] = expect_none,
    daily_limit: DailyLimit | None = None,
) -> Verdict:
    """Check the history of a finished run.

    `expected_quarantine` returns whether a quarantined record is expected; `daily_limit` is what
    mailer was told of how many emails an agent may send.
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
        *unwanted.ended_attempts(facts, calls),
        *unwanted.old_addresses(facts, calls),
        *unwanted.while_paused(facts, calls),
        *unwanted.cancelled(facts, calls),
        *unwanted.over_limit(facts, calls, daily_limit),
        *(found for found in given_up if isinstance(found, Anomaly)),
        *streams.order(facts),
        *streams.plans(facts),
        *streams.pauses(facts),
        *letters.drafts(facts),
        *letters.approvals(facts),
        *letters.texts(facts, calls),
        *state.documents(facts),
        *views.positions(facts),
        *views.views(facts),
        *recipients.recipients(facts),
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
    """Return whether the run is over.

    Every acknowledged client is planned, every follow-up has ended, every commit is published,
    every view has caught up, and the documents are as new as the topics. If one of these is broken
    it stays False: poll with a deadline, then call `check`.
    """
    facts = Facts(history, expect_none)
    unfinished = (
        lost.promises(facts),
        lost.steps(facts),
        stuck.followups(facts),
        stuck.postponed(facts),
        stuck.unpublished(facts),
        # The topics were read later than the documents, and may have more events.
        lost.unlogged(facts),
        views.positions(facts),
    )
    return not any(True for check_ in unfinished for _ in check_)
