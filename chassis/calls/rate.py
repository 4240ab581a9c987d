"""How fast calls begin: as the provider announces, and as its refusals show.

All times are seconds of a monotonic clock.
"""

import math
from collections import deque

# A refusal that names no time closes for this long, twice as long with each one that follows.
_CLOSED_SECONDS, _LONGEST_CLOSED_SECONDS = 0.25, 30.0
# After a refusal the rate is kept for a while, and then tried a little higher every second.
_KEPT_SECONDS = 15.0
_GROWTH, _GENTLE_SECONDS = 0.01, 10.0
# After a refusal the rate is what was accepted in the best of the last seconds, but within this
# share of what it was.
_SECONDS_OF_BEST = 3.0
_LEAST_SHARE, _MOST_SHARE = 0.85, 0.985
# A call that begins so much late does not delay all after it.
_LATE_SECONDS = 0.02
_SLOWEST, _FASTEST = 1.0, 1000.0


class Rate:
    """When the next call may begin. Unlimited until the provider announces or refuses."""

    def __init__(self) -> None:
        self._per_second = math.inf
        self._is_estimate = False
        self._next = 0.0
        self._closed_at, self._closed_until = -math.inf, 0.0
        self._refused_at = -math.inf
        self._refusals = 0
        self._left, self._left_until = math.inf, 0.0
        # Calls of the last seconds that were not refused.
        self._begun: deque[float] = deque()

    def opens_at(self, now: float) -> float:
        """Return when the next call may begin."""
        opens = max(self._closed_until, self._next)
        return max(opens, self._left_until) if self._budget(now) < 1 else opens

    def room(self, seconds: float, now: float) -> float:
        """Return how many calls may begin within the next seconds."""
        if self.opens_at(now) > now + seconds:
            return 0
        return min(max(1.0, self._rate(now) * seconds), self._budget(now))

    def begin(self, now: float) -> None:
        """Note that a call begins; the next may begin a moment later."""
        self._left -= 1
        self._next = max(self._next, now - _LATE_SECONDS) + 1 / self._rate(now)
        self._begun.append(now)
        while self._begun[0] < now - _SECONDS_OF_BEST:
            self._begun.popleft()

    def announced(self, left: float, seconds: float, now: float) -> None:
        """Note that `left` further calls are allowed within so many seconds."""
        self._left, self._left_until = left, now + seconds

    def answered(self) -> None:
        """Note an answer that was no refusal."""
        self._refusals = 0

    def refused(self, began: float, wait: float | None, now: float) -> None:
        """Note a refusal of a call that began then, and the seconds to wait if it names them."""
        if self._begun:
            self._begun.pop()
        if began < self._closed_at:
            # It was in flight together with the one that was refused before.
            if self._is_estimate:
                self._per_second = max(_SLOWEST, self._best())
        else:
            self._lower(now)
            if wait is None:
                wait = min(_CLOSED_SECONDS * 2 ** min(self._refusals, 9), _LONGEST_CLOSED_SECONDS)
            self._refusals += 1
            self._closed_at = now
        self._closed_until = max(self._closed_until, now + (wait or 0))

    def _lower(self, now: float) -> None:
        rate = self._rate(now)
        self._is_estimate = math.isinf(rate)
        if self._is_estimate:
            lower = self._best()
        else:
            lower = min(max(self._best(), rate * _LEAST_SHARE), rate * _MOST_SHARE)
        self._per_second, self._refused_at = max(_SLOWEST, lower), now

    def _best(self) -> float:
        """Return the most calls that were accepted within a second."""
        first = best = 0
        for number, began in enumerate(self._begun, 1):
            while self._begun[first] <= began - 1:
                first += 1
            best = max(best, number - first)
        return float(best)

    def _rate(self, now: float) -> float:
        """Return the calls per second that are tried now."""
        growing = max(0.0, now - self._refused_at - _KEPT_SECONDS)
        # Gently near what was refused, then faster and faster away from what was a wrong estimate.
        steps = min(growing + max(0, growing - _GENTLE_SECONDS) ** 2, 700)
        rate = self._per_second * (1 + _GROWTH) ** steps
        return rate if rate < _FASTEST else math.inf

    def _budget(self, now: float) -> float:
        """Return how many calls are left of what the provider has announced."""
        return self._left if now < self._left_until else math.inf
