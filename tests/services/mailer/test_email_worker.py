"""The worker for due emails, and agents who are deactivated before it, and while it works."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from chassis.domain.errors import CallFailed, OnHold, ProviderAway, Throttled, TryLater
from chassis.eventlog.aggregate import StateDocument
from chassis.eventlog.event_store import EventLog
from chassis.eventlog.work import Work
from chassis.mongo.batch_loader import BatchLoader
from chassis.mongo.client import Database
from chassis.projections.views import view_raw
from contracts.addresses import canonical_address
from contracts.crm import AgentDeactivated, AgentReactivated, ClientReassigned
from contracts.mailer import (
    AddressSuppressed,
    EmailEvent,
    EmailSent,
    SendStarted,
    SuppressedAddress,
    SuppressionEvent,
    email_id,
    suppression_id,
)
from contracts.message import to_milliseconds
from services.mailer.documents import (
    CLIENTS,
    EMAILS,
    INACTIVE_AGENTS,
    SUPPRESSIONS,
    InactiveAgentDocument,
    SuppressionDocument,
)
from services.mailer.email import Email
from services.mailer.email_worker import send_due_email
from services.mailer.suppression import Suppression
from services.mailer.suppression_worker import confirm_suppression
from services.mailer.transports.transport import OutgoingLetter
from tests.services.mailer.sample_emails import ABOUT, AGENT, CLIENT, NOON, QUEUED
from tests.services.mailer.sample_letters import TOKENS
from tests.services.mailer.sending_parts import Accepting, append, dependencies

EMAIL = QUEUED.email_id


class Changing(BatchLoader[InactiveAgentDocument]):
    """Answers one look after the other as given: whether the agent is inactive then."""

    def __init__(self, *answers: bool | Exception) -> None:
        self._answers = list(answers)

    async def get(self, id_: UUID) -> InactiveAgentDocument | None:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return InactiveAgentDocument(id=id_, deactivated_at=NOON if answer else None)


@pytest.fixture
async def log(log: EventLog) -> EventLog:
    """A log that holds a queued email."""
    await append(log, EMAILS, EMAIL, QUEUED)
    return log


async def stored(log: EventLog) -> StateDocument[Email]:
    return (await log.load(EMAILS, [EMAIL]))[EMAIL]


async def types(log: EventLog) -> list[str]:
    """Return the types of the email's events."""
    commits = log.commits.find({"stream": f"email-{EMAIL}"}).sort("first")
    return [e["type"].split(".")[1] for raw in await commits.to_list() for e in raw["events"]]


def inactive(database: Database) -> BatchLoader[InactiveAgentDocument]:
    return BatchLoader(database, INACTIVE_AGENTS.collection, InactiveAgentDocument)


async def work(
    log: EventLog,
    agents: BatchLoader[InactiveAgentDocument],
    suppressions: BatchLoader[SuppressionDocument] | None = None,
) -> Accepting:
    """Let a worker do what is due."""
    sent = Accepting()
    deps = dependencies(log.database, sent, inactive=agents, suppressions=suppressions)
    due = Work[Email, EmailEvent](log, EMAILS, await stored(log), "mailer")
    await send_due_email(due, deps=deps)
    return sent


async def test_an_email_of_a_deactivated_agent_waits_without_an_attempt_then_goes_out(
    log: EventLog,
) -> None:
    collection = log.database[INACTIVE_AGENTS.collection]
    known: Any = INACTIVE_AGENTS.apply(
        None, AgentDeactivated(agent_id=AGENT, deactivated_at=NOON), AGENT
    )
    await collection.insert_one(view_raw(known))
    with pytest.raises(OnHold) as held:
        await work(log, inactive(log.database))
    assert held.value.holder == AGENT
    assert await types(log) == ["EmailQueued"]
    known = INACTIVE_AGENTS.apply(
        known, AgentReactivated(agent_id=AGENT, reactivated_at=NOON), AGENT
    )
    await collection.replace_one({"_id": AGENT}, view_raw(known))
    assert (await work(log, inactive(log.database))).attempts == [1]
    assert await types(log) == ["EmailQueued", "SendStarted", "EmailSent"]


