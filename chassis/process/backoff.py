"""Exponential backoff: pauses between attempts that double up to a longest one."""

from random import SystemRandom

# Each pause is up to a quarter shorter, at random: what failed together is not tried together.
JITTER = 0.25

_random = SystemRandom()


class Backoff:
    """The pauses of one loop, in seconds: `first`, then twice the one before, at most `longest`."""

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def next(self) -> float:
        """Return the pause after one more failure."""
        pause = min(self._next, self._longest)
        self._next = pause * 2
        return pause * (1 - JITTER * _random.random())

    def reset(self) -> None:
        """Begin with `first` again: an attempt succeeded."""
        self._next = self._first
