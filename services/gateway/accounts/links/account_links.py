"""Registering, and setting a forgotten password, by a link that is mailed.

Neither the answer nor its time depends on whether there is an account: a request is stored, the
same for every address, and looked at later.
"""

import contextlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog
from pymongo.errors import DuplicateKeyError

from chassis.mongo.client import Database
from chassis.projections.views import view_raw
from contracts.addresses import canonical_address
from contracts.crm import AgentProfile
from services.gateway.accounts.accounts import Accounts
from services.gateway.accounts.documents import AccountDocument, of_login
from services.gateway.accounts.links.documents import LinkRequestDocument
from services.gateway.accounts.links.mailing import LinkMailing, bound_to
from services.gateway.accounts.links.tokens import Link, LinkTokens, dead_link
from services.gateway.accounts.login_limits import LoginLimits
from services.gateway.accounts.rate_limits import AttemptLimiter
from services.gateway.commands.client import CommandClient
from services.gateway.errors import Conflict, InvalidCredentials
from services.gateway.settings import GatewaySettings

LINK_LIFE = timedelta(hours=1)
# So that nobody fills another's mailbox.
LINKS_PER_ADDRESS = 5

log = structlog.get_logger(__name__)


class AccountLinks:
    """Asks for links, and does what they are for. `network` is that of the caller's address."""

    def __init__(
        self,
        settings: GatewaySettings,
        database: Database,
        commands: CommandClient,
        accounts: Accounts,
        limits: LoginLimits,
    ) -> None:
        self._requests = database[LinkRequestDocument.Settings.name]
        self._documents = database[AccountDocument.Settings.name]
        self._accounts = accounts
        self._passwords = accounts.passwords
        self._limits = limits
        self._mailed = AttemptLimiter(database, LINK_LIFE)
        self._per_network = settings.links_per_network
        self._tokens = LinkTokens(settings.signing_keys.values())
        self.mailing = LinkMailing(database, commands, self._tokens, settings.public_url)
        self.running = self.mailing.running

    async def register(self, password: str, profile: AgentProfile, network: str) -> None:
        """Ask for an account: a link to confirm its address is mailed. Raises TooManyRequests."""
        await self._count(profile.email, network)
        hashed = await self._passwords.hash(password, network)
        await self._store(profile.email, profile=profile, password=hashed)

    async def forgot(self, email: str, network: str) -> None:
        """Ask for a link to set a new password. Raises TooManyRequests."""
        await self._count(email, network)
        await self._store(email)

    async def confirm(self, token: str, password: str, network: str) -> None:
        """Make the account that was asked for; `password` shows that its reader has asked.

        A repeat makes no other. Raises InvalidField, InvalidCredentials, TooManyRequests.
        """
        await self._limits.count_network(network)
        link = Link.parse(token, "confirm")
        found = await self._requests.find_one({"_id": link.id}) if link else None
        if link is None or found is None:
            raise dead_link()
        request = LinkRequestDocument.model_validate(found)
        if not (request.profile and request.password):
            raise dead_link()
        if not self._tokens.opens(token, link, bound_to(request.email, request.password)):
            raise dead_link()
        if not await self._passwords.verify(password, request.password, network):
            raise InvalidCredentials
        await self._add_account(request, request.password)
        await self._requests.delete_one({"_id": request.id})

    async def reset(self, token: str, new: str, network: str, *, revoke_keys: bool) -> None:
        """Set the password by a link, which is dead then; all sessions end.

        Raises InvalidField, TooManyRequests.
        """
        await self._limits.count_network(network)
        link = Link.parse(token, "reset")
        where = {"_id": link.id if link else None, "active": True}
        found = await self._documents.find_one(where) if link else None
        if link is None or found is None:
            raise dead_link()
        account = AccountDocument.model_validate(found)
        if not self._tokens.opens(token, link, bound_to(account.email, account.password)):
            raise dead_link()
        try:
            await self._accounts.change_password(account, new, kept=None, revoke_keys=revoke_keys)
        except Conflict:
            raise dead_link() from None

    async def _add_account(self, request: LinkRequestDocument, password: str) -> None:
        """Add the account, unless an earlier use that did not come to its end has done so."""
        found = await self._documents.find_one(of_login(request.email), {"_id": 1})
        if found is None:
            account = AccountDocument(
                id=request.id,
                email=canonical_address(request.email),
                canonical=True,
                password=password,
                unregistered=request.profile,
                created_at=datetime.now(UTC),
            )
            with contextlib.suppress(DuplicateKeyError):
                await self._documents.insert_one(view_raw(account))
                log.info("account_confirmed", agent_id=str(account.id))
            found = await self._documents.find_one({"_id": request.id}, {"_id": 1})
        if found is None or found["_id"] != request.id:
            # Meanwhile the address has another account.
            raise dead_link()

    async def _count(self, email: str, network: str) -> None:
        await self._mailed.count("links", network, self._per_network)
        await self._mailed.count("link", canonical_address(email), LINKS_PER_ADDRESS)

    async def _store(
        self, email: str, profile: AgentProfile | None = None, password: str | None = None
    ) -> None:
        request = LinkRequestDocument(
            id=uuid4(),
            email=email,
            profile=profile,
            password=password,
            expires_at=datetime.now(UTC) + LINK_LIFE,
        )
        await self._requests.insert_one(view_raw(request))
        self.mailing.wake()
