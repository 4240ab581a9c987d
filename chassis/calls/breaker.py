"""The breaker: while a provider as a whole is away, work waits and one call at a time probes it.

All times are seconds of a monotonic clock.
"""

import math
from collections import OrderedDict
from uuid import UUID

# So many failures without an answer between them are no coincidence.
_FAILURES = 3
# Between two probes; it doubles. A probe that was let through and never made holds up no longer.
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 60.0
_PROBE_SECONDS = 5.0
# When nothing has probed for so long, since no work waits, nothing is known any more.
_MEMORY_SECONDS = 300.0
_REMEMBERED = 10_000


class Breaker:
    """Whether a provider is away; after `give_up` seconds of it, attempts count again."""

    def __init__(self, give_up: float) -> None:
        self._give_up = give_up
        self._answered_at = -math.inf
        self._close()
        # What has failed, and when last.
        self._failed: OrderedDict[UUID, float] = OrderedDict()

    def _close(self) -> None:
        self._failures = self._probes = 0
        self._away_since = self._opened_at = math.inf
        self._next_probe = self._known_until = -math.inf

    def is_open(self, now: float) -> bool:
        """Return whether work waits for the provider."""
        return self._opened_at <= now < self._known_until and not self._is_given_up(now)

    def opens_at(self, now: float) -> float:
        """Return when the next call may begin."""
        return self._next_probe if self.is_open(now) else now

    def begin(self, now: float) -> None:
        """Note that a call is let through: while open, no other for a while."""
        if self.is_open(now):
            self._next_probe = now + _PROBE_SECONDS

    def answered(self, began: float, now: float) -> bool:
        """Note that the provider has answered; return whether that ends an outage."""
        was_open = self._opened_at < math.inf
        if was_open and began < self._opened_at:
            return False
        self._answered_at = now
        self._close()
        return was_open

    def failed(self, began: float, now: float, retry_after: float | None = None) -> bool:
        """Note a call that says that the provider is away; return whether an outage begins."""
        if now >= self._known_until:
            self._close()
        self._away_since = min(self._away_since, now)
        self._failures += 1
        begins = self._failures == _FAILURES
        if begins:
            self._opened_at = now
        elif began >= self._opened_at:
            self._probes += 1
        if begins or began >= self._opened_at:
            self._next_probe = now + max(self._pause, retry_after or 0)
        self._known_until = max(now, self._next_probe) + _MEMORY_SECONDS
        return begins

    def waits(self, work: UUID, now: float) -> float | None:
        """Return for how many seconds work waits that has just failed.

        None when the attempt counts: the provider has answered others since the work failed last,
        or has been away for too long.
        """
        before = self._failed.pop(work, math.inf)
        self._failed[work] = now
        if len(self._failed) > _REMEMBERED:
            self._failed.popitem(last=False)
        if before < self._answered_at or self._is_given_up(now):
            return None
        return max(self._pause, self.opens_at(now) - now)

    @property
    def _pause(self) -> float:
        return min(_PAUSE_SECONDS * (1 << min(self._probes, 9)), _LONGEST_PAUSE_SECONDS)

    def _is_given_up(self, now: float) -> bool:
        return now >= self._away_since + self._give_up
