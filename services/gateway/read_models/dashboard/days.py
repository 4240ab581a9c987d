"""Days as an agent's calendar has them, in UTC; pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when the day begins in the zone. Raises OverflowError outside the years 1 to 9999."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True)
class Days:
    """The bounds of the agent's day and week, in UTC."""

    today: datetime
    tomorrow: datetime
    monday: datetime

    @classmethod
    def of(cls, now: datetime, zone: ZoneInfo) -> "Days":
        """Return the days around `now`; one on which clocks change has 23 or 25 hours."""
        today = now.astimezone(zone).date()
        return cls(
            midnight(today, zone),
            midnight(today + timedelta(days=1), zone),
            midnight(today - timedelta(days=today.weekday()), zone),
        )
