"""At most so many emails of an agent in any day, also when many are started at once."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from chassis.domain.errors import CallFailed, OutcomeUnknown
from chassis.eventlog.event_store import EventLog
from chassis.eventlog.work import Work
from contracts.composer import DraftPostponed
from contracts.mailer import EmailEvent, EmailPostponed, email_id
from contracts.notices import NoticeQueued
from services.mailer.documents import CLIENTS, EMAILS
from services.mailer.email import Email
from services.mailer.email_worker import send_due_email
from services.mailer.notice import evolve
from services.mailer.sending.waiting_notice import notice_id, queue
from services.mailer.transports.transport import OutgoingLetter
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
    begin = datetime.now(UTC)
    await work(log, ids, sent)
    assert len(sent.letters) == LIMIT
    rest = [e.email_id for e in await states(log, ids) if e.status != "sent"]
    await work(log, rest, sent)
    assert len(sent.letters) == LIMIT
    for email in await states(log, rest):
        assert (email.status, email.attempt, email.failures) == ("queued", 0, 0)
        assert email.due_at
        assert begin + DAY <= email.due_at
    # They do not come back all at once.
    assert len({email.due_at for email in await states(log, rest)}) >= LIMIT


async def test_what_is_not_called_for_or_is_refused_takes_no_place(log: EventLog) -> None:
    class Refusing(Accepting):
        async def send(self, letter: OutgoingLetter) -> str | None:
            raise CallFailed("503")

    refused = await queued(log, LIMIT)
    await work(log, refused, Refusing())
    assert {email.failures for email in await states(log, refused)} == {1}
    [withheld] = await queued(log, 1)
    [client] = [email.client_id for email in await states(log, [withheld])]
    await log.database[CLIENTS.collection].insert_one({"_id": client, "deleted_at": NOON})
    sent = Accepting()
    await work(log, [withheld], sent)
    await work(log, await queued(log, LIMIT), sent)
    assert len(sent.letters) == LIMIT


async def test_an_unknown_outcome_counts_since_it_may_have_been_sent(log: EventLog) -> None:
    class Silent(Accepting):
        async def send(self, letter: OutgoingLetter) -> str | None:
            raise OutcomeUnknown("no answer")

    await work(log, await queued(log, LIMIT), Silent())
    sent = Accepting()
    await work(log, await queued(log, 1), sent)
    assert sent.letters == []


async def test_other_agents_have_limits_of_their_own(log: EventLog) -> None:
    sent = Accepting()
    await work(log, await queued(log, LIMIT), sent)
    about = {"agent_id": uuid4(), "email_id": uuid4()}
    await append(log, EMAILS, about["email_id"], QUEUED.model_copy(update=about))
    await work(log, [about["email_id"]], sent)
    assert len(sent.letters) == LIMIT + 1


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


def test_the_admin_is_told_once_a_day_that_the_model_is_away_whoever_waits() -> None:
    def away(day: int = 0) -> DraftPostponed:
        ids = {"agent_id": uuid4(), "client_id": uuid4(), "followup_id": uuid4()}
        at = NOON + day * DAY
        return DraftPostponed(**ids, reason="provider_away", postponed_at=at, until=at + DAY)

    [event] = queue(None, away(), GIVEN, admin_email=ADMIN)
    assert isinstance(event, NoticeQueued)
    assert "no letters are written" in event.personal.subject
    assert notice_id(away()) == event.notice_id != notice_id(away(1))
    assert queue(evolve(None, event), away(), GIVEN, admin_email=ADMIN) == []
