"""What providers announce in the headers of their answers: how many more calls they allow.

OpenAI and servers that speak its protocol: `x-ratelimit-remaining-requests` and `-tokens`, with
`x-ratelimit-reset-…` as a duration such as `1s`, `6m0s` or `120ms`. SendGrid:
`X-RateLimit-Remaining`, with `X-RateLimit-Reset` as seconds since 1970. A header that cannot be
meant, or is malformed, counts as absent.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

LONGEST_RESET = timedelta(hours=1).total_seconds()
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_UNITS = (3600.0, 60.0, 1.0, 0.001)


class Announced(NamedTuple):
    """So many further calls within so many seconds."""

    left: float
    seconds: float


def by_openai(headers: Mapping[str, str], tokens: int | None) -> Announced | None:
    """Return what is announced after a call that took so many tokens: the scarcer of the two."""
    found = []
    for what, cost in (("requests", 1), ("tokens", tokens or 1)):
        left = _count(headers.get(f"x-ratelimit-remaining-{what}"))
        seconds = _duration(headers.get(f"x-ratelimit-reset-{what}"))
        if left is not None and seconds is not None:
            found.append(Announced(left // cost, seconds))
    return min(found, default=None)


def by_sendgrid(headers: Mapping[str, str], now: float) -> Announced | None:
    """Return what is announced at this time, in seconds since 1970."""
    left = _count(headers.get("X-RateLimit-Remaining"))
    reset = _count(headers.get("X-RateLimit-Reset"))
    if left is None or reset is None or not 0 <= reset - now <= LONGEST_RESET:
        return None
    return Announced(left, reset - now)


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() else None


def _duration(text: str | None) -> float | None:
    match = _DURATION.fullmatch(text or "")
    if not text or match is None:
        return None
    parts = zip(match.groups(), _UNITS, strict=True)
    seconds = sum(float(number) * unit for number, unit in parts if number)
    return seconds if seconds <= LONGEST_RESET else None
