"""The limit of the calls to a provider: it follows what the provider bears.

It bounds how much due work is claimed; what waits for the provider waits in the due loop, and
counts no attempt.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from prometheus_client import Counter, Gauge, Histogram

from chassis.calls.announcements import Announced
from chassis.calls.concurrency import Concurrency
from chassis.calls.rate import Rate
from chassis.calls.slots import WORK_OF_A_CLAIM, worth_a_claim
from chassis.domain.errors import CallFailed, OutcomeUnknown, Throttled, TryLater
from chassis.observability import tracing
from chassis.observability.series import at_zero

# Work is claimed so long before its turn; what has to wait longer is given back.
_AHEAD_SECONDS = 0.5

LIMIT = Gauge("realtoros_calls_limit", "Calls that may be in flight at once.")
IN_FLIGHT = Gauge("realtoros_calls_in_flight", "Calls to the provider in flight.")
WAITING = Gauge("realtoros_calls_waiting", "Claimed work that waits for its turn to call.")
CALLS = Counter("realtoros_calls_total", "Calls to the provider by what came of them.", ["outcome"])
at_zero(CALLS, ("answered", "throttled", "refused", "failed", "unknown", "bug"))
SECONDS = Histogram(
    "realtoros_call_seconds",
    "Durations of calls to the provider.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30),
)


class CallLimit:
    """From `least` to `most` calls at once, at a rate that the provider allows. One per process."""

    def __init__(self, least: int, most: int) -> None:
        self._concurrency = Concurrency(least, most)
        self._rate = Rate()
        self._waiting = self._in_flight = 0
        LIMIT.set_function(lambda: self._concurrency.size)
        WAITING.set_function(lambda: self._waiting)
        IN_FLIGHT.set_function(lambda: self._in_flight)

    def room(self, working: int) -> int:
        """Return what is free, and has its turn soon."""
        free = worth_a_claim(self._concurrency.size - working, self._concurrency.size)
        return min(free, self._turns())

    def used_up(self) -> None:
        """Grow, unless the work waits for the rate."""
        if self._turns() > 0:
            self._concurrency.used_up(time.monotonic())

    def _turns(self) -> int:
        """Return for how much more work there are turns soon."""
        turns = self._rate.room(_AHEAD_SECONDS, time.monotonic()) - self._waiting
        return int(max(0, min(turns, WORK_OF_A_CLAIM)))

    async def turn(self) -> None:
        """Wait until a call may begin. Raises TryLater when that takes too long."""
        self._waiting += 1
        try:
            while (wait := self._rate.opens_at(now := time.monotonic()) - now) > 0:
                if wait > _AHEAD_SECONDS:
                    raise TryLater("the provider allows no more calls", after=wait)
                await asyncio.sleep(wait)
            self._rate.begin(now)
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
            raise
        except (CallFailed, OutcomeUnknown) as error:
            outcome = _outcome_of(error)
            self._concurrency.failed(began, time.monotonic())
            raise
        else:
            outcome = "answered"
            self._rate.answered()
            self._concurrency.answered(began, time.monotonic())
        finally:
            self._in_flight -= 1
            CALLS.labels(outcome).inc()
            SECONDS.observe(time.monotonic() - began)
            tracing.called(outcome, started)

    def announced(self, announced: Announced | None) -> None:
        """Note how many calls the provider allows, besides those that are in flight already."""
        if announced:
            left = announced.left - self._in_flight + 1
            self._rate.announced(left, announced.seconds, time.monotonic())


def _outcome_of(error: CallFailed | OutcomeUnknown) -> str:
    if isinstance(error, OutcomeUnknown):
        return "unknown"
    return "refused" if error.final else "failed"
