"""The dashboard's figures: counted over what the views show, in days of the agent's time zone."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from services.gateway.read_models.dashboard.days import Days
from services.gateway.read_models.dashboard.stats import DashboardStats, dashboard, ratio
from tests.services.gateway.client_events import Story
from tests.services.gateway.conftest import Api
from tests.services.gateway.read_models.stored import Stored
from tests.system import AGENT

# A Wednesday; in New York it is still Tuesday evening.
NOW = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NEW_YORK = ZoneInfo("America/New_York")


async def stats_of(stored: Stored, zone: str = "UTC") -> DashboardStats:
    return await dashboard(stored.database, stored.where, NOW, ZoneInfo(zone))


@pytest.mark.parametrize(
    ("part", "whole", "rate"), [(1, 4, 0.25), (0, 4, 0.0), (5, 4, 1.0), (0, 0, None)]
)
def test_a_rate_is_never_over_one_though_emails_are_sent_while_they_are_counted(
    part: int, whole: int, rate: float | None
) -> None:
    assert ratio(part, whole) == rate


async def test_without_anything_all_is_zero_and_there_are_no_rates(stored: Stored) -> None:
    stats = await stats_of(stored)
    assert set(stats.clients_by_stage.values()) == {0} == set(stats.followups_by_status.values())
    assert (stats.due_today, stats.overdue, stats.sent_today, stats.sent_this_week) == (0, 0, 0, 0)
    assert (stats.open_rate, stats.click_rate) == (None, None)


async def test_what_is_another_agent_s_is_not_counted(stored: Stored) -> None:
    await stored.put("clients", stage="lead", agent_id=uuid4())
    await stored.put("email_logs", agent_id=uuid4(), sent_at=NOW, opened_at=NOW)
    await stored.put("clients", stage="lost")
    await stored.put("clients")
    stats = await stats_of(stored)
    assert [stage for stage, count in stats.clients_by_stage.items() if count] == ["lost"]
    assert stats.sent_today == 0


async def test_followups_are_due_on_the_agent_s_day_and_overdue_after_an_hour(
    stored: Stored,
) -> None:
    await stored.task("pending", NOW + 20 * HOUR)
    await stored.task("pending", NOW + 23 * HOUR)
    await stored.task("due", NOW - 0.5 * HOUR)
    await stored.task("composed", NOW - 1.5 * HOUR)
    await stored.task("pending", NOW - 30 * HOUR)
    for status in ("sent", "failed", "cancelled", "withheld", "unknown"):
        await stored.task(status, NOW - 1.5 * HOUR)
    stats = await stats_of(stored)
    assert (stats.due_today, stats.overdue) == (3, 2)
    assert (stats.failed, stats.unknown) == (1, 1)
    assert stats.followups_by_status == {
        "pending": 3,
        "written": 0,
        **dict.fromkeys(("due", "composed", "sent", "failed"), 1),
        **dict.fromkeys(("cancelled", "withheld", "unknown"), 1),
    }
    # In New York, today is the 30th: from 4:00 UTC to 4:00 UTC.
    assert (await stats_of(stored, "America/New_York")).due_today == 2


async def test_emails_are_counted_by_the_agent_s_day_and_week(stored: Stored) -> None:
    monday = datetime(2026, 6, 29, tzinfo=UTC)
    for sent_at in (NOW - HOUR, NOW - 3 * HOUR, monday, monday - HOUR, None):
        await stored.put("email_logs", status="sent", **({"sent_at": sent_at} if sent_at else {}))
    stats = await stats_of(stored)
    assert (stats.sent_today, stats.sent_this_week) == (1, 3)
    stats = await stats_of(stored, "America/New_York")
    assert (stats.sent_today, stats.sent_this_week) == (2, 2)


async def test_rates_count_each_email_once_and_only_those_that_were_sent(stored: Stored) -> None:
    times = {"sent_at": NOW, "opened_at": NOW, "clicked_at": NOW}
    for fields in (
        *(("sent_at",), ("sent_at", "opened_at"), ("sent_at", "clicked_at"), tuple(times)),
        # Reported on, though nobody knows that they were sent.
        *(("opened_at",), ("clicked_at",), ("opened_at", "clicked_at")),
    ):
        await stored.put("email_logs", status="sent", **{name: times[name] for name in fields})
    stats = await stats_of(stored)
    assert (stats.open_rate, stats.click_rate) == (0.75, 0.5)


@pytest.mark.parametrize(
    ("now", "hours"),
    [("2026-03-08T12:00:00", 23), ("2026-03-09T12:00:00", 24), ("2026-11-01T12:00:00", 25)],
)
def test_a_day_on_which_the_clock_changes_is_an_hour_off(now: str, hours: int) -> None:
    days = Days.of(datetime.fromisoformat(now).replace(tzinfo=NEW_YORK).astimezone(UTC), NEW_YORK)
    assert days.tomorrow - days.today == hours * HOUR


def test_the_week_begins_on_monday() -> None:
    days = Days.of(NOW, NEW_YORK)
    assert days.monday == datetime(2026, 6, 29, 4, tzinfo=UTC)
    assert Days.of(days.monday, NEW_YORK).today == days.monday


@pytest.mark.usefixtures("known_agent")
async def test_the_figures_are_shown_over_http(api: Api) -> None:
    story = Story(AGENT, UUID(await api.add()))
    before = (await api.http.get("/api/dashboard/stats")).json()
    await api.publish(story.planned(), story.due(0, 1), story.requested(0, 1), story.composed(0, 1))
    await api.publish(story.queued(0, 1), story.sent(0, 1), story.opened(0, 2))
    path = f"/api/emails/{story.emails[0]}"
    await api.get_until(path, lambda r: r.status_code == 200 and r.json()["status"] == "opened")
    response = await api.http.get("/api/dashboard/stats")
    assert response.status_code == 200, response.text
    stats = response.json()
    assert stats["time_zone"] == "UTC"
    assert stats["clients_by_stage"].keys() == {
        *("lead", "negotiating", "under_contract", "closed", "lost")
    }
    statuses, old = stats["followups_by_status"], before["followups_by_status"]
    assert sum(statuses.values()) == sum(old.values()) + 5
    assert stats["overdue"] >= before["overdue"] + 4
    assert 0 < stats["open_rate"] <= 1
