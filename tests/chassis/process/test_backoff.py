"""Backoff: pauses double up to the longest, and begin with the first again after a success."""

from chassis.process.backoff import Backoff


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(0.5, 3)
    assert [backoff.next() for _ in range(6)] == [0.5, 1, 2, 3, 3, 3]


def test_after_a_success_the_first_pause_comes_again() -> None:
    backoff = Backoff(0.5, 3)
    assert [backoff.next() for _ in range(3)] == [0.5, 1, 2]
    backoff.reset()
    assert [backoff.next() for _ in range(2)] == [0.5, 1]


def test_a_first_pause_that_is_too_long_is_cut() -> None:
    assert Backoff(10, 3).next() == 3
