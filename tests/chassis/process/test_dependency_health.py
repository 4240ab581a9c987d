"""Lasting failures are reported; those followed by a success, or long ago, are not."""

import time

import pytest

from chassis.process.dependency_health import DependencyHealth


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, to be moved by hand."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_failure_is_reported_until_a_success(clock: list[float]) -> None:
    dependency = DependencyHealth()
    assert dependency.reason is None
    dependency.failed("away")
    assert dependency.reason == "away"
    clock[0] += 10_000
    assert dependency.reason == "away"
    dependency.succeeded()
    assert dependency.reason is None


def test_a_failure_among_successes_is_not_reported(clock: list[float]) -> None:
    dependency = DependencyHealth(patience=5)
    for _ in range(10):
        dependency.failed("503")
        clock[0] += 1
        dependency.succeeded()
    assert dependency.reason is None


def test_failing_for_longer_than_patience_is_reported(clock: list[float]) -> None:
    dependency = DependencyHealth(patience=5)
    dependency.failed("503")
    clock[0] += 4.9
    dependency.failed("timeout")
    assert dependency.reason is None
    clock[0] += 0.1
    assert dependency.reason == "timeout"


def test_a_failure_that_does_not_come_again_is_forgotten(clock: list[float]) -> None:
    dependency = DependencyHealth(patience=5, memory=60)
    dependency.failed("503")
    clock[0] += 60
    assert dependency.reason == "503"
    clock[0] += 0.1
    assert dependency.reason is None
    dependency.failed("503", memory=1)
    assert dependency.reason is None
    clock[0] += 5.5
    assert dependency.reason is None
