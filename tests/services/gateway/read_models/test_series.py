"""Emails by day, in days of the agent's time zone, whatever the clocks there do."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.gateway.read_models.dashboard.series import DAY, EmailSeries, email_series
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.read_models.stored import Stored

HOUR = timedelta(hours=1)
ZONES = (
    *("Pacific/Auckland", "America/New_York", "Asia/Kolkata", "Pacific/Honolulu", "UTC"),
    # Half an hour; midnight that does not come, or comes twice; four changes a year; a new name.
    *("Australia/Lord_Howe", "Africa/Cairo", "America/Havana", "Africa/Casablanca", "Europe/Kyiv"),
)
# A day on which clocks go forward, one on which they go back, and how many hours both have.
CHANGES = (
    ("America/New_York", "2026-03-08", 23),
    ("America/New_York", "2026-11-01", 25),
    ("Pacific/Auckland", "2026-09-27", 23),
    ("Pacific/Auckland", "2026-04-05", 25),
    ("Asia/Kolkata", "2026-03-08", 24),
    ("Pacific/Honolulu", "2026-11-01", 24),
)


async def series_of(stored: Stored, first: date, last: date, zone: str) -> EmailSeries:
    return await email_series(stored.database, stored.where, first, last, ZoneInfo(zone))


async def sent(stored: Stored, *times: datetime) -> None:
    rows = [{"sent_at": time, "status": "sent"} for time in times]
    for row in rows:
        await stored.put("email_logs", **row)


@pytest.mark.parametrize("zone", ZONES)
async def test_every_email_of_a_year_is_counted_on_the_day_that_the_calendar_says(
    stored: Stored, zone: str
) -> None:
    first, last = date(2025, 12, 30), date(2026, 12, 30)
    begin = datetime(2025, 12, 28, 0, 1, tzinfo=UTC)
    times = [begin + number * timedelta(hours=7) for number in range(1_300)]
    rows = [stored.where | {"sent_at": time} for time in times]
    await stored.database["email_logs"].insert_many(rows)
    shown = await series_of(stored, first, last, zone)
    expected = dict.fromkeys((first + n * DAY for n in range(366)), 0)
    for time in times:
        day = time.astimezone(ZoneInfo(zone)).date()
        if day in expected:
            expected[day] += 1
    assert {day.day: day.sent for day in shown.days} == expected


@pytest.mark.parametrize(("zone", "day", "hours"), CHANGES)
async def test_a_day_on_which_the_clock_changes_has_all_its_hours(
    stored: Stored, zone: str, day: str, hours: int
) -> None:
    changed = date.fromisoformat(day)
    begins = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    await sent(stored, *(begins + number * HOUR for number in range(-24, 49)))
    last_moment = begins + hours * HOUR - timedelta(milliseconds=1)
    await sent(stored, last_moment)
    shown = await series_of(stored, changed - DAY, changed + DAY, zone)
    assert [day.sent for day in shown.days] == [24, hours + 1, 24]
    [alone] = (await series_of(stored, changed, changed, zone)).days
    assert (alone.day, alone.sent) == (changed, hours + 1)


async def test_emails_are_counted_by_the_day_of_sending_whenever_they_were_opened(
    stored: Stored,
) -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    opened: dict[str, Any] = {"opened_at": noon + 9 * DAY}
    clicked: dict[str, Any] = {"clicked_at": noon + 9 * DAY}
    for fields in ({}, opened, clicked, opened | clicked):
        await stored.put("email_logs", sent_at=noon, **fields)
    await stored.put("email_logs", status="failed", **opened)
    [before, day, *after] = (
        await series_of(stored, date(2026, 6, 30), date(2026, 7, 10), "UTC")
    ).days
    # A click counts as an open: images may be blocked.
    assert (day.sent, day.opened, day.clicked) == (4, 3, 2)
    assert {(one.sent, one.opened, one.clicked) for one in (before, *after)} == {(0, 0, 0)}


async def test_what_is_another_agent_s_is_not_counted(stored: Stored) -> None:
    other = Stored(stored.database)
    await sent(other, datetime(2026, 7, 1, 12, tzinfo=UTC))
    [day] = (await series_of(stored, date(2026, 7, 1), date(2026, 7, 1), "UTC")).days
    assert day.sent == 0


async def test_days_are_counted_on_an_index_alone(stored: Stored) -> None:
    """As MongoDB reports of the aggregation that was sent last."""
    await sent(stored, datetime(2026, 7, 1, 12, tzinfo=UTC))
    await stored.database.command("profile", 2)
    await series_of(stored, date(2026, 1, 1), date(2026, 12, 31), "America/New_York")
    await stored.database.command("profile", 0)
    profile = stored.database["system.profile"]
    op = await profile.find_one({"command.aggregate": "email_logs"}, sort=[("ts", -1)])
    assert op is not None
    assert (op["docsExamined"], op["keysExamined"]) == (0, 1)


@pytest.mark.usefixtures("known_agent")
async def test_without_a_range_the_last_thirty_days_are_shown(api: Api) -> None:
    shown = (await api.http.get("/api/dashboard/series")).json()
    today = datetime.now(UTC).date()
    assert [day["day"] for day in shown["days"]] == [
        str(today - number * DAY) for number in reversed(range(30))
    ]
    assert (shown["from"], shown["to"]) == (str(today - 29 * DAY), str(today))
    assert (shown["by"], shown["time_zone"]) == ("day", "UTC")
    two = (await api.http.get("/api/dashboard/series?from=2026-02-28&to=2026-03-01")).json()
    assert [day["day"] for day in two["days"]] == ["2026-02-28", "2026-03-01"]
    year = await api.http.get("/api/dashboard/series?from=2024-01-01&to=2024-12-31&by=day")
    assert len(year.json()["days"]) == 366


@pytest.mark.usefixtures("known_agent")
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("from=2026-02-30", "from"),
        ("to=2026-13-01", "to"),
        ("from=2026-03-02&to=2026-03-01", "to"),
        ("from=2025-01-01&to=2026-01-02", "from"),
        ("from=0001-01-01&to=0001-01-02", "to"),
        ("to=0002-01-01", "from"),
        ("from=9998-12-31&to=9999-12-31", "to"),
        ("by=week", "by"),
    ],
)
async def test_a_range_that_is_none_is_refused_by_the_name_of_its_field(
    api: Api, query: str, field: str
) -> None:
    problem(await api.http.get(f"/api/dashboard/series?{query}"), 422, field)
