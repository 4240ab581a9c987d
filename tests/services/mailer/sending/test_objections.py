"""What changes between SendStarted and the call ends the attempt, and no provider is called."""

from collections.abc import Awaitable
from typing import Any

import pytest

from chassis.domain.errors import OnHold, TryLater
from chassis.eventlog.event_store import EventLog
from chassis.eventlog.work import Work
from chassis.projections.views import view_raw
from contracts.addresses import canonical_address
from contracts.crm import ClientCreated, ClientDetails, ClientUpdated
from contracts.mailer import (
    SENDING_ID,
    AddressSuppressed,
    EmailEvent,
    PauseSending,
    ResumeSending,
    SendingEvent,
    SuppressedAddress,
    suppression_id,
)
from contracts.scheduler import DueFollowupCancelled, PlanPaused, PlanResumed
from services.mailer.documents import EMAILS, SUPPRESSIONS, SWITCHES
from services.mailer.email import Email
from services.mailer.email_worker import send_due_email
from services.mailer.sending.objections import Decision
from services.mailer.sending.recipients import RECIPIENTS, RecipientSource
from services.mailer.sending.switch import Switch, pause, resume
from services.mailer.sending.switch_worker import confirm_stop
from tests.services.mailer.sample_emails import (
    AGENT,
    CLIENT,
    FOLLOWUP,
    GIVEN,
    NOON,
    QUEUED,
)
from tests.services.mailer.sample_letters import TOKENS
from tests.services.mailer.sending_parts import Accepting, append, dependencies

EMAIL = QUEUED.email_id
ABOUT: dict[str, Any] = {"agent_id": AGENT, "client_id": CLIENT}
PAUSED, RESUMED = PlanPaused(**ABOUT, paused_at=NOON), PlanResumed(**ABOUT, resumed_at=NOON)
CANCELLED = DueFollowupCancelled(
    **ABOUT, followup_id=FOLLOWUP, reason="client_lost", cancelled_at=NOON
)
NEW = "maria@new.example"
KIND: dict[str, Any] = {"stage": "lead", "property_type": "land", "created_at": NOON}
CREATED = ClientCreated(
    **ABOUT, **KIND, personal=ClientDetails(name="Maria Lopez", email=QUEUED.personal.to_email)
)
MOVED = ClientUpdated(
    **ABOUT, **KIND, updated_at=NOON, personal=ClientDetails(name="Maria Reed", email=NEW)
)


@pytest.fixture
async def log(log: EventLog) -> EventLog:
    """A log that holds a queued email."""
    await append(log, EMAILS, EMAIL, QUEUED)
    return log


async def work(log: EventLog, between: Awaitable[None] | None = None) -> Accepting:
    """Let a worker do what is due; await `between` after SendStarted, before it looks."""
    sent = Accepting()
    deps = dependencies(log.database, sent)
    look = deps.objections.to

    async def later(started: Email) -> Decision | None:
        if between:
            assert (await email(log)).status == "sending"
            await between
        return await look(started)

    object.__setattr__(deps.objections, "to", later)
    stored = (await log.load(EMAILS, [EMAIL]))[EMAIL]
    await send_due_email(Work[Email, EmailEvent](log, EMAILS, stored, "mailer"), deps=deps)
    return sent


async def email(log: EventLog) -> Email:
    return (await log.load(EMAILS, [EMAIL]))[EMAIL].state


async def types(log: EventLog) -> list[str]:
    """Return the types of the email's events."""
    commits = log.commits.find({"stream": f"email-{EMAIL}"}).sort("first")
    return [e["type"].split(".")[1] for raw in await commits.to_list() for e in raw["events"]]


async def tell(log: EventLog, *events: RecipientSource) -> None:
    """Let mailer know of the events."""
    collection = log.database[RECIPIENTS.collection]
    raw = await collection.find_one({"_id": CLIENT})
    known = RECIPIENTS.document.model_validate(raw) if raw else None
    for event in events:
        known = RECIPIENTS.apply(known, event, CLIENT)
    assert known
    await collection.replace_one({"_id": CLIENT}, view_raw(known), upsert=True)


async def turn(log: EventLog, decide: Any, command: Any) -> None:
    """Carry out a command on the switch."""
    stored = (await log.load(SWITCHES, [SENDING_ID])).get(SENDING_ID)
    events = decide(stored.state if stored else None, command, GIVEN)
    await append(log, SWITCHES, SENDING_ID, *events, stored=stored)


