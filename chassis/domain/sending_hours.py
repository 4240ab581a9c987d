"""When emails may leave, and what so many days later is: in the wall-clock time of a zone. Pure.

Where a zone's clock is set forward a day's hours are shorter, where it is set back they are longer.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contracts.sending_hours import WEEKDAYS, SendingHours

_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
# To hours of one day a week, which the clock's change may leave out once.
_DAYS_AHEAD = 15
_YEAR_DAYS = 365
_PARTS = 1 << 20


def first_zone(*names: str | None) -> ZoneInfo | None:
    """Return the first time zone of these names that this machine knows."""
    for name in names:
        try:
            if name:
                return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return None


def share(spread: timedelta, id_: UUID) -> timedelta:
    """Return the part of the time after which it is this id's turn: always the same, and evenly."""
    part: timedelta = spread * (id_.int % _PARTS / _PARTS)
    return part


@dataclass(frozen=True, slots=True)
class SendingWindow:
    """Sending hours in a time zone. Those that wait for an opening leave within `spread` after it.

    That is the shorter of `spread` and the hours. Without hours it is always open.
    """

    hours: SendingHours | None
    zone: ZoneInfo
    spread: timedelta = timedelta(0)

    def is_open(self, at: datetime) -> bool:
        """Return whether emails may leave at this time."""
        if self.hours is None:
            return True
        local = at.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        is_day = WEEKDAYS[local.weekday()] in self.hours.days
        return is_day and self.hours.opens <= minute < self.hours.closes

    def opening(self, at: datetime) -> datetime:
        """Return the time itself if it is open then, else when it opens next, in UTC."""
        if self.is_open(at):
            return at
        return next(opening for opening in self._openings(at) if opening > at)

    def turn(self, at: datetime, id_: UUID) -> datetime:
        """Return the time itself if it is open then, else this id's turn after the next opening."""
        opening = self.opening(at)
        if opening == at or self.hours is None:
            return at
        within = (self.hours.closes - self.hours.opens) * _MINUTE
        moved = opening + share(min(self.spread, within), id_)
        # The clock's change may make the hours shorter.
        return moved if self.is_open(moved) else opening

    def _openings(self, at: datetime) -> Iterator[datetime]:
        if self.hours is None:
            return
        today = at.astimezone(self.zone).date()
        for ahead in range(_DAYS_AHEAD):
            day = today + ahead * _DAY
            begin, end = (_shown(each, 0, self.zone) for each in (day, day + _DAY))
            # Where the clock is set back the hours may begin twice, or with the change.
            is_longer = end - begin > _DAY
            minutes = range((end - begin) // _MINUTE) if is_longer else ()
            first = _shown(day, self.hours.opens, self.zone)
            candidates = [begin + minute * _MINUTE for minute in minutes] or [first]
            yield from filter(self.is_open, candidates)


ALWAYS = SendingWindow(None, ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True)
class Calendar:
    """How long a plan's day is, and the sending hours of agents who have none of their own.

    What is imported at once, or waits for the same opening, is spread over `spread`. A compressed
    calendar, whose day is not a day, has no hours, no zones and no spread.
    """

    day: timedelta
    hours: SendingHours | None = None
    spread: timedelta = timedelta(0)

    @property
    def is_compressed(self) -> bool:
        """Whether a plan's day is not a day."""
        return self.day != _DAY

    def after(
        self, start: datetime, days: int, zone: ZoneInfo | None, *, years: int = 0
    ) -> datetime:
        """Return so many years and days later: the clocks of the zone, else of UTC, show the same.

        Years of a compressed calendar have 365 days.
        """
        if self.is_compressed:
            return start + (years * _YEAR_DAYS + days) * self.day
        zone = zone or ZoneInfo("UTC")
        local = start.astimezone(zone)
        minute = local.hour * 60 + local.minute
        rest = timedelta(seconds=local.second, microseconds=local.microsecond)
        return _shown(_anniversary(local.date(), years) + days * _DAY, minute, zone) + rest

    def share(self, id_: UUID) -> timedelta:
        """Return this id's part of the spread of what is imported at once."""
        return timedelta(0) if self.is_compressed else share(self.spread, id_)

    def window(self, hours: SendingHours | None, *zones: str | None) -> SendingWindow:
        """Return when emails of an agent with these hours may leave, in the first known zone."""
        own = None if self.is_compressed else hours or self.hours
        return SendingWindow(own, first_zone(*zones) or ZoneInfo("UTC"), self.spread)


def _anniversary(day: date, years: int) -> date:
    """Return the day so many years later; that of 29 February is the 28th in other years."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _shown(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return when the zone's clocks show that minute of the day, in UTC.

    The first time where they show it twice; when they skip it, where they do.
    """
    local = datetime.combine(day, time(), zone) + minute * _MINUTE
    first, second = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if second >= first:
        return first
    # Skipped: `second` is counted with the offset that holds after the change, so it is before it.
    later = local.replace(fold=1).utcoffset()
    minutes = range((first - second) // _MINUTE + 1)
    passed = bisect_left(
        [(second + m * _MINUTE).astimezone(zone).utcoffset() == later for m in minutes],
        True,
    )
    return second + passed * _MINUTE