async def test_a_deactivation_between_start_and_call_ends_the_attempt_without_a_call(
    log: EventLog,
) -> None:
    assert (await work(log, Changing(False, True))).attempts == []
    assert await types(log) == ["EmailQueued", "SendStarted", "EmailQueued"]
    email = (await stored(log)).state
    assert (email.status, email.attempt, email.failures) == ("queued", 1, 0)
    with pytest.raises(OnHold):
        await work(log, Changing(True))
    assert (await work(log, Changing(False, False))).attempts == [2]
    assert (await stored(log)).state.status == "sent"


class Refusing(Accepting):
    """Refuses every letter for this reason."""

    def __init__(self, reason: CallFailed) -> None:
        super().__init__()
        self._reason = reason

    async def send(self, letter: OutgoingLetter) -> str | None:
        raise self._reason


@pytest.mark.parametrize("reason", [Throttled("429"), ProviderAway("401", final=True)], ids=str)
async def test_a_provider_that_refuses_everybody_is_waited_for_and_no_attempt_counts(
    log: EventLog, reason: CallFailed
) -> None:
    due = Work[Email, EmailEvent](log, EMAILS, await stored(log), "mailer")
    await send_due_email(due, deps=dependencies(log.database, Refusing(reason)))
    assert await types(log) == ["EmailQueued", "SendStarted", "EmailQueued"]
    email = (await stored(log)).state
    assert (email.status, email.failures) == ("queued", 0)
    assert (await work(log, inactive(log.database))).attempts == [2]


async def test_an_attempt_fails_while_it_cannot_be_read_who_is_deactivated(log: EventLog) -> None:
    away = ServerSelectionTimeoutError("away")
    assert (await work(log, Changing(False, away))).attempts == []
    assert await types(log) == ["EmailQueued", "SendStarted", "SendAttemptFailed"]
    with pytest.raises(ServerSelectionTimeoutError):
        await work(log, Changing(away))


async def reassign(log: EventLog, agent_id: UUID) -> None:
    """Let mailer know that the email's client belongs to the agent."""
    event = ClientReassigned(
        agent_id=agent_id, client_id=CLIENT, former_agent_id=uuid4(), reassigned_at=NOON
    )
    known = view_raw(CLIENTS.apply(None, event, CLIENT))
    where = {"_id": CLIENT}
    await log.database[CLIENTS.collection].replace_one(where, known, upsert=True)


async def test_an_email_is_withdrawn_whose_client_belongs_to_another_agent_now(
    log: EventLog,
) -> None:
    await reassign(log, uuid4())
    # Also while its agent is deactivated: it would wait for ever.
    assert (await work(log, Changing(True))).attempts == []
    assert await types(log) == ["EmailQueued", "EmailWithdrawn"]
    assert (await stored(log)).state.status == "withheld"


async def test_an_email_is_sent_whose_client_came_back_to_its_agent(log: EventLog) -> None:
    await reassign(log, AGENT)
    assert (await work(log, Changing(False, False))).attempts == [1]


async def test_a_reassignment_between_start_and_call_withdraws_the_email(log: EventLog) -> None:
    class Reassigning(BatchLoader[InactiveAgentDocument]):
        """Reassigns the client once the worker has looked at the agent for the first time."""

        def __init__(self) -> None:
            pass

        async def get(self, id_: UUID) -> InactiveAgentDocument | None:
            await reassign(log, uuid4())
            return None

    assert (await work(log, Reassigning())).attempts == []
    assert await types(log) == ["EmailQueued", "SendStarted", "EmailWithdrawn"]


async def test_what_a_client_told_a_former_agent_withholds_the_email_of_a_later_one(
    log: EventLog,
) -> None:
    former, address = uuid4(), QUEUED.personal.to_email
    later = QUEUED.model_copy(update={"former_agents": (former,)})
    event = AddressSuppressed(
        agent_id=former,
        suppression_id=suppression_id(former, address),
        reason="unsubscribed",
        suppressed_at=NOON,
        personal=SuppressedAddress(email=address, canonical=canonical_address(address)),
    )
    now = to_milliseconds(datetime.now(UTC))
    about: dict[str, Any] = {
        "source": "mailer",
        "cause": uuid4(),
        "correlation": uuid4(),
        "at": now,
    }
    suppressed = SUPPRESSIONS.change(event.suppression_id, None, [event], **about)
    queued = EMAILS.change(EMAIL, await stored(log), [later], **about)
    assert await log.append([suppressed, queued]) == [None, None]
    emails = log.database[EMAILS.collection]
    found = (await log.load(SUPPRESSIONS, [event.suppression_id]))[event.suppression_id]
    confirming = Work[Suppression, SuppressionEvent](log, SUPPRESSIONS, found, "mailer")

    class Confirming(BatchLoader[SuppressionDocument]):
        """Tries to confirm the suppression before the worker reads it."""

        async def get(self, id_: UUID) -> SuppressionDocument | None:
            with pytest.raises(TryLater):
                await confirm_suppression(confirming, emails=emails)
            return await super().get(id_)

    sent = await work(
        log,
        Changing(False, False),
        Confirming(log.database, SUPPRESSIONS.collection, SuppressionDocument),
    )
    assert sent.attempts == []
    assert (await types(log))[-1] == "EmailWithheld"
    await confirm_suppression(confirming, emails=emails)


