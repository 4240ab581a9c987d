"""What goes wrong for long is told; what goes well again, or is long ago, is not."""

import time

import pytest

from chassis.process.dependency_health import DependencyHealth


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, to be moved by hand."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_trouble_is_told_until_it_goes_well(clock: list[float]) -> None:
    trouble = DependencyHealth()
    assert trouble.reason is None
    trouble.note("away")
    assert trouble.reason == "away"
    clock[0] += 10_000
    assert trouble.reason == "away"
    trouble.clear()
    assert trouble.reason is None


def test_one_failure_among_successes_is_no_trouble(clock: list[float]) -> None:
    trouble = DependencyHealth(patience=5)
    for _ in range(10):
        trouble.note("503")
        clock[0] += 1
        trouble.clear()
    assert trouble.reason is None


def test_what_fails_for_longer_than_patience_is_trouble(clock: list[float]) -> None:
    trouble = DependencyHealth(patience=5)
    trouble.note("503")
    clock[0] += 4.9
    trouble.note("timeout")
    assert trouble.reason is None
    clock[0] += 0.1
    assert trouble.reason == "timeout"


def test_what_does_not_come_again_is_forgotten(clock: list[float]) -> None:
    trouble = DependencyHealth(patience=5, memory=60)
    trouble.note("503")
    clock[0] += 60
    assert trouble.reason == "503"
    clock[0] += 0.1
    assert trouble.reason is None
    trouble.note("503", memory=1)
    assert trouble.reason is None
    clock[0] += 5.5
    assert trouble.reason is None