PAUSE, RESUME = PauseSending(agent_id=AGENT), ResumeSending(agent_id=AGENT)


@pytest.mark.parametrize(("event", "reason"), [(PAUSED, "plan_paused"), (CANCELLED, "client_lost")])
@pytest.mark.parametrize("before", [True, False])
async def test_a_pause_or_the_end_of_the_plan_withdraws_the_email(
    log: EventLog, event: RecipientSource, reason: str, *, before: bool
) -> None:
    if before:
        await tell(log, event)
    sent = await work(log, None if before else tell(log, event))
    assert sent.attempts == []
    assert await types(log) == ["EmailQueued", "SendStarted", "EmailWithdrawn"]
    raw = await log.commits.find_one({"stream": f"email-{EMAIL}", "first": 3})
    assert raw is not None
    assert reason in raw["events"][0]["data"]


async def test_a_plan_that_goes_on_before_the_call_is_no_objection(log: EventLog) -> None:
    await tell(log, PAUSED, RESUMED)
    assert (await work(log)).attempts == [1]


async def test_an_email_goes_to_the_address_that_the_client_has_now(log: EventLog) -> None:
    assert (await work(log, tell(log, CREATED, MOVED))).attempts == []
    [letter] = (await work(log)).letters
    assert (letter.letter.to_email, letter.letter.to_name) == (NEW, "Maria Reed")
    assert await types(log) == [
        *("EmailQueued", "SendStarted"),
        *("EmailQueued", "SendStarted", "EmailSent"),
    ]
    assert letter.ending
    assert TOKENS.open(letter.ending.opt_out_url.rpartition("/")[2]).address == NEW


@pytest.mark.parametrize("address", [QUEUED.personal.to_email, NEW])
async def test_it_is_the_new_address_whose_suppression_counts(log: EventLog, address: str) -> None:
    suppressed = AddressSuppressed(
        agent_id=AGENT,
        suppression_id=suppression_id(AGENT, address),
        reason="bounced",
        suppressed_at=NOON,
        personal=SuppressedAddress(email=address, canonical=canonical_address(address)),
    )
    await append(log, SUPPRESSIONS, suppressed.suppression_id, suppressed)
    await tell(log, CREATED, MOVED)
    assert (await work(log)).attempts == []
    sent = await work(log)
    assert (await email(log)).status == ("withheld" if address == NEW else "sent")
    assert len(sent.letters) == (0 if address == NEW else 1)


async def test_while_all_sending_is_paused_emails_wait_without_an_attempt(log: EventLog) -> None:
    await turn(log, pause, PAUSE)
    with pytest.raises(OnHold) as held:
        await work(log)
    assert held.value.holder == SENDING_ID
    assert await types(log) == ["EmailQueued"]
    deps = dependencies(log.database, Accepting())
    assert await deps.holds(SENDING_ID)
    await turn(log, resume, RESUME)
    assert not await deps.holds(SENDING_ID)
    assert (await work(log)).attempts == [1]


async def test_a_stop_waits_for_what_has_started_and_that_looks_before_it_calls(
    log: EventLog,
) -> None:
    async def pause_and_confirm() -> None:
        await turn(log, pause, PAUSE)
        with pytest.raises(TryLater, match="in flight"):
            await confirm(log)

    assert (await work(log, pause_and_confirm())).attempts == []
    assert await types(log) == ["EmailQueued", "SendStarted", "EmailQueued"]
    assert (await email(log)).failures == 0
    await confirm(log)
    assert (await log.load(SWITCHES, [SENDING_ID]))[SENDING_ID].state.status == "paused"


async def test_sending_may_be_resumed_before_all_has_stopped(log: EventLog) -> None:
    async def pause_and_resume() -> None:
        await turn(log, pause, PAUSE)
        await turn(log, resume, RESUME)

    assert (await work(log, pause_and_resume())).attempts == [1]


async def confirm(log: EventLog) -> None:
    stored = (await log.load(SWITCHES, [SENDING_ID]))[SENDING_ID]
    work = Work[Switch, SendingEvent](log, SWITCHES, stored, "mailer")
    await confirm_stop(work, emails=log.database[EMAILS.collection])
