"""The limit of the calls to a provider: it follows what the provider bears.

It bounds how much due work is claimed; what waits for the provider waits in the due loop, and
counts no attempt. While the provider is away, that is all but one call at a time.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import structlog
from prometheus_client import Counter, Gauge, Histogram

from chassis.calls.announcements import Announced
from chassis.calls.breaker import Breaker
from chassis.calls.concurrency import Concurrency
from chassis.calls.rate import Rate
from chassis.calls.slots import WORK_OF_A_CLAIM, worth_a_claim
from chassis.domain.errors import CallFailed, OutcomeUnknown, ProviderAway, Throttled, TryLater
from chassis.observability import tracing
from chassis.observability.series import at_zero

# Work is claimed so long before its turn; what has to wait longer is given back.
_AHEAD_SECONDS = 0.5
# What waits for a probe in flight looks again after so long.
_PROBED_SECONDS = 1.0
_DAY_SECONDS = 86_400.0

log = structlog.get_logger(__name__)

LIMIT = Gauge("realtoros_calls_limit", "Calls that may be in flight at once.")
IN_FLIGHT = Gauge("realtoros_calls_in_flight", "Calls to the provider in flight.")
WAITING = Gauge("realtoros_calls_waiting", "Claimed work that waits for its turn to call.")
AWAY = Gauge("realtoros_provider_away", "1 while work waits since the provider is away.")
CALLS = Counter("realtoros_calls_total", "Calls to the provider by what came of them.", ["outcome"])
at_zero(CALLS, ("answered", "throttled", "refused", "failed", "away", "unknown", "bug"))
SECONDS = Histogram(
    "realtoros_call_seconds",
    "Durations of calls to the provider.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30),
)


class CallLimit:
    """From `least` to `most` calls at once, at a rate that the provider allows. One per process.

    `give_up`: the seconds of an outage after which attempts count again.
    """

    def __init__(self, least: int, most: int, give_up: float = _DAY_SECONDS) -> None:
        self._concurrency = Concurrency(least, most)
        self._rate = Rate()
        self._breaker = Breaker(give_up)
        self._waiting = self._in_flight = 0
        LIMIT.set_function(lambda: self._concurrency.size)
        WAITING.set_function(lambda: self._waiting)
        IN_FLIGHT.set_function(lambda: self._in_flight)
        AWAY.set_function(lambda: self.is_away)

    def room(self, working: int) -> int:
        """Return what is free, and has its turn soon."""
        free = worth_a_claim(self._concurrency.size - working, self._concurrency.size)
        return min(free, self._turns())

    def used_up(self) -> None:
        """Grow, unless the work waits for the rate."""
        if self._turns() > 0:
            self._concurrency.used_up(time.monotonic())

    @property
    def is_away(self) -> bool:
        """Whether the provider is away, or refuses everybody."""
        return self._breaker.is_open(time.monotonic())

    def _turns(self) -> int:
        """Return for how much more work there are turns soon."""
        now = time.monotonic()
        if self._breaker.is_open(now):
            return 1 if self._opens_at(now) <= now else 0
        turns = self._rate.room(_AHEAD_SECONDS, now) - self._waiting
        return int(max(0, min(turns, WORK_OF_A_CLAIM)))

    def _opens_at(self, now: float) -> float:
        """Return when a call may begin; the calls of an outage end before another probes."""
        opens = max(self._rate.opens_at(now), self._breaker.opens_at(now))
        is_probing = self._in_flight > 0 and self._breaker.is_open(now)
        return max(opens, now + _PROBED_SECONDS) if is_probing else opens

    async def turn(self) -> None:
        """Wait until a call may begin. Raises TryLater when that takes too long."""
        self._waiting += 1
        try:
            while (wait := self._opens_at(now := time.monotonic()) - now) > 0:
                if wait > _AHEAD_SECONDS:
                    raise TryLater("the provider allows no more calls", after=wait)
                await asyncio.sleep(wait)
            self._rate.begin(now)
            self._breaker.begin(now)
        finally:
            self._waiting -= 1

    @contextlib.asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Learn from the call that is made meanwhile."""
        began = time.monotonic()
        self._in_flight += 1
        outcome, started = "bug", time.time_ns()
        try:
            yield
        except Throttled as refusal:
            outcome = "throttled"
            self._rate.refused(began, refusal.retry_after, time.monotonic())
            self._is_there(began)
            raise
        except (CallFailed, OutcomeUnknown) as error:
            outcome = _outcome_of(error)
            self._concurrency.failed(began, time.monotonic())
            self._learn(error, began)
            raise
        else:
            outcome = "answered"
            self._rate.answered()
            self._is_there(began)
            self._concurrency.answered(began, time.monotonic())
        finally:
            self._in_flight -= 1
            CALLS.labels(outcome).inc()
            SECONDS.observe(time.monotonic() - began)
            tracing.called(outcome, started)

    def put_off(self, failure: CallFailed, work: UUID) -> timedelta | None:
        """Return for how long work waits that has just failed, since the provider is away.

        None when its attempt counts.
        """
        if not isinstance(failure, ProviderAway):
            return None
        seconds = self._breaker.waits(work, time.monotonic())
        if seconds is None:
            return None
        return timedelta(seconds=max(seconds, failure.retry_after or 0))

    def _learn(self, error: CallFailed | OutcomeUnknown, began: float) -> None:
        """Note what the error says of the provider: away, or there and of another opinion."""
        if not isinstance(error, ProviderAway | OutcomeUnknown):
            self._is_there(began)
            return
        wait = error.retry_after if isinstance(error, ProviderAway) else None
        if self._breaker.failed(began, time.monotonic(), wait):
            log.error("provider_away", error=error.reason)

    def _is_there(self, began: float) -> None:
        if self._breaker.answered(began, time.monotonic()):
            log.info("provider_back")

    def announced(self, announced: Announced | None) -> None:
        """Note how many calls the provider allows, besides those that are in flight already."""
        if announced:
            left = announced.left - self._in_flight + 1
            self._rate.announced(left, announced.seconds, time.monotonic())


def _outcome_of(error: CallFailed | OutcomeUnknown) -> str:
    if isinstance(error, OutcomeUnknown):
        return "unknown"
    if isinstance(error, ProviderAway):
        return "away"
    return "refused" if error.final else "failed"
