"""Samples: what costs a query or a request is measured every few seconds, not at each scrape."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from prometheus_client import Gauge

SAMPLE_SECONDS = 5.0
# The longest delay of so many seconds is shown: a scrape comes in between two of these.
LAG_SECONDS = 60.0
TICK_SECONDS = 0.5

CHECKS = Gauge("realtoros_check_up", "Checks of readiness: 1 passes, 0 fails.", ["check"])
LOOP_LAG = Gauge(
    "realtoros_event_loop_lag_seconds", "Longest delay of the event loop in the last minute."
)

log = structlog.get_logger(__name__)

Sampler = Callable[[], Awaitable[None]]
Problems = Callable[[], Awaitable[Mapping[str, str]]]


async def sample(samplers: Sequence[Sampler]) -> None:
    """Take all samples every five seconds, until cancelled. What fails keeps its last value."""
    while True:
        for sampler in samplers:
            try:
                await sampler()
            except Exception as error:  # noqa: BLE001 - a missing sample must not end the service
                log.debug("sample_failed", error=type(error).__name__)
        await asyncio.sleep(SAMPLE_SECONDS)


def checks_of(problems: Problems, checks: Mapping[str, object]) -> Sampler:
    """Return the sampler of readiness; `checks` are those that `problems` runs."""

    async def take() -> None:
        wrong = await problems()
        for name in checks:
            CHECKS.labels(name).set(name not in wrong)

    return take


async def watch_event_loop() -> None:
    """Measure by how much the event loop wakes too late, until cancelled."""
    late: deque[tuple[float, float]] = deque()
    while True:
        due = time.monotonic() + TICK_SECONDS
        await asyncio.sleep(TICK_SECONDS)
        now = time.monotonic()
        # Only delays that no later one exceeds.
        while late and late[-1][1] <= now - due:
            late.pop()
        late.append((now, now - due))
        while late[0][0] < now - LAG_SECONDS:
            late.popleft()
        LOOP_LAG.set(max(0.0, late[0][1]))
