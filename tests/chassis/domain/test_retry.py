"""When a failed attempt is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from chassis.domain.errors import CallFailed, ProviderAway, Throttled
from chassis.domain.retry import (
    MAX_RETRY_AFTER,
    RetryPolicy,
    is_retryable_status,
    refusal,
    retry_after,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
POLICY = RetryPolicy(timedelta(seconds=60), 3)


def wait(attempt: int, failure: CallFailed, policy: RetryPolicy = POLICY) -> float | None:
    at = policy.next(attempt, failure, NOON)
    return None if at is None else (at - NOON).total_seconds()


def test_three_attempts_with_sixty_and_a_hundred_and_twenty_seconds_between_them() -> None:
    assert [wait(attempt, CallFailed("503")) for attempt in (1, 2, 3, 4)] == [60, 120, None, None]


def test_a_final_failure_is_the_last() -> None:
    assert wait(1, CallFailed("400", final=True)) is None


def test_what_is_wrong_for_everybody_has_its_attempts_since_it_may_be_mended() -> None:
    assert [wait(n, ProviderAway("401", final=True)) for n in (1, 2, 3)] == [60, 120, None]


@pytest.mark.parametrize(("asked", "waits"), [(10, 60), (90, 90), (0, 60), (None, 60)])
def test_the_provider_may_ask_for_more_time_but_not_for_less(
    asked: float | None, waits: float
) -> None:
    assert wait(1, CallFailed("429", retry_after=asked)) == waits


def test_asking_for_time_does_not_buy_another_attempt() -> None:
    assert wait(3, CallFailed("429", retry_after=10)) is None
    assert wait(1, CallFailed("503"), RetryPolicy(timedelta(seconds=60), 1)) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17.0),
        ("0", 0.0),
        ("1e9", MAX_RETRY_AFTER),
        ("Sat, 31 Jan 2026 12:00:30 GMT", 30.0),
        ("Sat, 31 Jan 2026 11:00:00 GMT", None),
        ("-1", None),
        ("nan", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_the_header_is_read_as_rfc_9110_says(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOON) == seconds


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
def test_what_passes_by_itself_is_tried_again(status: int) -> None:
    assert is_retryable_status(status)


@pytest.mark.parametrize("status", [301, 400, 401, 404, 413, 422, 451])
def test_what_stays_wrong_is_not_tried_again(status: int) -> None:
    assert not is_retryable_status(status)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, ProviderAway) for status in (301, 401, 402, 403, 404, 500, 503, 529)),
        *((status, CallFailed) for status in (400, 408, 409, 413, 422)),
        (429, Throttled),
    ],
)
def test_what_is_refused_to_everybody_says_that_the_provider_is_away(
    status: int, kind: type[CallFailed]
) -> None:
    assert type(refusal("the provider", status, None, NOON)) is kind
