"""The checker finds each broken promise in a history made by hand, and none in a correct one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.checker.broken_histories import ALLOWED, BROKEN, Break
from tests.faults.checker.checker import check, settled
from tests.faults.checker.correct_history import ADDRESS, one_life, text
from tests.faults.checker.mutations import quarantined, unknown
from tests.faults.checker.verdict import Kind

FOLDER = Path(__file__).parent
CHECKS = ("losses", "sends", "states", "streams", "stuck", "views")
OWN = ("history", "facts", "verdict", "checker", *CHECKS)


def test_a_correct_history_has_no_anomaly() -> None:
    life = one_life()
    verdict = check(life.history)
    assert verdict.anomalies == ()
    assert verdict.ends == {"sent": 1, "cancelled": 4}
    assert settled(life.history)
    assert str(verdict).splitlines() == ["5 follow-ups: 4 cancelled, 1 sent", "no anomalies"]


@pytest.mark.parametrize(("kind", "detail", "break_"), BROKEN)
def test_each_broken_promise_is_found(kind: Kind, detail: str, break_: Break) -> None:
    life = one_life()
    break_(life)
    verdict = check(life.history)
    assert [a for a in verdict.anomalies if a.kind == kind and detail in a.detail], str(verdict)
    assert ADDRESS not in str(verdict)


@pytest.mark.parametrize("allow", ALLOWED.values(), ids=ALLOWED)
def test_what_is_allowed_is_no_anomaly(allow: Break) -> None:
    life = one_life()
    allow(life)
    assert check(life.history).anomalies == ()


def test_what_was_meant_to_bequarantined_is_no_anomaly() -> None:
    life = one_life()
    quarantined(life)
    assert check(life.history, expected_quarantine=lambda _: True).anomalies == ()


def test_an_unknown_end_is_explained() -> None:
    life = one_life()
    unknown(life, 15, "the connection broke")
    verdict = check(life.history)
    assert verdict.anomalies == ()
    [why] = verdict.unknown
    assert "attempt 1" in why
    assert "the ledger has it at" in why
    assert "'the connection broke'" in why
    life.history.ledger.clear()
    assert "the ledger has it not" in check(life.history).unknown[0]


def test_a_late_call_that_did_no_harm_is_told_but_no_anomaly() -> None:
    life = one_life()
    life.history.ledger[0]["at"] = text(21)
    verdict = check(life.history)
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
