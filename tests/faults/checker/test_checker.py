"""The checker finds each broken guarantee in a handmade history, and none in a correct one."""

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.faults.checker.broken_histories import ALLOWED, BROKEN, Mutation
from tests.faults.checker.checker import DailyLimit, check, settled
from tests.faults.checker.correct_history import ADDRESS, correct_history, wire_time
from tests.faults.checker.mutations import quarantined, second_email, second_send, unknown, waiting
from tests.faults.checker.verdict import Kind

FOLDER = Path(__file__).parent
CHECKS = (
    "letters",
    "losses",
    "recipients",
    "sends",
    "states",
    "streams",
    "stuck",
    "unwanted",
    "views",
)
OWN = ("history", "facts", "verdict", "checker", *CHECKS)


def test_a_correct_history_has_no_anomaly() -> None:
    builder = correct_history()
    verdict = check(builder.history)
    assert verdict.anomalies == ()
    assert verdict.ends == {"sent": 1, "cancelled": 4}
    assert settled(builder.history)
    assert str(verdict).splitlines() == ["5 follow-ups: 4 cancelled, 1 sent", "no anomalies"]


@pytest.mark.parametrize(("kind", "detail", "mutate"), BROKEN)
def test_each_broken_guarantee_is_found(kind: Kind, detail: str, mutate: Mutation) -> None:
    builder = correct_history()
    mutate(builder)
    verdict = check(builder.history)
    assert [a for a in verdict.anomalies if a.kind == kind and detail in a.detail], str(verdict)
    assert ADDRESS not in str(verdict)


@pytest.mark.parametrize("allow", ALLOWED.values(), ids=ALLOWED)
def test_an_allowed_mutation_is_no_anomaly(allow: Mutation) -> None:
    builder = correct_history()
    allow(builder)
    assert check(builder.history).anomalies == ()


def test_an_email_that_waits_for_a_later_time_is_not_settled() -> None:
    builder = correct_history()
    waiting(builder, 61)
    assert not settled(builder.history)


@pytest.mark.parametrize(
    ("limit", "seconds", "found"),
    [(1, 18.6, True), (1, 18.4, False), (2, 18.6, False)],
)
def test_more_emails_in_a_day_than_the_limit_are_found(
    limit: int, seconds: float, *, found: bool
) -> None:
    builder = correct_history()
    second_email(builder)
    day = timedelta(seconds=seconds - 14)
    anomalies = check(builder.history, daily_limit=DailyLimit(limit, day)).anomalies
    assert [a.kind for a in anomalies if "within a day" in a.detail] == ["unwanted"] * found


def test_an_email_that_was_queued_again_counts_from_its_next_start_on() -> None:
    builder = correct_history()
    second_send(builder, ordered=True)
    daily_limit = DailyLimit(1, timedelta(seconds=30))
    assert check(builder.history, daily_limit=daily_limit).anomalies == ()


def test_an_expected_quarantine_is_no_anomaly() -> None:
    builder = correct_history()
    quarantined(builder)
    assert check(builder.history, expected_quarantine=lambda _: True).anomalies == ()


def test_an_unknown_end_is_explained() -> None:
    builder = correct_history()
    unknown(builder, 15, "the connection broke")
    verdict = check(builder.history)
    assert verdict.anomalies == ()
    [why] = verdict.unknown
    assert "attempt 1" in why
    assert "the ledger has it at" in why
    assert "'the connection broke'" in why
    builder.history.ledger.clear()
    assert "the ledger has it not" in check(builder.history).unknown[0]


def test_a_harmless_late_call_is_reported_but_no_anomaly() -> None:
    builder = correct_history()
    builder.history.ledger[0]["at"] = wire_time(21)
    verdict = check(builder.history)
    assert verdict.anomalies == ()
    assert "after its give_up_at" in verdict.late[0]


def test_the_checker_shares_no_code_with_what_it_checks() -> None:
    for path in (FOLDER / f"{name}.py" for name in OWN):
        for imported in _imports(path):
            assert imported.split(".")[0] not in ("contracts", "chassis", "services", "ops"), path


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
