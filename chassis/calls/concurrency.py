"""How many calls are in flight at once: as many as the provider answers without getting slower.

A limit of the kind that Netflix's concurrency-limits and Envoy's adaptive concurrency document:
additive growth, multiplicative decrease, and the lowest latency of the last seconds as the
measure of what is normal (as BBR measures a path). All times are seconds of a monotonic clock.
"""

from collections import deque

# What a provider is given at first, and, until something speaks against it, again every step.
FIRST = 32
_STEP_SECONDS = 0.1
_GROWTH, _SHRINKAGE, _MOST_SHRINKAGE = 1 / 16, 0.7, 0.5
# A round is at least so many answers, to calls that began in it.
_ROUND = 8
# Slower than this is no longer the provider at rest. The constant is what our own load may add.
_TOLERANCE, _OWN_SECONDS = 2.0, 0.25
_MEMORY_SECONDS, _MEMORY_ROUNDS = 10.0, 5


class Concurrency:
    """A limit from `least` to `most` calls."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most
        self._size = float(min(max(least, FIRST), most))
        self._is_unknown = True
        self._last_growth = 0.0
        self._latency = 0.0
        self._normal: deque[tuple[float, float]] = deque()
        self._round_began = 0.0
        self._round: list[float] = []

    @property
    def size(self) -> int:
        """The limit."""
        return int(self._size)

    def used_up(self, now: float) -> None:
        """Grow, since all of it is in use and more work waits; one step in the time of a call."""
        pause = _STEP_SECONDS if self._is_unknown else max(_STEP_SECONDS, self._latency)
        # Half of all may have no answer yet: who is slow may also have too much.
        is_unanswered = not self._latency and self._size >= self._most / 2
        if is_unanswered or now - self._last_growth < pause:
            return
        self._last_growth = now
        step = FIRST if self._is_unknown else max(1.0, self._size * _GROWTH)
        self._size = min(self._most, self._size + step)

    def answered(self, began: float, now: float) -> None:
        """Note the answer to a call that began then; shrink if a round of calls was slow."""
        if began < self._round_began:
            return
        self._round.append(now - began)
        if len(self._round) < _ROUND and now - self._round_began < _MEMORY_SECONDS:
            return
        self._latency = sum(self._round) / len(self._round)
        self._round.clear()
        # Slow calls are remembered for longer: a round of them takes as long.
        remembered = max(_MEMORY_SECONDS, _MEMORY_ROUNDS * self._latency)
        while self._normal and self._normal[0][0] < now - remembered:
            self._normal.popleft()
        normal = min((latency for _, latency in self._normal), default=self._latency)
        self._normal.append((now, self._latency))
        if (bearable := _TOLERANCE * normal + _OWN_SECONDS) < self._latency:
            self._shrink(now, max(_MOST_SHRINKAGE, bearable / self._latency))
        self._round_began = now

    def failed(self, began: float, now: float) -> None:
        """Note a call that failed: a fast failure says nothing, a slow one is a sign of load."""
        # Once for all calls that were in flight together.
        if began >= self._round_began and now - began > _TOLERANCE * self._latency + _OWN_SECONDS:
            self._shrink(now, _SHRINKAGE)

    def _shrink(self, now: float, share: float) -> None:
        self._size = max(self._least, self._size * share)
        self._is_unknown = False
        self._last_growth = now
        # Calls that are in flight now were begun at the old limit.
        self._round_began = now
        self._round.clear()
