"""At most so many emails of an agent in any day, also when many are started at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any
from uuid import UUID, uuid4

from chassis.eventlog.due_loop import Work
from chassis.eventlog.event_store import EventLog
from contracts.mailer import EmailEvent, EmailPostponed, EmailSent, SendStarted, email_id
from contracts.notices import NoticeQueued
from services.mailer.documents import EMAILS
from services.mailer.email import Email
from services.mailer.email_worker import send_due_email
from services.mailer.notice import evolve
from services.mailer.sending.daily_notice import notice_id, queue
from tests.services.mailer.sample_emails import ABOUT, AGENT, GIVEN, NOON, QUEUED
from tests.services.mailer.sending_parts import DAY, Accepting, append, dependencies

LIMIT = 5
ADMIN = "admin@office.example"


async def queued(log: EventLog, number: int) -> list[UUID]:
    """Queue so many emails of the agent; return their ids."""
    ids = []
    for _ in range(number):
        followup = uuid4()
        about = {"followup_id": followup, "client_id": uuid4(), "email_id": email_id(followup)}
        await append(log, EMAILS, about["email_id"], QUEUED.model_copy(update=about))
        ids.append(about["email_id"])
    return ids


async def sent_at(log: EventLog, at: datetime) -> None:
    """Let an email of the agent have been sent then."""
    [id_] = await queued(log, 1)
    about: dict[str, Any] = ABOUT | {"email_id": id_}
    started = SendStarted(**about, attempt=1, started_at=at, give_up_at=at, follows=())
    stored = (await log.load(EMAILS, [id_]))[id_]
    await append(
        log, EMAILS, id_, started, EmailSent(**about, attempt=1, sent_at=at), stored=stored
    )


async def work(log: EventLog, ids: list[UUID], sent: Accepting) -> None:
    """Let two mailers work on the emails, all at once."""
    mailers = [dependencies(log.database, sent, emails_per_day=LIMIT) for _ in range(2)]
    stored = await log.load(EMAILS, ids)

    async def one(number: int, id_: UUID) -> None:
        due = Work[Email, EmailEvent](log, EMAILS, stored[id_], "mailer")
        await send_due_email(due, deps=mailers[number % 2])

    await asyncio.gather(*(one(number, id_) for number, id_ in enumerate(ids)))


async def states(log: EventLog, ids: list[UUID]) -> list[Email]:
    return [document.state for document in (await log.load(EMAILS, ids)).values()]


async def test_two_mailers_never_exceed_the_limit_and_lose_nothing(log: EventLog) -> None:
    ids = await queued(log, 3 * LIMIT)
    sent = Accepting()
    await work(log, ids, sent)
    # Who started at once may have stood in each other's way: they come again at other moments.
    for one, other in zip(cycle(ids[::2]), cycle(ids[1::2])):
        assert len(sent.letters) <= LIMIT
        if len(sent.letters) == LIMIT:
            break
        waiting = [e for e in await states(log, [one, other]) if e.status == "queued"]
        await work(log, [e.email_id for e in waiting], sent)
    rest = [e for e in await states(log, ids) if e.status != "sent"]
    assert {(e.status, e.failures) for e in rest} == {("queued", 0)}
    assert len(rest) == 2 * LIMIT
    await work(log, [e.email_id for e in rest], sent)
    assert len(sent.letters) == LIMIT


async def test_it_goes_on_when_the_oldest_email_is_a_day_old(log: EventLog) -> None:
    now = datetime.now(UTC)
    first = now - DAY + timedelta(hours=1)
    await sent_at(log, now - DAY - timedelta(hours=1))
    for hours in range(LIMIT):
        await sent_at(log, first + timedelta(hours=hours))
    [id_] = await queued(log, 1)
    sent = Accepting()
    await work(log, [id_], sent)
    [email] = await states(log, [id_])
    assert sent.letters == []
    assert (email.status, email.attempt) == ("queued", 0)
    assert email.due_at is not None
    assert abs(email.due_at - (first + DAY)) < timedelta(seconds=1)


async def test_other_agents_have_limits_of_their_own(log: EventLog) -> None:
    for _ in range(LIMIT):
        await sent_at(log, datetime.now(UTC))
    about = {"agent_id": uuid4(), "email_id": uuid4()}
    await append(log, EMAILS, about["email_id"], QUEUED.model_copy(update=about))
    sent = Accepting()
    await work(log, [about["email_id"]], sent)
    assert len(sent.letters) == 1


def test_the_admin_is_told_once_a_day_of_each_agent() -> None:
    def postponed(**fields: Any) -> EmailPostponed:
        plain = ABOUT | {"reason": "daily_limit", "postponed_at": NOON, "until": NOON + DAY}
        return EmailPostponed(**plain | fields)

    first = postponed()
    [event] = queue(None, first, GIVEN, admin_email=ADMIN)
    assert isinstance(event, NoticeQueued)
    assert event.personal.to_email == ADMIN
    assert str(AGENT) in event.personal.body
    assert notice_id(postponed(email_id=uuid4(), client_id=uuid4())) == event.notice_id
    assert queue(evolve(None, event), first, GIVEN, admin_email=ADMIN) == []
    assert notice_id(postponed(postponed_at=NOON + DAY)) != event.notice_id
    assert notice_id(postponed(agent_id=uuid4())) != event.notice_id
    assert queue(None, postponed(reason="another"), GIVEN, admin_email=ADMIN) == []
