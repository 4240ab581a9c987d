"""When a failed attempt is retried."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from chassis.domain.errors import CallFailed, ProviderAway, Throttled


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `attempts` attempts; after attempt n the next waits base · 2^(n-1)."""

    base: timedelta
    attempts: int

    def next(
        self,
        attempt: int,
        failure: CallFailed,
        now: datetime,
        *,
        waits: timedelta | None = None,
    ) -> datetime | None:
        """Return the time of the attempt after number `attempt`, or None when that was the last.

        It is not before the provider's Retry-After. `waits`: so long, whatever the attempt, since
        the provider is away.
        """
        if waits:
            return now + waits
        # What stays wrong for everybody, such as a key, may be mended before the last attempt.
        is_final = failure.final and not isinstance(failure, ProviderAway)
        if is_final or attempt >= self.attempts:
            return None
        wait: timedelta = self.base * 2 ** (attempt - 1)
        if failure.retry_after is not None:
            wait = max(wait, timedelta(seconds=failure.retry_after))
        return now + wait


MAX_RETRY_AFTER = 3600.0
# Request timeout, conflict, rate limit (RFC 9110, RFC 6585): they pass by themselves.
_PASSING_CLIENT_ERRORS = frozenset({408, 409, HTTPStatus.TOO_MANY_REQUESTS})
_SERVER_ERRORS = 500
# Keys, accounts, addresses and models (RFC 9110): what is wrong with them is wrong for every call.
_REDIRECTIONS = range(300, 400)
_REFUSALS_OF_ALL = frozenset({401, 402, 403, 404, 405, 407})


def refusal(provider: str, status: int, wait: str | None, now: datetime) -> CallFailed:
    """Return what it means that a provider has refused a call with this HTTP status.

    `wait` is its Retry-After, if it has one.
    """
    reason, seconds = f"{provider} answered {status}", retry_after(wait, now)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(reason, retry_after=seconds)
    is_of_all = status >= _SERVER_ERRORS or status in _REFUSALS_OF_ALL or status in _REDIRECTIONS
    failed = ProviderAway if is_of_all else CallFailed
    return failed(reason, final=not is_retryable_status(status), retry_after=seconds)


def is_retryable_status(status: int) -> bool:
    """Return whether a request refused with this HTTP status may succeed when it is repeated."""
    return status in _PASSING_CLIENT_ERRORS or status >= _SERVER_ERRORS


def retry_after(header: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After (RFC 9110), 0 to 3600; None if absent or malformed."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            date = parsedate_to_datetime(header)
        except ValueError:
            return None
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()
    # NaN is not >= 0 either.
    return min(seconds, MAX_RETRY_AFTER) if seconds >= 0 else None
