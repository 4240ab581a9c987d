"""A provider and its caller in simulated time: as many calls as the limits allow, for seconds."""

import heapq
import random
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from chassis.calls.concurrency import Concurrency
from chassis.calls.rate import Rate

_REFUSAL_SECONDS = 0.01
_LOOK_SECONDS = 0.1


@dataclass
class Simulation:
    """More work than can be done, and a provider that allows so many calls, as slow as that.

    `allows(now)`: whether a call is accepted. `latency(now, in_flight)`: how long an accepted one
    takes. `wait(now)`: the Retry-After of a refusal, if it has one.
    """

    allows: Callable[[float], bool]
    latency: Callable[[float, int], float]
    wait: Callable[[float], float | None] = lambda _: None
    concurrency: Concurrency = field(default_factory=lambda: Concurrency(1, 512))
    rate: Rate = field(default_factory=Rate)
    now: float = 0.0
    # By the second in which a call began.
    accepted: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._in_flight: list[tuple[float, int, float, bool]] = []
        self._numbers: Iterator[int] = iter(range(10**9))
        self._random = random.Random(7)

    def run(self, until: float) -> None:
        """Go on until then."""
        while self.now < until:
            self._begin()
            if len(self._in_flight) >= self.concurrency.size:
                self.concurrency.used_up(self.now)
            self.now = max(self._next(), self.now + 1e-6)
            self._end()

    def _begin(self) -> None:
        while (
            len(self._in_flight) < self.concurrency.size
            and self.rate.opens_at(self.now) <= self.now
        ):
            self.rate.begin(self.now)
            accepted = self.allows(self.now)
            (self.accepted if accepted else self.refused)[int(self.now)] += 1
            lasts = self.latency(self.now, len(self._in_flight)) * self._random.uniform(0.7, 1.3)
            ends = self.now + (lasts if accepted else _REFUSAL_SECONDS)
            heapq.heappush(self._in_flight, (ends, next(self._numbers), self.now, accepted))

    def _next(self) -> float:
        times = [self.now + _LOOK_SECONDS, *(ends for ends, *_ in self._in_flight[:1])]
        if len(self._in_flight) < self.concurrency.size:
            times.append(self.rate.opens_at(self.now))
        return min(times)

    def _end(self) -> None:
        while self._in_flight and self._in_flight[0][0] <= self.now:
            _, _, began, accepted = heapq.heappop(self._in_flight)
            if accepted:
                self.rate.answered()
                self.concurrency.answered(began, self.now)
            else:
                self.rate.refused(began, self.wait(self.now), self.now)


class Window:
    """Allows so many calls in each second of the clock."""

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self._used: Counter[int] = Counter()

    def __call__(self, now: float) -> bool:
        """Take a call of this second."""
        self._used[int(now)] += 1
        return self._used[int(now)] <= self._calls

    def wait(self, now: float) -> float:
        """Return the time until the next second."""
        return 1 - now % 1


class SlidingWindow:
    """Allows so many calls in any second."""

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self._recent: deque[float] = deque()

    def __call__(self, now: float) -> bool:
        """Take a call of the last second."""
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= self._calls:
            return False
        self._recent.append(now)
        return True


class Bucket:
    """A bucket of tokens, filled at a rate."""

    def __init__(self, per_second: float, capacity: float) -> None:
        self._per_second, self._capacity = per_second, capacity
        self._tokens, self._filled = capacity, 0.0

    def __call__(self, now: float) -> bool:
        """Take a token."""
        added = (now - self._filled) * self._per_second
        self._tokens, self._filled = min(self._capacity, self._tokens + added), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
