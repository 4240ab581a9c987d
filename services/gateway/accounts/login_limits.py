"""Limits on guessing passwords and codes, over all gateways.

Log-ins to an account are counted for each network by itself, so that an attacker locks out only the
own network. What comes from many networks at once is limited in all; but not for networks that
have logged in to the account before.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chassis.mongo.client import Database
from services.gateway.accounts.documents import KnownNetworkDocument
from services.gateway.accounts.rate_limits import AttemptLimiter
from services.gateway.settings import GatewaySettings

WINDOW, CODE_WINDOW = timedelta(minutes=5), timedelta(hours=1)
# Of a million codes three are right at any time: at this rate guessing one takes years.
CODES_PER_WINDOW = 10
KNOWN_FOR = timedelta(days=90)


class LoginLimits:
    """Counts attempts. `network` is that of the caller's address."""

    def __init__(self, settings: GatewaySettings, database: Database) -> None:
        self._attempts = AttemptLimiter(database, WINDOW)
        self._codes = AttemptLimiter(database, CODE_WINDOW)
        self._known = database[KnownNetworkDocument.Settings.name]
        self._per_network = settings.logins_per_address
        self._per_account = settings.logins_per_account
        self._from_new_networks = settings.logins_from_new_networks

    async def count_network(self, network: str) -> None:
        """Count any attempt from the network. Raises TooManyRequests."""
        await self._attempts.count("address", network, self._per_network)

    async def count_refresh(self, network: str) -> None:
        """Count an exchange of a refresh token. Raises TooManyRequests."""
        await self._attempts.count("refresh", network, 5 * self._per_network)

    async def count_login(self, email: str, network: str) -> None:
        """Count a log-in to the account, whether there is one or not. Raises TooManyRequests."""
        await self.count_network(network)
        await self._attempts.count("login", f"{email} {network}", self._per_account)
        if not await self._is_known(email, network):
            await self._attempts.count("account", email, self._from_new_networks)

    async def logged_in(self, email: str, network: str) -> None:
        """Forget the network's failed log-ins to the account, and remember the network."""
        await self._attempts.reset("login", f"{email} {network}")
        if not await self._is_known(email, network):
            await self._attempts.take_back("account", email)
        await self._known.update_one(
            {"_id": _id(email, network)},
            {"$set": {"expires_at": datetime.now(UTC) + KNOWN_FOR}},
            upsert=True,
        )

    async def count_password(self, agent_id: UUID) -> None:
        """Count a password that is asked for again in a session. Raises TooManyRequests."""
        await self._attempts.count("password", str(agent_id), self._per_account)

    async def password_was_right(self, agent_id: UUID) -> None:
        """Forget the wrong ones of before."""
        await self._attempts.reset("password", str(agent_id))

    async def count_code(self, agent_id: UUID) -> None:
        """Count a code of the second factor, from wherever it came. Raises TooManyRequests."""
        await self._codes.count("code", str(agent_id), CODES_PER_WINDOW)

    async def code_was_right(self, agent_id: UUID) -> None:
        """Forget the wrong ones of before."""
        await self._codes.reset("code", str(agent_id))

    async def _is_known(self, email: str, network: str) -> bool:
        where = {"_id": _id(email, network), "expires_at": {"$gt": datetime.now(UTC)}}
        return await self._known.find_one(where, {"_id": 1}) is not None


def _id(email: str, network: str) -> str:
    # Hashed, since both are personal.
    return hashlib.sha256(f"{email} {network}".encode()).hexdigest()
