"""While a provider is away work waits, one call at a time probes it, and it goes on by itself."""

from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from chassis.calls.breaker import Breaker
from chassis.calls.call_limit import CallLimit
from chassis.domain.errors import CallFailed, OutcomeUnknown, ProviderAway, TryLater

DAY = 86_400.0
A, B = uuid4(), uuid4()


def away(*, now: float = 100.0) -> Breaker:
    """Return the breaker of a provider that has failed three times."""
    breaker = Breaker(DAY)
    assert [breaker.failed(now, now) for _ in range(3)] == [False, False, True]
    return breaker


def test_it_opens_at_the_third_failure_without_an_answer_between() -> None:
    breaker = Breaker(DAY)
    assert not breaker.failed(0, 0)
    assert not breaker.failed(0, 0)
    assert not breaker.answered(0, 0)
    assert not breaker.failed(1, 1)
    assert not breaker.is_open(1)
    assert away().is_open(100)


def test_one_probe_at_a_time_less_and_less_often_at_least_once_a_minute() -> None:
    breaker, now, pauses = away(), 100.0, []
    for _ in range(9):
        opens = breaker.opens_at(now)
        pauses.append(opens - now)
        breaker.begin(opens)
        # It is the only one until it is answered.
        assert breaker.opens_at(opens) > opens
        now = opens + 0.1
        breaker.failed(opens, now)
    assert pauses == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60])


def test_a_probe_that_was_never_made_holds_up_the_next_for_seconds_only() -> None:
    breaker = away()
    breaker.begin(101)
    assert breaker.opens_at(101) == 106


def test_what_the_provider_asks_to_wait_is_waited_for() -> None:
    breaker = away()
    breaker.failed(101, 101, retry_after=600)
    assert breaker.opens_at(101) == 701
    assert breaker.is_open(700)


def test_the_first_answer_closes_it_but_not_one_to_a_call_from_before() -> None:
    breaker = away()
    assert not breaker.answered(99, 101)
    assert breaker.is_open(101)
    assert breaker.answered(101, 102)
    assert not breaker.is_open(102)
    assert breaker.opens_at(102) == 102


def test_calls_that_failed_together_make_no_longer_pause() -> None:
    breaker = away()
    for _ in range(30):
        breaker.failed(99, 100)
    assert breaker.opens_at(100) == 101


def test_an_attempt_counts_if_others_were_answered_since_the_work_failed_last() -> None:
    breaker = Breaker(DAY)
    breaker.failed(0, 0)
    assert breaker.waits(A, 0) == 1
    assert breaker.waits(B, 0) == 1
    breaker.answered(1, 1)
    breaker.failed(2, 2)
    assert breaker.waits(A, 2) is None
    # Nothing was answered since.
    breaker.failed(3, 3)
    assert breaker.waits(A, 3) == 1


def test_after_a_day_attempts_count_and_all_may_call_until_an_answer() -> None:
    breaker, now = away(), 100.0
    while now < 100 + DAY:
        assert breaker.waits(A, now) is not None
        breaker.failed(now, now)
        now += 60
    breaker.failed(now, now)
    assert breaker.waits(A, now) is None
    assert not breaker.is_open(now)
    assert breaker.answered(now, now)
    assert breaker.waits(B, now) == 1


def test_an_outage_that_nothing_probes_is_forgotten() -> None:
    breaker = away()
    assert not breaker.is_open(500)
    assert not breaker.failed(2 * DAY, 2 * DAY)
    assert breaker.waits(A, 2 * DAY) == 1


async def fail(limit: CallLimit, error: CallFailed | OutcomeUnknown) -> None:
    await limit.turn()
    with pytest.raises(type(error)):
        async with limit.call():
            raise error


async def test_work_stays_in_the_store_but_for_one_probe_and_all_of_it_goes_on_after_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    limit = CallLimit(1, 64)
    for error in (ProviderAway("503"), OutcomeUnknown("lost"), ProviderAway("no connection")):
        await fail(limit, error)
    assert REGISTRY.get_sample_value("realtoros_provider_away") == 1
    assert limit.room(0) == 0
    with pytest.raises(TryLater):
        await limit.turn()
    now += 1
    assert limit.room(0) == 1
    await limit.turn()
    assert limit.room(1) == 0
    async with limit.call():
        now += 20
        # It takes its time; no other probes meanwhile.
        assert limit.room(1) == 0
        with pytest.raises(TryLater):
            await limit.turn()
    assert limit.room(0) == 32


async def test_a_refusal_of_one_letter_shows_that_the_provider_is_there() -> None:
    limit = CallLimit(1, 64)
    for _ in range(2):
        await fail(limit, ProviderAway("503"))
    await fail(limit, CallFailed("400", final=True))
    await fail(limit, ProviderAway("503"))
    assert limit.room(0) == 32
    assert limit.put_off(CallFailed("400", final=True), A) is None
    assert limit.put_off(ProviderAway("503"), A) is not None
