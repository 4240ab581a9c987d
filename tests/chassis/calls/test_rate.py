"""The rate follows what a provider allows, with few refusals, and obeys what it announces."""

from collections.abc import Callable

import pytest

from chassis.calls.rate import Rate
from tests.chassis.calls.simulation import Bucket, Simulation, SlidingWindow, Window


@pytest.mark.parametrize("latency", [0.05, 0.5])
@pytest.mark.parametrize(
    "allow", [lambda: Window(20), lambda: SlidingWindow(20), lambda: Bucket(20, 20)]
)
def test_a_provider_that_allows_twenty_per_second_is_used_up_and_hardly_ever_refuses(
    allow: Callable[[], Callable[[float], bool]], latency: float
) -> None:
    simulation = Simulation(allow(), lambda *_: latency)
    simulation.run(60)
    accepted, refused = simulation.accepted.total(), simulation.refused.total()
    assert accepted >= 19 * 60
    assert refused < 0.02 * (accepted + refused)


def test_the_time_that_a_refusal_names_is_waited_for() -> None:
    rate = Rate()
    rate.begin(0)
    rate.refused(0, 7.5, 0.1)
    assert rate.opens_at(0.2) == 7.6
    assert rate.room(1, 0.2) == 0


def test_refusals_that_name_no_time_are_waited_for_longer_each_time() -> None:
    rate, now, waits = Rate(), 0.0, []
    for _ in range(10):
        rate.begin(now)
        rate.refused(now, None, now)
        waits.append(rate.opens_at(now) - now)
        now = rate.opens_at(now)
    assert waits == sorted(waits)
    assert waits[0] < 1 < waits[4]
    assert waits[-1] <= 30


def test_no_more_begins_than_is_announced_until_the_reset() -> None:
    rate = Rate()
    rate.announced(3, 10, 0)
    begun = 0
    while rate.opens_at(1) <= 1:
        rate.begin(1)
        begun += 1
    assert begun == 3
    assert rate.opens_at(1) == 10
    assert rate.room(1, 1) == 0
    assert rate.room(1, 10) > 3


def test_a_refusal_by_accident_is_made_up_for() -> None:
    """One refusal at a low rate must not keep the rate low."""
    bucket = Bucket(1000, 1000)
    simulation = Simulation(lambda now: now > 1 and bucket(now), lambda *_: 0.05)
    simulation.run(60)
    assert simulation.accepted[59] > 100
