"""An opt-out holds for every spelling of its address, also one that 0.1.0 has stored."""

from datetime import timedelta
from typing import Any
from unicodedata import normalize
from uuid import UUID, uuid4, uuid5

import pytest

from chassis.domain.errors import TryLater
from chassis.eventlog.event_store import EventLog
from chassis.eventlog.work import Work
from chassis.mongo.batch_loader import BatchLoader
from contracts.mailer import (
    AddressSuppressed,
    DeliveryKind,
    EmailQueued,
    RecordedAddress,
    SuppressedAddress,
    SuppressionConfirmed,
    SuppressionEvent,
    SuppressionReleased,
    suppression_id,
)
from services.mailer import email as emails
from services.mailer.documents import (
    EMAILS,
    SUPPRESSIONS,
    SuppressionDocument,
)
from services.mailer.email_worker import send_due_email
from services.mailer.suppression import Suppression, suppress
from services.mailer.suppression_worker import confirm_suppression
from tests.services.mailer.sample_emails import AGENT, GIVEN, LETTER, NOON, QUEUED, STARTED, report
from tests.services.mailer.sending_parts import Accepting, append, dependencies

MINUTE = timedelta(minutes=1)
U, A = "jo@bücher.example", "jo@xn--bcher-kva.example"
JOSE = "josé@mail.example"
ONE = [
    (U, A),
    (A, U),
    (U, normalize("NFD", " JO@BÜCHER.example ")),
    (JOSE, normalize("NFD", JOSE)),
    (normalize("NFD", JOSE), JOSE.upper()),
    (JOSE, f" {JOSE}\r\n"),
    ("straße@mail.example", "Straße@Mail.example"),
]


async def opt_out(
    log: EventLog, address: str, agent: UUID = AGENT, kind: DeliveryKind = "unsubscribed"
) -> UUID:
    """Let the provider report an opt-out; return the suppression's id."""
    asked = report(kind, agent_id=agent, personal=RecordedAddress(email=address))
    id_ = suppression_id(agent, address)
    await append(log, SUPPRESSIONS, id_, *suppress(None, asked, GIVEN))
    return id_


async def opt_out_in_0_1_0(log: EventLog, address: str) -> UUID:
    """Store an opt-out as 0.1.0 did; return the suppression's id."""
    key = address.strip().casefold()
    id_ = uuid5(AGENT, key)
    suppressed = AddressSuppressed(
        agent_id=AGENT,
        suppression_id=id_,
        reason="unsubscribed",
        suppressed_at=NOON,
        personal=SuppressedAddress(email=key),
    )
    await append(log, SUPPRESSIONS, id_, suppressed)
    assert not await log.database["suppressions"].find_one({"state.canonical": {"$exists": True}})
    return id_


def queued(address: str) -> EmailQueued:
    letter = LETTER.model_copy(update={"to_email": address})
    return QUEUED.model_copy(update={"personal": letter})


async def is_sent(log: EventLog, address: str, *, across_agents: bool = False) -> bool:
    """Let the worker send an email to the address; return whether it called the provider."""
    sent = Accepting()
    deps = dependencies(log.database, sent, across_agents=across_agents)
    await append(log, EMAILS, QUEUED.email_id, queued(address))
    stored = (await log.load(EMAILS, [QUEUED.email_id]))[QUEUED.email_id]
    await send_due_email(Work(log, EMAILS, stored, "mailer"), deps=deps)
    state = (await log.load(EMAILS, [QUEUED.email_id]))[QUEUED.email_id].state
    assert state.status == ("sent" if sent.letters else "withheld")
    return bool(sent.letters)


@pytest.mark.parametrize(("suppressed", "address"), ONE)
async def test_an_opt_out_for_one_spelling_withholds_mail_to_the_other(
    log: EventLog, suppressed: str, address: str
) -> None:
    await opt_out(log, suppressed)
    assert not await is_sent(log, address)


@pytest.mark.parametrize(("suppressed", "address"), ONE)
async def test_an_opt_out_that_0_1_0_has_stored_withholds_mail_to_every_spelling(
    log: EventLog, suppressed: str, address: str
) -> None:
    await opt_out_in_0_1_0(log, suppressed)
    assert not await is_sent(log, address)


@pytest.mark.parametrize("address", ["straße@mail.example", "strasse@mail.example"])
@pytest.mark.parametrize("suppressed", ["straße@mail.example", "strasse@mail.example"])
async def test_sharp_s_and_double_s_are_two_unless_0_1_0_has_not_told_them_apart(
    log: EventLog, suppressed: str, address: str
) -> None:
    await opt_out(log, suppressed)
    assert await is_sent(log, address) is (suppressed != address)


