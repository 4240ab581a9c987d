"""What was asked for becomes commands to the mailer: later, so that no answer's time tells of it.

Each request is mailed once: its commands have the same ids, whichever gateway sends them again.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID, uuid5

import structlog
from pymongo.errors import PyMongoError

from chassis.mongo.client import Database
from chassis.process.tasks import background
from contracts.composer import Letter
from contracts.notices import SendNotice
from services.gateway.accounts.documents import AccountDocument, of_login
from services.gateway.accounts.links import letters
from services.gateway.accounts.links.documents import LinkRequestDocument
from services.gateway.accounts.links.tokens import Link, LinkTokens, Purpose
from services.gateway.commands.client import CommandClient
from services.gateway.errors import Unavailable

LOOK_SECONDS = 2.0

log = structlog.get_logger(__name__)


def bound_to(email: str, password: str) -> str:
    """Return what a link is bound to: it is dead once address or password (a hash) are others."""
    return f"{email} {password}"


class LinkMailing:
    """Has requested links mailed."""

    def __init__(
        self, database: Database, commands: CommandClient, tokens: LinkTokens, public_url: str
    ) -> None:
        self._requests = database[LinkRequestDocument.Settings.name]
        self._accounts = database[AccountDocument.Settings.name]
        self._commands = commands
        self._tokens = tokens
        self._public_url = public_url
        self._asked = asyncio.Event()

    def wake(self) -> None:
        """Look for requests now: one was stored."""
        self._asked.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Mail what is asked for meanwhile, and what an ended process has left."""
        async with background(self._run()):
            yield

    async def _run(self) -> None:
        while True:
            try:
                async for raw in self._requests.find({"unsent": True}):
                    await self.mail(LinkRequestDocument.model_validate(raw))
            except (PyMongoError, Unavailable) as error:
                log.warning("links_not_mailed", error=type(error).__name__)
                await asyncio.sleep(LOOK_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), LOOK_SECONDS)
            self._asked.clear()

    async def mail(self, request: LinkRequestDocument) -> None:
        """Order the letter, if there is one to send; then settle the request.

        Raises Unavailable without Kafka.
        """
        found = await self._accounts.find_one(of_login(request.email))
        account = AccountDocument.model_validate(found) if found else None
        agent_id, letter = self._letter(request, account)
        if letter:
            command = SendNotice(
                agent_id=agent_id,
                notice_id=request.id,
                expires_at=request.expires_at,
                personal=letter,
            )
            await self._commands.send(command, uuid5(request.id, "notice"))
        if request.profile and account is None:
            await self._requests.update_one({"_id": request.id}, {"$unset": {"unsent": ""}})
        else:
            await self._requests.delete_one({"_id": request.id})

    def _letter(
        self, request: LinkRequestDocument, account: AccountDocument | None
    ) -> tuple[UUID, Letter | None]:
        """Return whom the letter concerns, and the letter."""
        if request.profile and request.password:
            if account:
                return account.id, letters.already_registered(account.email)
            url = self._url("confirm", request, request.id, request.email, request.password)
            return request.id, letters.confirm_address(request.email, url)
        if account and account.active:
            url = self._url("reset", request, account.id, account.email, account.password)
            return account.id, letters.reset_password(account.email, url)
        return request.id, None

    def _url(
        self, purpose: Purpose, request: LinkRequestDocument, id_: UUID, email: str, password: str
    ) -> str:
        link = Link.until(purpose, id_, request.expires_at)
        token = self._tokens.issue(link, bound_to(email, password))
        return letters.link_url(self._public_url, purpose, token)
