"""What an email that comes in does: a reply pauses the plan, a “stop” opts out."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID, uuid5

import structlog

from chassis.mongo.client import Database, Raw
from contracts.addresses import canonical_address
from contracts.links.replies import ReplyAddresses
from contracts.notices import SendNotice, own_letter
from contracts.scheduler import RecordReply
from services.gateway.commands.client import CommandClient
from services.gateway.commands.inbound.classification import classify
from services.gateway.commands.inbound.mail import Mail, Unreadable, read_mail
from services.gateway.commands.inbound.posted_mail import raw_mail, read_form
from services.gateway.commands.opt_outs import OptOuts, opt_out_of
from services.gateway.commands.sendgrid_signature import VerificationKey
from services.gateway.read_models.documents import AgentDocument, EmailLogDocument

_FORWARDED_FOR: Final = timedelta(days=3)
_FIELDS: Final = dict.fromkeys(("agent_id", "client_id", "to_email"), 1)

log = structlog.get_logger(__name__)


class _Answered(NamedTuple):
    """The email that a mail answers; its agent is the one whose client it is now."""

    email_id: UUID
    agent_id: UUID
    client_id: UUID
    address: str


class InboundMail:
    """Takes what SendGrid posts. Without `addresses`, answers are known by their headers."""

    def __init__(
        self,
        key: VerificationKey,
        commands: CommandClient,
        opt_outs: OptOuts,
        database: Database,
        addresses: ReplyAddresses | None,
    ) -> None:
        self._key = key
        self._commands = commands
        self._opt_outs = opt_outs
        self._emails = database[EmailLogDocument.Settings.name]
        self._agents = database[AgentDocument.Settings.name]
        self._addresses = addresses

    async def receive(self, headers: Mapping[str, str], body: AsyncIterator[bytes]) -> None:
        """Return when what the mail asks for is durable. What cannot be read or placed is logged.

        Raises InvalidWebhookSignature; TimeoutError, PyMongoError or Unavailable when it has to be
        posted again: repeats are harmless.
        """
        try:
            form = await read_form(self._key, headers, body)
            raw = raw_mail(form)
            mail = await asyncio.to_thread(read_mail, raw)
        except Unreadable as error:
            log.warning("inbound_mail_unreadable", reason=str(error))
            return
        answered = await self._answered(mail, _envelope_of(form))
        if answered is None:
            log.info("inbound_mail_unplaced")
            return
        own = await self._addresses_of(answered.agent_id)
        kind = classify(mail, own)
        about = {name: str(getattr(answered, name)) for name in ("agent_id", "client_id")}
        log.info("inbound_mail", kind=kind, email_id=str(answered.email_id), **about)
        id_ = uuid5(answered.email_id, sha256(raw).hexdigest())
        if kind == "opt_out":
            await self._opt_out(answered, id_)
        elif kind == "reply":
            await self._record(answered, id_)
            if own and not set(own) & set(mail.recipients):
                await self._forward(mail, answered, own[0], id_)

    async def _addresses_of(self, agent_id: UUID) -> list[str]:
        """Return the agent's own addresses, first the one that letters name for replies."""
        agent = await self._agents.find_one({"_id": agent_id}, {"personal": 1})
        profile = agent["personal"] if agent else {}
        both = (profile.get("reply_to"), profile.get("email"))
        return [canonical_address(address) for address in both if address]

    async def _answered(self, mail: Mail, envelope: tuple[str, ...]) -> _Answered | None:
        """Return the email by the address that is its own, else by what the headers refer to.

        Everybody may write headers: there the sender has to be who the email went to.
        """
        named = self._addresses.email_of if self._addresses else (lambda _: None)
        if email_id := next(filter(None, map(named, (*envelope, *mail.recipients))), None):
            return _answered(await self._emails.find_one({"_id": email_id}, _FIELDS))
        ids = [id_ for answer in mail.answers if (id_ := _id_of(answer))]
        if not ids:
            return None
        emails = {
            raw["_id"]: raw async for raw in self._emails.find({"_id": {"$in": ids}}, _FIELDS)
        }
        known = (one for id_ in ids if (one := _answered(emails.get(id_))))
        return next((one for one in known if canonical_address(one.address) == mail.sender), None)

    async def _opt_out(self, answered: _Answered, id_: UUID) -> None:
        command = opt_out_of(
            answered.agent_id, answered.client_id, answered.address, source="reply"
        )
        if not await self._opt_outs.suppress(command, id_):
            raise TimeoutError

    async def _record(self, answered: _Answered, id_: UUID) -> None:
        command = RecordReply(
            agent_id=answered.agent_id,
            client_id=answered.client_id,
            replied_at=datetime.now(UTC),
            source="email",
            email_id=answered.email_id,
        )
        await self._commands.send(command, id_)

    async def _forward(self, mail: Mail, answered: _Answered, to: str, id_: UUID) -> None:
        """Let mailer send the text to the agent, to whom the mail did not go as well."""
        letter = own_letter(to, "a client has replied", f"{mail.sender} wrote:\n\n{mail.text}")
        notice = SendNotice(
            agent_id=answered.agent_id,
            notice_id=uuid5(id_, "forward"),
            expires_at=datetime.now(UTC) + _FORWARDED_FOR,
            confidential=True,
            personal=letter.model_copy(update={"reply_to": mail.sender}),
        )
        await self._commands.send(notice, uuid5(id_, "forward"))


def _answered(email: Raw | None) -> _Answered | None:
    """Return None also for an email of a client that was deleted."""
    if email is None or "to_email" not in email:
        return None
    return _Answered(email["_id"], email["agent_id"], email["client_id"], email["to_email"])


def _id_of(message_id: str) -> UUID | None:
    try:
        return UUID(message_id.partition("@")[0])
    except ValueError:
        return None


def _envelope_of(form: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return to whom the mail was addressed in fact."""
    try:
        to = json.loads(form.get("envelope", b""))["to"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
    return tuple(str(one) for one in to) if isinstance(to, list) else ()