@pytest.mark.parametrize("address", ["straße@mail.example", "strasse@mail.example"])
@pytest.mark.parametrize("suppressed", ["straße@mail.example", "strasse@mail.example"])
async def test_an_opt_out_of_0_1_0_protects_both(
    log: EventLog, suppressed: str, address: str
) -> None:
    await opt_out_in_0_1_0(log, suppressed)
    assert not await is_sent(log, address)


async def test_all_ids_are_read_in_one_query(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, queries = BatchLoader._read, []

    async def counted(self: BatchLoader[Any], pending: dict[UUID, Any]) -> None:
        if self._document is SuppressionDocument:
            queries.append(len(pending))
        await read(self, pending)

    monkeypatch.setattr(BatchLoader, "_read", counted)
    assert await is_sent(log, "éva@bücher.example")
    [ids] = queries
    assert ids > 2


async def confirm(log: EventLog, id_: UUID, *, across_agents: bool = False) -> None:
    stored = (await log.load(SUPPRESSIONS, [id_]))[id_]
    work = Work[Suppression, SuppressionEvent](log, SUPPRESSIONS, stored, "mailer")
    emails = log.database[EMAILS.collection]
    await confirm_suppression(work, emails=emails, across_agents=across_agents)


@pytest.mark.parametrize(("suppressed", "address"), ONE)
@pytest.mark.parametrize("queued_by", ["0.1.0", "this release"])
async def test_an_opt_out_waits_for_an_email_under_way_to_another_spelling(
    log: EventLog,
    suppressed: str,
    address: str,
    queued_by: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if queued_by == "0.1.0":

        def older(agent_id: UUID, to: str) -> UUID:
            return uuid5(agent_id, to.strip().casefold())

        monkeypatch.setattr(emails, "suppression_id", older)
    await append(log, EMAILS, QUEUED.email_id, queued(address), STARTED)
    id_ = await opt_out(log, suppressed)
    with pytest.raises(TryLater, match="in flight"):
        await confirm(log, id_)
    settled = {"$set": {"state.status": "sent"}}
    await log.database[EMAILS.collection].update_one({"_id": QUEUED.email_id}, settled)
    await confirm(log, id_)
    commits = await log.commits.find({"stream": f"suppression-{id_}"}).sort("first").to_list()
    types = [event["type"] for commit in commits for event in commit["events"]]
    assert types == [AddressSuppressed.wire_name, SuppressionConfirmed.wire_name]


async def test_the_wait_uses_the_index(log: EventLog) -> None:
    find = {"state.suppression_id": {"$in": [uuid4(), uuid4()]}, "state.status": "sending"}
    plan = await log.database[EMAILS.collection].find(find, {"_id": 1}).explain()
    assert "sending" in str(plan["queryPlanner"]["winningPlan"])


def test_an_email_s_id_of_its_suppression_is_the_canonical_one() -> None:
    ids = {emails.evolve(None, queued(address)).suppression_id for address in (U, A, U.upper())}
    assert ids == {suppression_id(AGENT, A)}


@pytest.mark.parametrize("across_agents", [True, False])
@pytest.mark.parametrize("kind", ["unsubscribed", "spam_report"])
async def test_an_opt_out_told_to_another_agent_counts_where_it_is_to_count_for_all(
    log: EventLog, kind: DeliveryKind, across_agents: bool
) -> None:
    await opt_out(log, U, uuid4(), kind)
    assert await is_sent(log, A, across_agents=across_agents) is not across_agents


@pytest.mark.parametrize("address", [A, JOSE])
async def test_another_agent_s_bounce_does_not_count_and_a_lifted_opt_out_neither(
    log: EventLog, address: str
) -> None:
    other = uuid4()
    await opt_out(log, A, other, "bounced")
    id_ = await opt_out(log, JOSE, other)
    lifted = SuppressionReleased(agent_id=other, suppression_id=id_, released_at=NOON)
    stored = (await log.load(SUPPRESSIONS, [id_]))[id_]
    await append(log, SUPPRESSIONS, id_, lifted, stored=stored)
    assert await is_sent(log, address, across_agents=True)


async def test_an_opt_out_for_all_waits_for_every_agent_s_email_under_way(log: EventLog) -> None:
    await append(log, EMAILS, QUEUED.email_id, queued(U), STARTED)
    id_ = await opt_out(log, A, uuid4())
    with pytest.raises(TryLater, match="in flight"):
        await confirm(log, id_, across_agents=True)
    await confirm(log, id_)
