"""The header `Retry-After` of RFC 9110: seconds, or an HTTP date."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_SECONDS = 3600.0


def retry_after(header: str | None, now: datetime) -> float | None:
    """Give the seconds to wait, 0 to 3600; None when the header is absent or makes no sense."""
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
    # `not >=` also turns NaN away.
    return min(seconds, LONGEST_SECONDS) if seconds >= 0 else None
