"""How much work is claimed follows the calls; what is refused or announced leaves the rest."""

import pytest

from chassis.calls.announcements import Announced
from chassis.calls.call_limit import CALLS, CallLimit
from chassis.domain.errors import CallFailed, Throttled, TryLater


async def test_what_is_free_is_claimed_once_it_is_worth_it() -> None:
    limit = CallLimit(1, 64)
    assert limit.room(0) == 32
    assert limit.room(24) == 8
    assert limit.room(25) == 0


async def test_a_refusal_that_names_a_time_keeps_all_work_in_the_store_until_then() -> None:
    throttled = CALLS.labels("throttled")
    limit, before = CallLimit(1, 64), throttled._value.get()
    await limit.turn()
    with pytest.raises(Throttled):
        async with limit.call():
            raise Throttled("429", retry_after=600)
    assert throttled._value.get() == before + 1
    assert limit.room(0) == 0
    with pytest.raises(TryLater) as later:
        await limit.turn()
    assert 590 < later.value.after <= 600


async def test_no_more_is_claimed_than_the_provider_announces() -> None:
    limit = CallLimit(1, 64)
    await limit.turn()
    async with limit.call():
        limit.announced(Announced(5, 60))
    assert limit.room(0) == 5
    for _ in range(5):
        await limit.turn()
    assert limit.room(0) == 0
    with pytest.raises(TryLater):
        await limit.turn()


async def test_other_failures_close_nothing() -> None:
    limit = CallLimit(1, 64)
    await limit.turn()
    with pytest.raises(CallFailed):
        async with limit.call():
            raise CallFailed("500")
    assert limit.room(0) == 32
