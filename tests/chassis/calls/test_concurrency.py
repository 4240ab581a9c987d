"""The number of calls in flight follows the provider's latency."""

from chassis.calls.concurrency import Concurrency
from tests.chassis.calls.simulation import Simulation


def slow_from(start: float, end: float) -> Simulation:
    def latency(now: float, _: int) -> float:
        return 5.0 if start <= now < end else 0.2

    return Simulation(lambda _: True, latency)


def test_a_slow_model_gets_half_of_all_before_it_has_answered_and_then_the_rest() -> None:
    simulation = Simulation(lambda _: True, lambda *_: 2.0)
    simulation.run(1)
    assert simulation.concurrency.size == 256
    simulation.run(3)
    assert simulation.concurrency.size == 512


def test_a_provider_of_few_workers_is_used_up_and_its_calls_do_not_time_out() -> None:
    """Beyond 40 calls each only waits for the others; a call ends after 30 seconds."""
    longest = 0.0

    def latency(_: float, calls: int) -> float:
        nonlocal longest
        longest = max(longest, lasts := max(1.0, calls / 40))
        return lasts

    simulation = Simulation(lambda _: True, latency)
    simulation.run(120)
    assert longest < 20
    assert simulation.accepted.total() > 0.9 * 40 * 120


def test_the_limit_follows_a_jump_of_latency_and_back() -> None:
    simulation = slow_from(20, 60)
    simulation.run(20)
    before = simulation.concurrency.size
    simulation.run(30)
    assert simulation.concurrency.size <= 0.75 * before
    simulation.run(60)
    # It does not go down to nothing: the provider is as slow with few calls.
    assert simulation.concurrency.size > 0.15 * before
    simulation.run(75)
    assert sum(simulation.accepted[second] for second in range(70, 75)) > 0.8 * sum(
        simulation.accepted[second] for second in range(15, 20)
    )


def test_the_limit_stays_within_its_bounds() -> None:
    concurrency = Concurrency(4, 40)
    for step in range(100):
        concurrency.answered(step, step + 0.1)
        concurrency.used_up(step)
    assert concurrency.size == 40
    for step in range(100, 200):
        concurrency.failed(step, step + 0.9)
    assert concurrency.size == 4


def test_a_quick_failure_is_no_sign_of_load() -> None:
    concurrency = Concurrency(1, 512)
    for step in range(50):
        concurrency.failed(step, step + 0.01)
    assert concurrency.size == 32
