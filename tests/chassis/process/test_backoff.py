"""Backoff: pauses double up to the longest, and begin with the first again after a success."""

from collections.abc import Sequence

from chassis.process.backoff import JITTER, Backoff


def are_about(pauses: Sequence[float], longest: Sequence[float]) -> bool:
    """Return whether each pause is as long, or shorter by the jitter."""
    pairs = zip(pauses, longest, strict=True)
    return all((1 - JITTER) * most <= pause <= most for pause, most in pairs)


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(0.5, 3)
    assert are_about([backoff.next() for _ in range(6)], [0.5, 1, 2, 3, 3, 3])


def test_after_a_success_the_first_pause_comes_again() -> None:
    backoff = Backoff(0.5, 3)
    assert are_about([backoff.next() for _ in range(3)], [0.5, 1, 2])
    backoff.reset()
    assert are_about([backoff.next() for _ in range(2)], [0.5, 1])


def test_a_first_pause_that_is_too_long_is_cut() -> None:
    assert are_about([Backoff(10, 3).next()], [3])


def test_two_loops_that_fail_together_are_not_tried_together() -> None:
    assert len({Backoff(1, 1).next() for _ in range(20)}) > 1
