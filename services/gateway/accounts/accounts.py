"""Accounts: registering, logging in, refreshing, and what ends a log-in."""

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
from services.gateway.accounts.documents import AccountDocument, ApiKeyDocument, SessionDocument
from services.gateway.accounts.passwords import Passwords
from services.gateway.accounts.rate_limits import AttemptLimits
from services.gateway.accounts.tokens import AccessTokens, Secret
from services.gateway.commands.client import CommandClient
from services.gateway.errors import EmailTaken, InvalidCredentials, StillRunning
from services.gateway.settings import GatewaySettings

REFRESH = "rt"
SPAN = timedelta(minutes=5)
# So many refresh tokens of a session are known again when they come after they were exchanged.
SPENT_KEPT = 200

log = structlog.get_logger(__name__)


class Tokens(NamedTuple):
    """What a log-in gives: `expires_in` seconds later the access token has to be refreshed."""

    access: str
    refresh: str
    expires_in: int


class Accounts:
    """The accounts of all agents. What is to be guessed is limited by account and by address."""

    def __init__(
        self, settings: GatewaySettings, database: Database, commands: CommandClient
    ) -> None:
        self._attempts = AttemptLimits(database, SPAN)
        self._of_an_account = settings.logins_per_account
        self._of_an_address = settings.logins_per_address
        self.tokens = AccessTokens(
            settings.signing_keys, settings.public_url, settings.access_token_life
        )
        self._accounts = database[AccountDocument.Settings.name]
        self._sessions = database[SessionDocument.Settings.name]
        self._keys = database[ApiKeyDocument.Settings.name]
        self._commands = commands
        self._passwords = Passwords()
        self._refresh_life = timedelta(days=settings.refresh_token_days)

    async def add(
        self, email: str, password: str, profile: AgentProfile, role: Role = "agent"
    ) -> UUID:
        """Make an account and its agent; give the id. Raises EmailTaken."""
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
        """Count one more log-in or registration from there. Raises TooManyRequests."""
        await self._attempts.count("address", address, self._of_an_address)

    async def account(self, agent_id: UUID) -> AccountDocument | None:
        """Give an account that may be used, its agent registered.

        Raises Unavailable when it is not and Kafka is away.
        """
        found = await self._accounts.find_one({"_id": agent_id, "active": True})
        if found is None:
            return None
        account: AccountDocument = AccountDocument.model_validate(found)
        if account.unregistered:
            register = RegisterAgent(agent_id=agent_id, personal=account.unregistered)
            try:
                # Always the same command, so that it never undoes what the agent changes later.
                await self._commands.order(register, uuid5(agent_id, "register"))
            except StillRunning:
                log.info("registration_goes_on", agent_id=str(agent_id))
            await self._is_registered(agent_id)
        return account

    async def _is_registered(self, agent_id: UUID) -> None:
        await self._accounts.update_one({"_id": agent_id}, {"$unset": {"unregistered": ""}})

    async def log_in(self, email: str, password: str, address: str) -> Tokens:
        """Begin a session. Raises InvalidCredentials, TooManyRequests."""
        email = email.casefold()
        await self.count_address(address)
        await self._attempts.count("account", email, self._of_an_account)
        found = await self._accounts.find_one({"email": email})
        stored = found["password"] if found else None
        if not await self._passwords.fits(password, stored) or not found or not found["active"]:
            log.info("login_refused")
            raise InvalidCredentials
        await self._attempts.forget("account", email)
        if self._passwords.is_dated(found["password"]):
            await self._set_password(found["_id"], password)
        return await self.begin_session(found["_id"])

    async def begin_session(self, agent_id: UUID) -> Tokens:
        """Give the tokens of a new session."""
        secret = Secret.new(REFRESH, uuid4())
        session = SessionDocument(
            id=secret.id,
            agent_id=agent_id,
            current=secret.digest,
            expires_at=datetime.now(UTC) + self._refresh_life,
        )
        await self._sessions.insert_one(view_raw(session))
        return self._tokens(agent_id, secret)

    async def refresh(self, token: str, address: str) -> Tokens:
        """Exchange a refresh token. One that was exchanged before ends its session: it was stolen.

        Raises InvalidCredentials, TooManyRequests.
        """
        await self._attempts.count("refresh", address, 5 * self._of_an_address)
        if (shown := Secret.read(token, REFRESH)) is None:
            raise InvalidCredentials
        now = datetime.now(UTC)
        fresh = Secret.new(REFRESH, shown.id)
        session = await self._sessions.find_one_and_update(
            {"_id": shown.id, "current": shown.digest, "expires_at": {"$gt": now}},
            {
                "$set": {"current": fresh.digest, "expires_at": now + self._refresh_life},
                "$push": {"spent": {"$each": [shown.digest], "$slice": -SPENT_KEPT}},
            },
            return_document=ReturnDocument.AFTER,
        )
        if session is None:
            # One that never was good ends nothing: a session's id is no secret.
            ended = await self._sessions.delete_one({"_id": shown.id, "spent": shown.digest})
            if ended.deleted_count:
                log.warning("refresh_token_reused", session=str(shown.id))
            raise InvalidCredentials
        if await self.account(session["agent_id"]) is None:
            raise InvalidCredentials
        return self._tokens(session["agent_id"], fresh)

    async def has_session(self, id_: UUID) -> bool:
        """Tell whether a session goes on."""
        return await self._sessions.find_one({"_id": id_}, {"_id": 1}) is not None

    async def log_out(self, caller: Caller) -> None:
        """End the caller's session."""
        await self._sessions.delete_one({"_id": caller.session})

    async def change_password(self, caller: Caller, current: str, new: str, address: str) -> None:
        """Replace the caller's password, and end all sessions but this.

        Raises InvalidCredentials, TooManyRequests.
        """
        await self.count_address(address)
        await self._attempts.count("password", str(caller.agent_id), self._of_an_account)
        found = await self._accounts.find_one({"_id": caller.agent_id})
        if not await self._passwords.fits(current, found["password"] if found else None):
            raise InvalidCredentials
        await self._set_password(caller.agent_id, new)
        await self._sessions.delete_many(
            {"agent_id": caller.agent_id, "_id": {"$ne": caller.session}}
        )

    async def govern(
        self, agent_id: UUID, *, role: Role | None, active: bool | None, password: str | None
    ) -> bool:
        """Change what is given, as an admin; False when there is no such account.

        A new password and a deactivation end all log-ins; the latter also takes the API keys away.
        """
        changes: Raw = {}
        if role is not None:
            changes["role"] = role
        if active is not None:
            changes["active"] = active
        if password is not None:
            changes["password"] = await self._passwords.hash(password)
        if changes:
            done = await self._accounts.update_one({"_id": agent_id}, {"$set": changes})
            if not done.matched_count:
                return False
        if active is False or password is not None:
            await self._sessions.delete_many({"agent_id": agent_id})
        if active is False:
            await self._keys.delete_many({"agent_id": agent_id})
        log.info("account_changed", agent_id=str(agent_id), changed=sorted(changes))
        return True

    async def _set_password(self, agent_id: UUID, password: str) -> None:
        hashed = await self._passwords.hash(password)
        await self._accounts.update_one({"_id": agent_id}, {"$set": {"password": hashed}})

    def _tokens(self, agent_id: UUID, secret: Secret) -> Tokens:
        access = self.tokens.issue(agent_id, secret.id)
        return Tokens(access, str(secret), int(self.tokens.life.total_seconds()))
