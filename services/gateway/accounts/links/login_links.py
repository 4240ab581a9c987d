"""One-time links to log a browser in, made by who can reach the database.

A link stands for the password, never for the second factor.
"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog

from chassis.mongo.client import Database, Raw
from services.gateway.accounts.documents import AccountDocument
from services.gateway.accounts.links.documents import LoginLinkDocument
from services.gateway.accounts.links.tokens import dead_link
from services.gateway.accounts.login_limits import LoginLimits
from services.gateway.accounts.second_factor import SecondFactors
from services.gateway.accounts.tokens import OpaqueToken

ONCE = "once"
LOGIN_LINK_LIFE = timedelta(minutes=10)

log = structlog.get_logger(__name__)


def login_link(account: AccountDocument) -> tuple[OpaqueToken, LoginLinkDocument]:
    """Return the token of a new link, and what to store of it."""
    token = OpaqueToken.new(ONCE, uuid4())
    document = LoginLinkDocument(
        id=token.id,
        agent_id=account.id,
        version=account.sessions_version,
        secret=token.digest,
        expires_at=datetime.now(UTC) + LOGIN_LINK_LIFE,
    )
    return token, document


def login_url(public_url: str, token: OpaqueToken) -> str:
    """Return the link; what is behind the `#` a browser keeps to itself, so no log has it."""
    return f"{public_url.rstrip('/')}/login/#{ONCE}={token}"


class LoginLinks:
    """Logs in by links. `network` is that of the caller's address."""

    def __init__(
        self, database: Database, second_factors: SecondFactors, limits: LoginLimits
    ) -> None:
        self._links = database[LoginLinkDocument.Settings.name]
        self._accounts = database[AccountDocument.Settings.name]
        self._second_factors = second_factors
        self._limits = limits

    async def log_in(self, token: str, code: str | None, network: str) -> AccountDocument:
        """Return the link's account, of which a session may begin; the link is dead then.

        It stays until its account's second factor, if there is one, has its `code`. Raises
        InvalidField, SecondFactorRequired, TooManyRequests.
        """
        await self._limits.count_network(network)
        presented = OpaqueToken.parse(token, ONCE)
        if presented is None:
            raise dead_link()
        alive = {
            "_id": presented.id,
            "secret": presented.digest,
            "expires_at": {"$gt": datetime.now(UTC)},
        }
        account = await self._account(await self._links.find_one(alive))
        await self._second_factors.require(account, code)
        if await self._links.find_one_and_delete(alive) is None:
            raise dead_link()
        log.info("logged_in_by_link", agent_id=str(account.id))
        return account

    async def _account(self, found: Raw | None) -> AccountDocument:
        """Return the link's account. Raises InvalidField unless it is as when the link was made."""
        if found:
            link = LoginLinkDocument.model_validate(found)
            row = await self._accounts.find_one({"_id": link.agent_id, "active": True})
            if row is not None:
                account: AccountDocument = AccountDocument.model_validate(row)
                if account.sessions_version == link.version:
                    return account
        raise dead_link()
