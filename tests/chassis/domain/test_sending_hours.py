"""Sending hours in zones with odd clocks, across their changes."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from chassis.domain.sending_hours import Calendar, SendingWindow, first_zone
from contracts.sending_hours import WEEKDAYS, SendingHours

# Half an hour's change, changes at midnight (until 2019), none, and a quarter of an hour's offset.
NAMES = (
    "America/Chicago",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
)
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
BEGIN = datetime(2015, 1, 1, tzinfo=UTC)
CALENDAR = Calendar(DAY, SendingHours(), timedelta(minutes=10))
CHICAGO = ZoneInfo("America/Chicago")


def changes(name: str) -> list[datetime]:
    """Return the hours of three years in which the zone's clocks change."""
    zone = ZoneInfo(name)
    hours = (BEGIN + number * HOUR for number in range(3 * 8766))
    offsets = [(hour, hour.astimezone(zone).utcoffset()) for hour in hours]
    return [hour for (hour, a), (_, b) in pairwise(offsets) if a != b]


CHANGES = [(hour, ZoneInfo(name)) for name in NAMES for hour in changes(name)]
times = st.datetimes(datetime(2015, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
around = st.integers(-3000, 3000).map(lambda minutes: minutes * MINUTE)
moments = st.one_of(
    st.tuples(times, st.sampled_from([ZoneInfo(name) for name in NAMES])),
    st.tuples(st.sampled_from(CHANGES), around).map(
        lambda both: (both[0][0] + both[1], both[0][1])
    ),
)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def some_hours(draw: st.DrawFn) -> SendingHours:
    opens = draw(st.integers(0, 1439))
    closes = draw(st.integers(opens + 1, 1440))
    days = draw(st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True))
    return SendingHours(days=tuple(days), start=clock(opens), end=clock(closes))


def hours_of(text: str) -> SendingHours:
    """Return the hours of `HH:MM-HH:MM`, of every day."""
    start, _, end = text.partition("-")
    return SendingHours(start=start, end=end)


def moment(zone: str, text: str, fold: int = 1) -> tuple[datetime, ZoneInfo]:
    """Return when the zone's clocks show this the second time, or the first."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return local.astimezone(UTC), ZoneInfo(zone)


@given(some_hours(), moments)
@example(hours_of("01:30-02:00"), moment("America/Chicago", "2026-11-01T01:10"))
@example(hours_of("00:30-01:30"), moment("America/Chicago", "2026-11-01T01:40", fold=0))
@example(hours_of("01:40-02:00"), moment("Australia/Lord_Howe", "2026-04-05T01:35"))
@example(hours_of("02:30-03:00"), moment("Europe/Berlin", "2026-10-25T02:10"))
@example(hours_of("23:30-24:00"), moment("America/Sao_Paulo", "2018-02-17T23:10"))
@example(hours_of("23:30-24:00"), moment("Africa/Cairo", "2026-10-29T23:10"))
def test_an_opening_is_never_outside_and_none_is_skipped(
    hours: SendingHours, moment: tuple[datetime, ZoneInfo]
) -> None:
    at, zone = moment
    window = SendingWindow(hours, zone)
    opening = window.opening(at)
    assert opening >= at
    assert window.is_open(opening)
    # Nothing is moved twice.
    assert window.opening(opening) == opening
    passed = at
    while passed < min(opening - MINUTE, at + DAY):
        assert not window.is_open(passed)
        passed += MINUTE


@given(some_hours(), moments, st.uuids(), st.integers(0, 7200))
def test_a_turn_is_within_hours_and_the_same_for_each_id(
    hours: SendingHours, moment: tuple[datetime, ZoneInfo], id_: UUID, seconds: int
) -> None:
    at, zone = moment
    window = SendingWindow(hours, zone, timedelta(seconds=seconds))
    turn = window.turn(at, id_)
    assert window.opening(at) <= turn <= window.opening(at) + window.spread
    assert window.is_open(turn)
    assert window.turn(at, id_) == turn
    assert window.turn(turn, id_) == turn


def test_five_hundred_that_wait_for_one_opening_are_spread_evenly() -> None:
    window = CALENDAR.window(None, "America/Chicago")
    night, opening = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 14, tzinfo=UTC)
    turns = [window.turn(night, UUID(int=n * 0x9E3779B97F4A7C15)) for n in range(500)]
    by_minute = Counter((turn - opening) // MINUTE for turn in turns)
    assert sorted(by_minute) == list(range(10))
    assert all(40 <= count <= 60 for count in by_minute.values())


def test_hours_that_are_shorter_than_the_spread_are_used_to_their_end() -> None:
    window = SendingWindow(SendingHours(start="08:00", end="08:05"), CHICAGO, timedelta(hours=9))
    night, opening = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 14, tzinfo=UTC)
    turns = {window.turn(night, UUID(int=n * 0x9E3779B97F4A7C15)) for n in range(500)}
    assert {(turn - opening) // MINUTE for turn in turns} == set(range(5))
    assert len(turns) == 500


@given(moments, st.integers(0, 400))
def test_days_later_the_clocks_show_the_same_unless_they_skip_it(
    moment: tuple[datetime, ZoneInfo], days: int
) -> None:
    start, zone = moment
    wanted = start.astimezone(zone).replace(tzinfo=None) + days * DAY
    later = CALENDAR.after(start, days, zone)
    shown = later.astimezone(zone).replace(tzinfo=None)
    assert shown == wanted or MINUTE * 0 < shown - wanted <= HOUR
    if shown != wanted:
        before = (later - HOUR).astimezone(zone).utcoffset()
        assert before != later.astimezone(zone).utcoffset()


def test_nine_stays_nine_when_the_clock_is_set_forward() -> None:
    saturday = datetime(2026, 3, 7, 9, tzinfo=CHICAGO)
    assert CALENDAR.after(saturday, 1, CHICAGO) == datetime(2026, 3, 8, 14, tzinfo=UTC)


def test_hours_that_the_clock_skips_are_none_on_that_day() -> None:
    window = SendingWindow(SendingHours(start="02:10", end="02:50"), CHICAGO)
    skipped = datetime(2026, 3, 8, 6, tzinfo=UTC)
    assert window.opening(skipped) == datetime(2026, 3, 9, 7, 10, tzinfo=UTC)


def test_hours_whose_start_the_clock_skips_begin_when_it_does() -> None:
    window = SendingWindow(SendingHours(start="02:30", end="03:10"), CHICAGO)
    assert window.opening(datetime(2026, 3, 8, 6, tzinfo=UTC)) == datetime(
        2026, 3, 8, 8, tzinfo=UTC
    )


def test_a_compressed_calendar_has_no_hours_and_no_zones() -> None:
    compressed = Calendar(timedelta(seconds=2), SendingHours(), timedelta(minutes=10))
    night = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert compressed.window(SendingHours(), "America/Chicago").turn(night, UUID(int=7)) == night
    assert compressed.after(night, 3, CHICAGO) == night + timedelta(seconds=6)


def test_the_first_zone_that_is_known_counts() -> None:
    assert first_zone(None, "Mars/Olympus", "../passwd", "Europe/Berlin", "UTC") == ZoneInfo(
        "Europe/Berlin"
    )
    assert first_zone(None, "") is None


@pytest.mark.parametrize(
    ("hours", "field"),
    [
        ({"start": "08:00", "end": "08:00"}, "end"),
        ({"start": "20:00", "end": "08:00"}, "end"),
        ({"start": "21:00"}, "end"),
        ({"start": "8:00"}, "start"),
        ({"end": "24:01"}, "end"),
        ({"start": "24:00", "end": "24:00"}, "end"),
        ({"days": []}, "days"),
        ({"days": ["mon"] * 8}, "days"),
        ({"days": ["someday"]}, "days"),
    ],
)
def test_hours_that_are_none_are_refused_with_their_field(
    hours: dict[str, object], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        SendingHours.model_validate(hours)
    assert {error["loc"][0] for error in refused.value.errors()} == {field}
