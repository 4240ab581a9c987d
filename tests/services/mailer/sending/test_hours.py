"""An email that is queued outside its agent's hours waits for them, whatever it had waited for."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from chassis.domain.sending_hours import Calendar
from chassis.domain.state import Given
from chassis.eventlog.event_store import EventLog
from chassis.eventlog.work import Work
from chassis.projections.views import view_raw
from contracts.crm import AgentProfile, AgentRegistered, AgentUpdated
from contracts.mailer import EmailEvent, EmailPostponed
from contracts.sending_hours import WEEKDAYS, SendingHours
from services.mailer.documents import EMAILS
from services.mailer.email import Email, evolve
from services.mailer.email_worker import send_due_email
from services.mailer.sending.before_call import start_within
from services.mailer.sending.hours import AGENT_HOURS, AgentHoursDocument
from services.mailer.sending.recipients import RECIPIENTS, RecipientDocument
from tests.services.mailer.sample_emails import AGENT, NOON, QUEUED
from tests.services.mailer.sending_parts import DAY, Accepting, append, dependencies

CALENDAR = Calendar(DAY, SendingHours(), timedelta(minutes=10))
ALL_DAY = SendingHours(start="00:00", end="24:00")


def on(days_ahead: int) -> SendingHours:
    """Return the hours of the whole day that many days after today."""
    day = WEEKDAYS[(datetime.now(UTC).weekday() + days_ahead) % 7]
    return SendingHours(days=(day,), start="00:00", end="24:00")


async def store(log: EventLog, hours: SendingHours | None, zone: str = "UTC") -> None:
    """Store the agent's hours as the view has them."""
    agent = AgentHoursDocument(id=AGENT, time_zone=zone, sending_hours=hours)
    collection = log.database[AGENT_HOURS.collection]
    await collection.replace_one({"_id": AGENT}, view_raw(agent), upsert=True)


async def work(log: EventLog, sent: Accepting, calendar: Calendar = CALENDAR) -> Email:
    """Let a mailer work on the email."""
    stored = (await log.load(EMAILS, [QUEUED.email_id]))[QUEUED.email_id]
    due = Work[Email, EmailEvent](log, EMAILS, stored, "mailer")
    await send_due_email(due, deps=dependencies(log.database, sent, calendar=calendar))
    return (await log.load(EMAILS, [QUEUED.email_id]))[QUEUED.email_id].state


@pytest.fixture
async def sent(log: EventLog) -> Accepting:
    """A transport, and a queued email."""
    await append(log, EMAILS, QUEUED.email_id, QUEUED)
    return Accepting()


async def test_it_is_postponed_until_they_begin_and_no_attempt_counts(
    log: EventLog, sent: Accepting
) -> None:
    hours = on(3)
    await store(log, hours)
    email = await work(log, sent)
    assert (email.status, email.attempt, email.failures) == ("queued", 0, 0)
    assert email.due_at
    assert (WEEKDAYS[email.due_at.weekday()],) == hours.days
    midnight = email.due_at.replace(hour=0, minute=0, second=0, microsecond=0)
    assert email.due_at <= midnight + CALENDAR.spread
    assert sent.letters == []


def test_hours_that_have_ended_just_before_the_call_postpone_it() -> None:
    email = evolve(None, QUEUED)
    window = Calendar(DAY).window(SendingHours(start="08:00", end="12:00"), "UTC")
    [postponed] = start_within(
        email,
        Given(NOON, email.email_id),
        window=window,
        give_up_after=timedelta(minutes=1),
        follows=(),
    )
    assert isinstance(postponed, EmailPostponed)
    assert (postponed.reason, postponed.until) == ("sending_hours", NOON + timedelta(hours=20))


async def test_what_comes_later_to_the_client_waits_for_them_too(log: EventLog) -> None:
    other = {"email_id": uuid4(), "followup_id": uuid4(), "fell_due_at": NOON - DAY}
    earlier = QUEUED.model_copy(update=other)
    later = QUEUED.model_copy(update={"fell_due_at": NOON})
    for queued in (earlier, later):
        await append(log, EMAILS, queued.email_id, queued)
    await store(log, on(3))
    # Not for its turn among the client's letters, which is asked for again and again.
    due_at = (await work(log, Accepting())).due_at
    assert due_at
    assert due_at > datetime.now(UTC) + DAY


async def test_hours_that_have_changed_meanwhile_count(log: EventLog, sent: Accepting) -> None:
    await store(log, on(3))
    await work(log, sent)
    await store(log, ALL_DAY)
    assert (await work(log, sent)).status == "sent"
    assert len(sent.letters) == 1


async def test_they_are_those_of_the_client_s_zone(log: EventLog, sent: Accepting) -> None:
    # Midnight in one of them is always noon in the other, so one of both is closed.
    now = datetime.now(UTC)
    at_day, at_night = (
        ("Etc/GMT-12", "UTC") if now.hour < 6 or now.hour >= 18 else ("UTC", "Etc/GMT-12")
    )
    await store(log, SendingHours(start="06:00", end="18:00"), zone=at_day)
    client = RecipientDocument(id=QUEUED.client_id, time_zone=at_night)
    await log.database[RECIPIENTS.collection].insert_one(view_raw(client))
    assert (await work(log, sent)).status == "queued"
    assert sent.letters == []


@pytest.mark.parametrize("calendar", [Calendar(DAY, on(3)), Calendar(timedelta(seconds=2), on(3))])
async def test_without_an_agent_that_is_known_or_days_of_a_day_there_are_none(
    log: EventLog, sent: Accepting, calendar: Calendar
) -> None:
    if calendar.is_compressed:
        await store(log, on(3))
    assert (await work(log, sent, calendar)).status == "sent"


def test_the_view_follows_the_agent_s_profile() -> None:
    profile = AgentProfile(name="Dana", email="dana@reed.example", time_zone="America/Chicago")
    registered = AgentRegistered(agent_id=AGENT, registered_at=NOON, personal=profile)
    known = AGENT_HOURS.apply(None, registered, AGENT)
    assert (known.time_zone, known.sending_hours) == ("America/Chicago", None)
    own = profile.model_copy(update={"sending_hours": ALL_DAY})
    changed = AgentUpdated(agent_id=AGENT, updated_at=NOON, personal=own)
    assert AGENT_HOURS.apply(known, changed, AGENT).sending_hours == ALL_DAY
