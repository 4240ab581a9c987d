"""DELAYS, as the benchmarks read it."""

import pytest

from tests.bench.drain import Delay
from tests.bench.results import InvalidRun


@pytest.mark.parametrize(
    ("text", "delay", "shown"),
    [("50", Delay(50, 50), "50 ms"), ("2000/150", Delay(2000, 150), "2000/150 ms")],
)
def test_model_and_mail_may_take_different_times(text: str, delay: Delay, shown: str) -> None:
    assert Delay.of(text) == delay
    assert str(delay) == shown


@pytest.mark.parametrize("text", ["", "fast", "50/x", "/150"])
def test_a_wrong_delay_is_named(text: str) -> None:
    with pytest.raises(InvalidRun, match="DELAYS"):
        Delay.of(text)
