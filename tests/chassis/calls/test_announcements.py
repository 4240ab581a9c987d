"""What providers announce; nonsense counts as nothing."""

import pytest

from chassis.calls.announcements import Announced, by_openai, by_sendgrid


def openai(remaining: str | None, reset: str | None, what: str = "requests") -> dict[str, str]:
    headers = {f"x-ratelimit-remaining-{what}": remaining, f"x-ratelimit-reset-{what}": reset}
    return {name: value for name, value in headers.items() if value is not None}


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [("1s", 1.0), ("6m0s", 360.0), ("120ms", 0.12), ("1h0m0s", 3600.0), ("7.66s", 7.66)],
)
def test_openai_announces_requests(reset: str, seconds: float) -> None:
    assert by_openai(openai("9", reset), None) == Announced(9, seconds)


def test_tokens_are_announced_as_calls_that_take_as_many() -> None:
    headers = openai("100", "1s") | openai("900", "30s", "tokens")
    assert by_openai(headers, 400) == Announced(2, 30.0)
    assert by_openai(openai("100", "1s") | openai("90000", "30s", "tokens"), 400) == (100, 1.0)


@pytest.mark.parametrize("remaining", [None, "", "-1", "many", "1.5", "²", "1e3"])
def test_a_number_that_is_none_counts_as_absent(remaining: str | None) -> None:
    assert by_openai(openai(remaining, "1s"), None) is None
    sendgrid = {"X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": "1000060"}
    given = {name: value for name, value in sendgrid.items() if value is not None}
    assert by_sendgrid(given, 1_000_000) is None


@pytest.mark.parametrize("reset", [None, "", "soon", "-1s", "8760h", "1", "s", "1s1s"])
def test_a_reset_that_cannot_be_meant_counts_as_absent(reset: str | None) -> None:
    assert by_openai(openai("0", reset), None) is None


def test_sendgrid_announces_until_a_time() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000060"}
    assert by_sendgrid(headers, 1_000_000) == Announced(0, 60.0)


@pytest.mark.parametrize("reset", ["31536000000", "999999", "-5", "tomorrow"])
def test_a_time_in_the_past_or_a_year_away_counts_as_absent(reset: str) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    assert by_sendgrid(headers, 1_000_000) is None
