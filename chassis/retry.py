"""When a failed attempt is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.errors import CallFailed


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `attempts` attempts; after attempt n the next waits base · 2^(n-1)."""

    base: timedelta
    attempts: int

    def next(self, attempt: int, failure: CallFailed, now: datetime) -> datetime | None:
        """Give the time of the attempt after number `attempt`, or None when that was the last.

        What the provider asks for with Retry-After is honoured.
        """
        if failure.final or attempt >= self.attempts:
            return None
        wait: timedelta = self.base * 2 ** (attempt - 1)
        if failure.retry_after is not None:
            wait = max(wait, timedelta(seconds=failure.retry_after))
        return now + wait
