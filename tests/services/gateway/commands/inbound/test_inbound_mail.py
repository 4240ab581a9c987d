"""Of which letter a mail is the answer, and what becomes of it."""

from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.mongo.client import Database, Raw, connect
from contracts.crm import AgentProfile
from contracts.links.replies import ReplyAddresses
from contracts.mailer import suppression_id
from contracts.message import Command
from contracts.notices import SendNotice
from contracts.scheduler import RecordReply
from services.gateway.commands.client import CommandClient
from services.gateway.commands.inbound.inbound_mail import InboundMail
from services.gateway.commands.sendgrid_signature import VerificationKey
from tests.providers.webhook import Webhook
from tests.servers import Server
from tests.services.gateway.commands.suppressed import Suppressed

AGENT, CLIENT, EMAIL = uuid4(), uuid4(), uuid4()
SENDGRID = Webhook()
ADDRESSES = ReplyAddresses({"a": "a" * 32}, "replies.reed.example")
TOKEN = ADDRESSES.of(EMAIL)
MARIA, DANA = "maria@mail.example", "dana@reed.example"
MESSAGE_ID = f"<{EMAIL}@reed.example>"


class Sent(CommandClient):
    """Commands by their ids."""

    def __init__(self) -> None:
        self.commands: dict[UUID, Command] = {}

    async def send(self, command: Command, command_id: UUID) -> None:
        self.commands.setdefault(command_id, command)


class Gateway:
    """What takes mails, over views with an agent and the agent's letter to Maria."""

    def __init__(self, database: Database) -> None:
        self.database, self.sent, self.opt_outs = database, Sent(), Suppressed()

    async def receive(
        self, mail: EmailMessage, addresses: ReplyAddresses | None = ADDRESSES, **fields: bytes
    ) -> list[Command]:
        body, headers = SENDGRID.form(email=mail.as_bytes(), **fields)
        key = VerificationKey(SENDGRID.public_key)
        inbound = InboundMail(key, self.sent, self.opt_outs, self.database, addresses)
        await inbound.receive({**headers, "content-type": headers["Content-Type"]}, _whole(body))
        return list(self.sent.commands.values())


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body


@pytest.fixture
async def gateway(mongodb_server: Server) -> AsyncIterator[Gateway]:
    async with connect(mongodb_server.address) as client:
        database = client[f"inbound_{uuid4().hex[:8]}"]
        profile = AgentProfile(name="Dana Reed", email=DANA)
        await database["agents"].insert_one({"_id": AGENT, "personal": profile.model_dump()})
        await database["email_logs"].insert_one(_email())
        yield Gateway(database)
        await client.drop_database(database.name)


def _email(**changes: Any) -> Raw:
    return {"_id": EMAIL, "agent_id": AGENT, "client_id": CLIENT, "to_email": MARIA} | changes


def written(text: str = "Call me tomorrow.", **headers: str) -> EmailMessage:
    mail = EmailMessage()
    about = {"From": MARIA, "To": f"{DANA}, {TOKEN}", "Subject": "Re: Hello"}
    for name, value in (about | {k.replace("_", "-"): v for k, v in headers.items()}).items():
        mail[name] = value
    mail.set_content(text)
    return mail


async def test_a_reply_is_recorded_and_a_repeated_post_is_the_same(gateway: Gateway) -> None:
    [once] = await gateway.receive(mail := written())
    assert await gateway.receive(mail) == [once]
    assert isinstance(once, RecordReply)
    assert (once.agent_id, once.client_id, once.email_id) == (AGENT, CLIENT, EMAIL)
    assert once.source == "email"
    assert gateway.opt_outs.commands == []


async def test_what_went_to_the_reply_address_alone_is_forwarded_and_not_kept(
    gateway: Gateway,
) -> None:
    reply, notice = await gateway.receive(written(To=TOKEN))
    assert isinstance(reply, RecordReply)
    assert isinstance(notice, SendNotice)
    assert notice.confidential
    assert (notice.personal.to_email, notice.personal.reply_to) == (DANA, MARIA)
    assert "Call me tomorrow." in notice.personal.body


