"""Accounts: registering, logging in, refreshing tokens, and what ends a session."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4, uuid5

import structlog
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from chassis.mongo.client import Database, Raw
from chassis.projections.views import view_raw
from contracts.crm import AgentProfile, RegisterAgent
from services.gateway.accounts.caller import Caller, Role
from services.gateway.accounts.documents import AccountDocument, SessionDocument
from services.gateway.accounts.passwords import Passwords
from services.gateway.accounts.rate_limits import AttemptLimiter
from services.gateway.accounts.tokens import AccessTokens, OpaqueToken
from services.gateway.commands.client import CommandClient
from services.gateway.errors import CommandPending, EmailTaken, InvalidCredentials
from services.gateway.settings import GatewaySettings

REFRESH = "rt"
ATTEMPT_WINDOW = timedelta(minutes=5)
# How many spent refresh tokens of a session are stored, to detect their reuse.
MAX_SPENT = 200

log = structlog.get_logger(__name__)


class Tokens(NamedTuple):
    """The tokens of a session; the access token expires after `expires_in` seconds."""

    access: str
    refresh: str
    expires_in: int


class Accounts:
    """The accounts of all agents. Password attempts are limited per account and per address."""

    def __init__(
        self, settings: GatewaySettings, database: Database, commands: CommandClient
    ) -> None:
        self._attempts = AttemptLimiter(database, ATTEMPT_WINDOW)
        self._attempts_per_account = settings.logins_per_account
        self._attempts_per_address = settings.logins_per_address
        self.tokens = AccessTokens(
            settings.signing_keys, settings.public_url, settings.access_token_life
        )
        self._accounts = database[AccountDocument.Settings.name]
        self._sessions = database[SessionDocument.Settings.name]
        self._commands = commands
        self._passwords = Passwords()
        self._refresh_life = timedelta(days=settings.refresh_token_days)

    async def add(
        self, email: str, password: str, profile: AgentProfile, role: Role = "agent"
    ) -> UUID:
        """Make an account and return its id, which is the agent's, too. Raises EmailTaken."""
        account = AccountDocument(
            id=uuid4(),
            email=email.casefold(),
            password=await self._passwords.hash(password),
            role=role,
            unregistered=profile,
            created_at=datetime.now(UTC),
        )
        try:
            await self._accounts.insert_one(view_raw(account))
        except DuplicateKeyError as error:
            raise EmailTaken from error
        log.info("account_added", agent_id=str(account.id), role=role)
        return account.id

    async def count_address(self, address: str) -> None:
        """Count a log-in or registration from the address. Raises TooManyRequests."""
        await self._attempts.count("address", address, self._attempts_per_address)

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

    async def log_in(self, email: str, password: str, address: str) -> Tokens:
        """Begin a session and return its tokens. Raises InvalidCredentials, TooManyRequests."""
        email = email.casefold()
        await self.count_address(address)
        await self._attempts.count("account", email, self._attempts_per_account)
        found = await self._accounts.find_one({"email": email})
        stored = found["password"] if found else None
        if not await self._passwords.verify(password, stored) or not found or not found["active"]:
            log.info("login_refused")
            raise InvalidCredentials
        await self._attempts.reset("account", email)
        if self._passwords.needs_rehash(found["password"]):
            await self._set_password(found["_id"], password)
        return await self.begin_session(found["_id"])

    async def begin_session(self, agent_id: UUID) -> Tokens:
        """Begin a session and return its tokens."""
        refresh = OpaqueToken.new(REFRESH, uuid4())
        session = SessionDocument(
            id=refresh.id,
            agent_id=agent_id,
            current=refresh.digest,
            expires_at=datetime.now(UTC) + self._refresh_life,
        )
        await self._sessions.insert_one(view_raw(session))
        return self._tokens(agent_id, refresh)

    async def refresh(self, token: str, address: str) -> Tokens:
        """Exchange a refresh token. A spent one ends its session: it was stolen.

        Raises InvalidCredentials, TooManyRequests.
        """
        await self._attempts.count("refresh", address, 5 * self._attempts_per_address)
        if (presented := OpaqueToken.parse(token, REFRESH)) is None:
            raise InvalidCredentials
        now = datetime.now(UTC)
        fresh = OpaqueToken.new(REFRESH, presented.id)
        session = await self._sessions.find_one_and_update(
            {"_id": presented.id, "current": presented.digest, "expires_at": {"$gt": now}},
            {
                "$set": {"current": fresh.digest, "expires_at": now + self._refresh_life},
                "$push": {"spent": {"$each": [presented.digest], "$slice": -MAX_SPENT}},
            },
            return_document=ReturnDocument.AFTER,
        )
        if session is None:
            # A token that was never valid ends nothing: a session's id is not secret.
            ended = await self._sessions.delete_one(
                {"_id": presented.id, "spent": presented.digest}
            )
            if ended.deleted_count:
                log.warning("refresh_token_reused", session=str(presented.id))
            raise InvalidCredentials
        if await self.active_account(session["agent_id"]) is None:
            raise InvalidCredentials
        return self._tokens(session["agent_id"], fresh)

    async def has_session(self, id_: UUID) -> bool:
        """Return whether the session exists."""
        return await self._sessions.find_one({"_id": id_}, {"_id": 1}) is not None

    async def log_out(self, caller: Caller) -> None:
        """End the caller's session."""
        await self._sessions.delete_one({"_id": caller.session})

    async def change_password(self, caller: Caller, current: str, new: str, address: str) -> None:
        """Replace the caller's password, and end all their other sessions.

        Raises InvalidCredentials, TooManyRequests.
        """
        await self.count_address(address)
        await self._attempts.count("password", str(caller.agent_id), self._attempts_per_account)
        found = await self._accounts.find_one({"_id": caller.agent_id})
        if not await self._passwords.verify(current, found["password"] if found else None):
            raise InvalidCredentials
        await self._set_password(caller.agent_id, new)
        await self._sessions.delete_many(
            {"agent_id": caller.agent_id, "_id": {"$ne": caller.session}}
        )

    async def update_by_admin(
        self, agent_id: UUID, *, role: Role | None, password: str | None
    ) -> None:
        """Change what is not None, for an admin; a new password ends all sessions."""
        changes: Raw = {}
        if role is not None:
            changes["role"] = role
        if password is not None:
            changes["password"] = await self._passwords.hash(password)
        if not changes:
            return
        await self._accounts.update_one({"_id": agent_id}, {"$set": changes})
        if password is not None:
            await self._sessions.delete_many({"agent_id": agent_id})
        log.info("account_changed", agent_id=str(agent_id), changed=sorted(changes))

    async def _set_password(self, agent_id: UUID, password: str) -> None:
        hashed = await self._passwords.hash(password)
        await self._accounts.update_one({"_id": agent_id}, {"$set": {"password": hashed}})

    def _tokens(self, agent_id: UUID, refresh: OpaqueToken) -> Tokens:
        access = self.tokens.issue(agent_id, refresh.id)
        return Tokens(access, str(refresh), int(self.tokens.life.total_seconds()))
