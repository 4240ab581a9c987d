"""Accounts: registering, logging in, and changes of password, address, role."""

from datetime import UTC, datetime
from uuid import UUID, uuid4, uuid5

import structlog
from pymongo.errors import DuplicateKeyError

from chassis.mongo.client import Database, Raw
from chassis.projections.views import view_raw
from contracts.addresses import canonical_address
from contracts.crm import AgentProfile, RegisterAgent
from services.gateway.accounts.caller import Caller, Role
from services.gateway.accounts.documents import AccountDocument, ApiKeyDocument, of_login
from services.gateway.accounts.login_limits import LoginLimits
from services.gateway.accounts.password_policy import require_not_of
from services.gateway.accounts.passwords import Passwords
from services.gateway.accounts.second_factor import SecondFactors
from services.gateway.accounts.sessions import Sessions
from services.gateway.commands.client import CommandClient
from services.gateway.errors import CommandPending, Conflict, EmailTaken, InvalidCredentials

log = structlog.get_logger(__name__)


class Accounts:
    """The accounts of all agents. `network` is that of the caller's address."""

    def __init__(
        self,
        database: Database,
        commands: CommandClient,
        sessions: Sessions,
        second_factors: SecondFactors,
        limits: LoginLimits,
    ) -> None:
        self._accounts = database[AccountDocument.Settings.name]
        self._keys = database[ApiKeyDocument.Settings.name]
        self._commands = commands
        self._sessions = sessions
        self._second_factors = second_factors
        self._limits = limits
        self._passwords = Passwords()

    @property
    def passwords(self) -> Passwords:
        """What hashes and verifies passwords, a few at a time in the whole process."""
        return self._passwords

    async def add(
        self, email: str, password: str, profile: AgentProfile, role: Role = "agent"
    ) -> UUID:
        """Make an account and return its id, which is the agent's, too. Raises EmailTaken."""
        account = AccountDocument(
            id=uuid4(),
            email=canonical_address(email),
            canonical=True,
            password=await self._passwords.hash(password),
            role=role,
            unregistered=profile,
            created_at=datetime.now(UTC),
        )
        if await self._find(of_login(email)):
            raise EmailTaken
        try:
            await self._accounts.insert_one(view_raw(account))
        except DuplicateKeyError as error:
            raise EmailTaken from error
        log.info("account_added", agent_id=str(account.id), role=role)
        return account.id

    async def active_account(self, agent_id: UUID) -> AccountDocument | None:
        """Return the account, its agent registered; None when it is inactive or missing.

        Raises Unavailable when the agent is not registered yet and Kafka is unavailable.
        """
        found = await self._accounts.find_one({"_id": agent_id, "active": True})
        if found is None:
            return None
        account: AccountDocument = AccountDocument.model_validate(found)
        await self.register(account)
        return account

    async def register(self, account: AccountDocument) -> None:
        """Register the account's agent with crm, unless it is. Raises Unavailable without Kafka."""
        if not account.unregistered:
            return
        register = RegisterAgent(agent_id=account.id, personal=account.unregistered)
        try:
            # Always the same id, so that a repeat never undoes what the agent changes later.
            await self._commands.execute(register, uuid5(account.id, "register"))
        except CommandPending:
            log.info("registration_goes_on", agent_id=str(account.id))
        await self._mark_registered(account.id)

    async def _mark_registered(self, agent_id: UUID) -> None:
        await self._accounts.update_one({"_id": agent_id}, {"$unset": {"unregistered": ""}})

    async def log_in(
        self, email: str, password: str, network: str, code: str | None = None
    ) -> AccountDocument:
        """Return the account, of which a session may begin; `code` is the second factor's.

        Raises InvalidCredentials, SecondFactorRequired, TooManyRequests.
        """
        # All spellings count together, also those that 0.1.0 has not told apart.
        login = canonical_address(email).casefold()
        await self._limits.count_login(login, network)
        account = await self._find(of_login(email))
        right = await self._passwords.verify(
            password, account.password if account else None, network
        )
        if account is None or not right or not account.active:
            log.info("login_refused")
            raise InvalidCredentials
        await self._second_factors.require(account, code)
        await self._limits.logged_in(login, network)
        if self._passwords.needs_rehash(account.password):
            await self._rehash(account, password)
        return account

    async def confirm_password(
        self, caller: Caller, password: str, network: str
    ) -> AccountDocument:
        """Return the caller's account if this is its password.

        Raises InvalidCredentials, TooManyRequests.
        """
        await self._limits.count_network(network)
        await self._limits.count_password(caller.agent_id)
        account = await self._find({"_id": caller.agent_id})
        right = await self._passwords.verify(
            password, account.password if account else None, network
        )
        if account is None or not right:
            raise InvalidCredentials
        await self._limits.password_was_right(caller.agent_id)
        return account

    async def change_password(
        self, account: AccountDocument, new: str, *, kept: UUID | None, revoke_keys: bool = False
    ) -> None:
        """Replace the password, and end all sessions but `kept`; on request, revoke all keys.

        One write does it all, of the password that `account` has; what has ended then is removed
        later. Raises InvalidField, Conflict.
        """
        require_not_of(account.email, new, "new_password")
        changed = await self._accounts.update_one(
            {"_id": account.id, "password": account.password},
            {
                "$set": {"password": await self._passwords.hash(new), "kept_session": kept},
                "$inc": {"sessions_version": 1, "keys_version": int(revoke_keys)},
            },
        )
        if not changed.modified_count:
            raise Conflict("another request has just changed the password: log in again")
        log.info("password_changed", agent_id=str(account.id), keys_revoked=revoke_keys)
        await self._sessions.end_all(account.id, kept)
        if revoke_keys:
            await self._keys.delete_many(
                {"agent_id": account.id, "version": {"$not": {"$gt": account.keys_version}}}
            )

    async def change_email(self, account: AccountDocument, email: str) -> None:
        """Change the address to log in with. Raises EmailTaken."""
        if await self._find({"_id": {"$ne": account.id}} | of_login(email)):
            raise EmailTaken
        try:
            await self._accounts.update_one(
                {"_id": account.id},
                {"$set": {"email": canonical_address(email), "canonical": True}},
            )
        except DuplicateKeyError as error:
            raise EmailTaken from error
        log.info("login_changed", agent_id=str(account.id))

    async def update_by_admin(
        self, agent_id: UUID, *, role: Role | None, password: str | None
    ) -> None:
        """Change what is not None, for an admin; a new password ends all sessions.

        Raises InvalidField.
        """
        account = await self._find({"_id": agent_id})
        if account is None:
            return
        if password is not None:
            require_not_of(account.email, password, "password")
            await self.change_password(account, password, kept=None)
        if role is not None:
            await self._accounts.update_one({"_id": agent_id}, {"$set": {"role": role}})
            log.info("role_changed", agent_id=str(agent_id), role=role)

    async def _find(self, where: Raw) -> AccountDocument | None:
        found = await self._accounts.find_one(where)
        return AccountDocument.model_validate(found) if found else None

    async def _rehash(self, account: AccountDocument, password: str) -> None:
        hashed = await self._passwords.hash(password)
        await self._accounts.update_one(
            {"_id": account.id, "password": account.password}, {"$set": {"password": hashed}}
        )
