"""Accounts made by operators, straight in the gateway's database: the first admin, lost passwords.

Also what lets the command line in: an API key of its own, in a file that only its user can read.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from pymongo.errors import DuplicateKeyError

from chassis.mongo import client as mongo
from chassis.mongo.client import Database
from chassis.projections.views import view_raw
from contracts.crm import AgentProfile
from ops.errors import OperatorError
from ops.servers.stores import store_of
from services.gateway.accounts.caller import EVERY_SCOPE, Role
from services.gateway.accounts.documents import AccountDocument, ApiKeyDocument, SessionDocument
from services.gateway.accounts.passwords import Passwords

DATABASE = "realtoros_gateway"
# The agent who owned everything before agents could log in; so the first admin owns that.
FIRST_AGENT = UUID("7b1f0c1e-5d3a-4c55-9a51-1f2f3c0a9d01")
_ACCOUNTS = AccountDocument.Settings.name
_KEYS = ApiKeyDocument.Settings.name
_KEY_FILE = "api-key"
_SIGNING_FILE = "token-keys"


@dataclass(frozen=True)
class Login:
    """What somebody logs in with; told once."""

    email: str
    password: str

    def __str__(self) -> str:
        return f"{self.email} with the password {self.password} (shown this once)"


@dataclass(frozen=True)
class Access:
    """How the command line gets in: its key; and the first admin's login when it is new."""

    key: str
    login: Login | None


async def access(uri: str, folder: Path, environment: Mapping[str, str]) -> Access:
    """Give the folder's key, making it and the first admin where they are missing."""
    async with mongo.connect(uri) as client:
        database = client[DATABASE]
        login = None
        if not await database[_ACCOUNTS].find_one({}, {"_id": 1}):
            login = await _add(database, profile_in(environment), "admin", _agent_id(environment))
        return Access(await _key(database, folder), login)


async def add(uri: str, profile: AgentProfile, role: Role) -> Login:
    """Make an account. Raises OperatorError when the email has one."""
    await mongo.apply_indexes(uri, DATABASE, store_of("gateway").documents)
    async with mongo.connect(uri) as client:
        return await _add(client[DATABASE], profile, role, uuid4())


async def reset(uri: str, email: str) -> Login:
    """Give an account a new password, and end its log-ins. Raises OperatorError."""
    password = secrets.token_urlsafe(12)
    async with mongo.connect(uri) as client:
        database = client[DATABASE]
        found = await database[_ACCOUNTS].find_one_and_update(
            {"email": email.casefold()},
            {"$set": {"password": await Passwords().hash(password), "active": True}},
        )
        if found is None:
            raise OperatorError(f"there is no account with the email {email}")
        await database[SessionDocument.Settings.name].delete_many({"agent_id": found["_id"]})
    return Login(email, password)


def token_keys(folder: Path) -> str:
    """Give the folder's TOKEN_KEYS, making them at the first start."""
    return _kept(folder / _SIGNING_FILE) or _keep(
        folder / _SIGNING_FILE, f"1:{secrets.token_urlsafe(48)}"
    )


def key_of(folder: Path) -> str | None:
    """Give the folder's API key, if it has one."""
    return _kept(folder / _KEY_FILE)


def profile_in(environment: Mapping[str, str]) -> AgentProfile:
    """Give the first admin's profile: AGENT_NAME, AGENT_EMAIL, AGENT_COMPANY, AGENT_PHONE."""
    return AgentProfile(
        name=environment.get("AGENT_NAME") or "Alex Morgan",
        email=environment.get("AGENT_EMAIL") or "agent@realtoros.example",
        company=environment.get("AGENT_COMPANY") or None,
        phone=environment.get("AGENT_PHONE") or None,
    )


def _agent_id(environment: Mapping[str, str]) -> UUID:
    return UUID(environment["AGENT_ID"]) if environment.get("AGENT_ID") else FIRST_AGENT


async def _add(database: Database, profile: AgentProfile, role: Role, id_: UUID) -> Login:
    login = Login(profile.email, secrets.token_urlsafe(12))
    account = AccountDocument(
        id=id_,
        email=login.email.casefold(),
        password=await Passwords().hash(login.password),
        role=role,
        unregistered=profile,
        created_at=datetime.now(UTC),
    )
    try:
        await database[_ACCOUNTS].insert_one(view_raw(account))
    except DuplicateKeyError as error:
        raise OperatorError(f"there is an account with the email {login.email}") from error
    return login


async def _key(database: Database, folder: Path) -> str:
    """Give the folder's key; a new one of an admin when the database does not know it."""
    from services.gateway.accounts.api_keys import KIND, new_key  # noqa: PLC0415 - only with all extras
    from services.gateway.accounts.tokens import Secret  # noqa: PLC0415

    if kept := key_of(folder):
        secret = Secret.read(kept, KIND)
        if secret and await database[_KEYS].find_one({"_id": secret.id, "secret": secret.digest}):
            return kept
    admin = await database[_ACCOUNTS].find_one({"role": "admin", "active": True})
    if admin is None:
        raise OperatorError("there is no active admin: `realtoros agents add EMAIL --admin`")
    secret, document = new_key(admin["_id"], "realtoros on the command line", EVERY_SCOPE)
    await database[_KEYS].insert_one(view_raw(document))
    return _keep(folder / _KEY_FILE, str(secret))


def _kept(file: Path) -> str | None:
    return file.read_text().strip() if file.exists() else None


def _keep(file: Path, text: str) -> str:
    file.touch(mode=0o600)
    file.write_text(f"{text}\n")
    return text
