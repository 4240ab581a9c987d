"""A follow-up falls due in the sending hours, and a plan counts in the days of its zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from chassis.domain.sending_hours import Calendar, SendingWindow
from chassis.domain.state import Given
from contracts.crm import ClientCreated
from contracts.scheduler import (
    FollowupDue,
    FollowupRescheduled,
    FollowupsAdded,
    FollowupsPlanned,
    StartPlan,
)
from contracts.sending_hours import SendingHours
from services.scheduler.plan import Plan, fall_due, rescheduled
from services.scheduler.plan_additions import plan_followups, start
from tests.services.scheduler.sample_plans import (
    AGENT,
    CLIENT,
    DAY,
    KNOWN,
    MARIA,
    at,
    created,
    folded,
    planned,
)

CHICAGO = ZoneInfo("America/Chicago")
TEN_MINUTES = timedelta(minutes=10)
CALENDAR = Calendar(DAY, SendingHours(), TEN_MINUTES)
# The plan's days begin at noon in UTC: 06:00 in Chicago in winter.
WINDOW = SendingWindow(SendingHours(), CHICAGO, TEN_MINUTES)


def let_fall_due(plan: Plan, now: datetime, window: SendingWindow = WINDOW) -> list[object]:
    given = Given(now, CLIENT)
    return list(fall_due(plan, given, client=KNOWN, calendar=CALENDAR, window=window))


def test_what_falls_due_at_night_is_moved_to_its_turn_after_the_opening() -> None:
    plan = planned()
    [moved] = let_fall_due(plan, at(1).now)
    assert isinstance(moved, FollowupRescheduled)
    opening = datetime(2026, 2, 1, 14, tzinfo=UTC)
    assert opening <= moved.scheduled_for <= opening + TEN_MINUTES
    after = folded(plan, [moved])
    assert after.due_at == moved.scheduled_for
    [due] = let_fall_due(after, moved.scheduled_for)
    assert isinstance(due, FollowupDue)
    assert due.followup_id == plan.pending[0].followup_id


def test_hours_that_have_changed_meanwhile_are_looked_at_again() -> None:
    plan = planned()
    [moved] = let_fall_due(plan, at(1).now)
    assert isinstance(moved, FollowupRescheduled)
    after = folded(plan, [moved])
    # Sunday, the first of February.
    weekdays = SendingWindow(SendingHours(days=("mon", "tue")), CHICAGO, TEN_MINUTES)
    [again, *_] = let_fall_due(after, moved.scheduled_for, weekdays)
    assert isinstance(again, FollowupRescheduled)
    assert again.scheduled_for.astimezone(CHICAGO).strftime("%a %H") == "Mon 08"


def test_several_that_have_passed_wait_for_the_opening_and_a_day_each() -> None:
    plan = planned()
    moved = let_fall_due(plan, at(8).now)
    dates = [event.scheduled_for for event in moved if isinstance(event, FollowupRescheduled)]
    assert len(dates) == len(moved) == 3
    assert WINDOW.is_open(dates[0])
    assert [date - dates[0] for date in dates] == [0 * DAY, DAY, 2 * DAY]


def test_nine_stays_nine_also_for_what_waits_for_a_day_after_another() -> None:
    nine = datetime(2026, 3, 6, 9, tzinfo=CHICAGO)
    plan = planned()
    later = [
        rescheduled(plan, followup, to=nine, now=plan.followups[0].scheduled_for)
        for followup in plan.pending
    ]
    # Friday; the clocks are set forward on Sunday.
    [due, *moved] = let_fall_due(folded(plan, later), nine)
    assert isinstance(due, FollowupDue)
    dates = [event.scheduled_for for event in moved if isinstance(event, FollowupRescheduled)]
    assert [date.astimezone(CHICAGO).strftime("%a %H:%M") for date in dates] == [
        *("Sat 09:00", "Sun 09:00", "Mon 09:00", "Tue 09:00")
    ]


def test_what_waits_for_a_day_after_another_waits_for_an_open_one() -> None:
    weekdays = SendingWindow(SendingHours(days=("mon", "tue", "fri")), CHICAGO)
    plan = planned()
    friday = datetime(2026, 2, 6, 12, tzinfo=CHICAGO)
    moved = let_fall_due(plan, friday, weekdays)
    dates = [event.scheduled_for for event in moved if isinstance(event, FollowupRescheduled)]
    shown = [date.astimezone(CHICAGO).strftime("%a %H") for date in dates]
    assert shown[:2] == ["Mon 08", "Tue 08"]


def steps(client: ClientCreated, calendar: Calendar = CALENDAR) -> list[datetime]:
    [event] = plan_followups(None, client, at(0), calendar=calendar)
    assert isinstance(event, FollowupsPlanned)
    return [step.scheduled_for for step in event.followups]


def test_nine_stays_nine_when_the_clocks_change_within_the_plan() -> None:
    nine = datetime(2026, 3, 1, 9, tzinfo=CHICAGO)
    client = created(created_at=nine, agent_time_zone="America/Chicago")
    assert [date.astimezone(CHICAGO).strftime("%d %H:%M") for date in steps(client)] == [
        *("02 09:00", "04 09:00", "08 09:00", "15 09:00", "31 09:00")
    ]


def test_the_client_s_own_zone_comes_before_the_agent_s() -> None:
    nine = datetime(2026, 3, 20, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    berlin = MARIA.model_copy(update={"time_zone": "Europe/Berlin"})
    client = created(created_at=nine, personal=berlin, agent_time_zone="America/Chicago")
    hours = {date.astimezone(nine.tzinfo).hour for date in steps(client)}
    assert hours == {9}


def test_a_plan_without_a_zone_or_in_a_compressed_calendar_counts_plain_days() -> None:
    nine = datetime(2026, 3, 1, 9, tzinfo=CHICAGO)
    assert [date - nine for date in steps(created(created_at=nine))] == [
        days * DAY for days in (1, 3, 7, 14, 30)
    ]
    client = created(created_at=nine, agent_time_zone="America/Chicago", imported=True)
    second = timedelta(seconds=1)
    compressed = Calendar(second, SendingHours(), TEN_MINUTES)
    assert [date - nine for date in steps(client, compressed)] == [
        days * second for days in (1, 3, 7, 14, 30)
    ]


def test_those_of_an_import_are_spread_by_their_ids() -> None:
    late = [date - at(0).now for date in steps(created(imported=True))]
    spread = [date - days * DAY for date, days in zip(late, (1, 3, 7, 14, 30), strict=True)]
    assert all(-TEN_MINUTES <= each <= timedelta(0) for each in spread)
    assert len(set(spread)) == 5


def test_a_plan_that_is_started_again_counts_in_days_of_the_zone() -> None:
    nine = datetime(2026, 3, 7, 9, tzinfo=CHICAGO)
    command = StartPlan(agent_id=AGENT, client_id=CLIENT, time_zone="America/Chicago")
    [event] = start(None, command, Given(nine, CLIENT), calendar=CALENDAR)
    assert isinstance(event, FollowupsAdded)
    assert {step.scheduled_for.astimezone(CHICAGO).hour for step in event.followups} == {9}