async def test_an_outcome_is_settled_also_for_a_deactivated_agent(log: EventLog) -> None:
    class Crashed(Exception):
        pass

    class Crashing(Accepting):
        async def send(self, letter: OutgoingLetter) -> str | None:
            raise Crashed

    deps = dependencies(log.database, Crashing(), inactive=Changing(False, False))
    await send_due_email(
        Work[Email, EmailEvent](log, EMAILS, await stored(log), "mailer"), deps=deps
    )
    assert (await stored(log)).state.status == "unknown"
    await work(log, Changing())
    assert (await types(log))[-1] == "EmailHeld"


async def sent_before(log: EventLog, days_ago: int, follows: tuple[UUID, ...] | None) -> UUID:
    """Let an email to the client have been sent then."""
    followup = uuid4()
    about: dict[str, Any] = ABOUT | {"followup_id": followup, "email_id": email_id(followup)}
    at = NOON - timedelta(days=days_ago)
    events: list[EmailEvent] = [
        QUEUED.model_copy(update=about),
        SendStarted(**about, attempt=1, started_at=at, give_up_at=at, follows=follows),
        EmailSent(**about, attempt=1, sent_at=at),
    ]
    await append(log, EMAILS, about["email_id"], *events)
    return email_id(followup)


async def test_a_letter_follows_the_last_one_to_its_client_and_says_how_to_opt_out(
    log: EventLog,
) -> None:
    oldest = uuid4()
    last = await sent_before(log, 1, (oldest,))
    await sent_before(log, 3, ())
    # Of a release that left the Message-ID to the provider.
    await sent_before(log, 0, None)
    [letter] = (await work(log, Changing(False, False))).letters
    assert letter.follows == (oldest, last)
    assert (await stored(log)).state.follows == (oldest, last)
    assert letter.ending
    page, _, token = letter.ending.opt_out_url.rpartition("/")
    assert page == "https://realtoros.example/u"
    claims = (AGENT, CLIENT, QUEUED.followup_id, EMAIL, QUEUED.personal.to_email)
    assert TOKENS.open(token) == claims


async def test_the_first_letter_to_a_client_follows_none(log: EventLog) -> None:
    [letter] = (await work(log, Changing(False, False))).letters
    assert letter.follows == ()


async def test_a_later_email_does_not_overtake_one_of_the_client_that_waits(
    log: EventLog,
) -> None:
    followup = uuid4()
    later = QUEUED.model_copy(
        update={
            "followup_id": followup,
            "email_id": email_id(followup),
            "fell_due_at": NOON + timedelta(days=2),
        }
    )
    await append(log, EMAILS, later.email_id, later)

    class Slow(Accepting):
        async def send(self, letter: OutgoingLetter) -> str | None:
            if letter.id == EMAIL:
                # A call that is under way may fail, and its letter wait again.
                with pytest.raises(TryLater, match="earlier"):
                    await work_on(later.email_id)
            return await super().send(letter)

    transport = Slow()
    deps = dependencies(log.database, transport)

    async def work_on(id_: UUID) -> None:
        [document] = (await log.load(EMAILS, [id_])).values()
        await send_due_email(Work(log, EMAILS, document, "mailer"), deps=deps)

    with pytest.raises(TryLater, match="earlier"):
        await work_on(later.email_id)
    assert transport.letters == []
    # The one that waits is of before there was an order; it goes first.
    await work_on(EMAIL)
    await work_on(later.email_id)
    assert [letter.id for letter in transport.letters] == [EMAIL, later.email_id]