async def test_the_agent_s_address_for_replies_is_the_agent_s_own(gateway: Gateway) -> None:
    team = "team@bücher.example"
    profile = AgentProfile(name="Dana Reed", email=DANA, reply_to=team)
    await gateway.database["agents"].replace_one({"_id": AGENT}, {"personal": profile.model_dump()})
    copy = written(From="team@xn--bcher-kva.example", Subject="Re: our call")
    assert await gateway.receive(copy) == []
    [reply] = await gateway.receive(written(To=f"team@xn--bcher-kva.example, {TOKEN}"))
    assert isinstance(reply, RecordReply)
    [_, _, notice] = await gateway.receive(written("And on Friday?", To=TOKEN))
    assert isinstance(notice, SendNotice)
    assert notice.personal.to_email == "team@xn--bcher-kva.example"


async def test_to_whom_it_was_addressed_in_fact_counts(gateway: Gateway) -> None:
    hidden = written(To="undisclosed@mail.example")
    envelope = f'{{"to":["{TOKEN.upper()}"],"from":"{MARIA}"}}'.encode()
    [reply, *_] = await gateway.receive(hidden, envelope=envelope)
    assert isinstance(reply, RecordReply)


@pytest.mark.parametrize("header", ["In_Reply_To", "References"])
async def test_without_an_address_of_its_own_the_headers_say_what_is_answered(
    gateway: Gateway, header: str
) -> None:
    mail = written(To=DANA, **{header: f"<x@mail.example> {MESSAGE_ID}"})
    [reply] = await gateway.receive(mail, addresses=None)
    assert isinstance(reply, RecordReply)
    assert reply.email_id == EMAIL


async def test_headers_of_anybody_but_the_client_say_nothing(gateway: Gateway) -> None:
    forged = written("stop", From="mallory@mail.example", To=DANA, In_Reply_To=MESSAGE_ID)
    assert await gateway.receive(forged) == []
    assert gateway.opt_outs.commands == []


async def test_stop_alone_opts_out_the_address_that_was_written_to(gateway: Gateway) -> None:
    # People have several addresses; this one has the letter.
    assert await gateway.receive(written("STOP", From="m.lopez@work.example")) == []
    [opt_out] = gateway.opt_outs.commands
    assert opt_out.suppression_id == suppression_id(AGENT, MARIA)
    assert (opt_out.source, opt_out.reported_client) == ("reply", CLIENT)


async def test_an_opt_out_that_is_not_confirmed_is_asked_for_again(gateway: Gateway) -> None:
    gateway.opt_outs.confirmed = False
    with pytest.raises(TimeoutError):
        await gateway.receive(written("unsubscribe"))


@pytest.mark.parametrize(
    "mail",
    [
        written(Auto_Submitted="auto-replied"),
        written(From=DANA),
        written(From="MAILER-DAEMON@mail.example", Subject="Undeliverable: Hello"),
        written(To=ADDRESSES.of(uuid4())),
        written(To="r-aaaa@replies.reed.example"),
        written(To="somebody@replies.reed.example", In_Reply_To="<nothing@mail.example>"),
    ],
    ids=["automatic", "own copy", "report", "unknown letter", "no address of ours", "no answer"],
)
async def test_the_rest_does_nothing(gateway: Gateway, mail: EmailMessage) -> None:
    assert await gateway.receive(mail) == []
    assert gateway.opt_outs.commands == []


async def test_the_mail_of_a_client_who_was_deleted_does_nothing(gateway: Gateway) -> None:
    erased = _email(erased=True)
    del erased["to_email"]
    await gateway.database["email_logs"].replace_one({"_id": EMAIL}, erased)
    assert await gateway.receive(written()) == []


async def test_the_agent_whose_client_it_is_now_is_told(gateway: Gateway) -> None:
    other = uuid4()
    profile = AgentProfile(name="Ben", email="ben@reed.example")
    await gateway.database["agents"].insert_one({"_id": other, "personal": profile.model_dump()})
    await gateway.database["email_logs"].replace_one(
        {"_id": EMAIL}, _email(agent_id=other, sender_id=AGENT)
    )
    reply, notice = await gateway.receive(written())
    assert (reply.agent_id, notice.agent_id) == (other, other)
    assert isinstance(notice, SendNotice)
    assert notice.personal.to_email == "ben@reed.example"
