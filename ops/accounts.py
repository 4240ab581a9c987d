"""Accounts made by operators, straight in the gateway's database: the first admin, lost passwords.

Also the command line's own access: an API key in a file that only its user can read.
"""

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

from pydantic import EmailStr, Field, TypeAdapter, ValidationError
from pymongo.errors import DuplicateKeyError

from chassis.mongo import client as mongo
from chassis.mongo.client import Database
from chassis.projections.views import view_raw
from contracts.addresses import canonical_address
from contracts.crm import AgentProfile
from ops.errors import OperatorError
from ops.servers.databases import database_of
from ops.servers.stores import mongodb_errors, store_of
from services.gateway.accounts.activation import activation
from services.gateway.accounts.caller import EVERY_SCOPE, Role
from services.gateway.accounts.documents import (
    AccountDocument,
    ApiKeyDocument,
    SessionDocument,
    of_login,
)
from services.gateway.accounts.links.documents import LoginLinkDocument
from services.gateway.accounts.links.login_links import login_link, login_url
from services.gateway.accounts.passwords import Passwords

DATABASE = database_of("gateway")
# The agent who owned everything before agents could log in; so the first admin owns that.
FIRST_AGENT_ID = UUID("7b1f0c1e-5d3a-4c55-9a51-1f2f3c0a9d01")
_ACCOUNTS = AccountDocument.Settings.name
_API_KEYS = ApiKeyDocument.Settings.name
_API_KEY_FILE = "api-key"
_LOGIN_EMAIL: TypeAdapter[str] = TypeAdapter(Annotated[EmailStr, Field(max_length=254)])


@dataclass(frozen=True)
class Credentials:
    """What an agent logs in with; printed once."""

    email: str
    password: str

    def __str__(self) -> str:
        return f"{self.email} with the password {self.password} (shown only this once)"


async def ensure_api_key(
    uri: str,
    folder: Path,
    environment: Mapping[str, str],
    tell: Callable[[Credentials], None],
) -> str:
    """Return the folder's API key; make it and the first admin where they are missing.

    `tell` gets the first admin's credentials at once: they cannot be shown again if what follows
    fails, such as writing the key on a full disk.
    """
    async with _database(uri) as database:
        if not await database[_ACCOUNTS].find_one({}, {"_id": 1}):
            id_ = environment.get("AGENT_ID")
            agent_id = UUID(id_) if id_ else FIRST_AGENT_ID
            tell(await _insert(database, profile_from(environment), "admin", agent_id))
        return await _api_key(database, folder)


async def add_account(uri: str, profile: AgentProfile, role: Role) -> Credentials:
    """Make an account. Raises OperatorError when there is one with the email."""
    await _apply_indexes(uri)
    async with _database(uri) as database:
        return await _insert(database, profile, role, uuid4())


async def reset_password(uri: str, email: str) -> Credentials:
    """Set a new password, activate the account, end its sessions, remove its second factor.

    Raises OperatorError.
    """
    password = secrets.token_urlsafe(12)
    async with _database(uri) as database:
        hashed = await Passwords().hash(password)
        found = await database[_ACCOUNTS].find_one_and_update(
            of_login(email),
            {
                "$set": {"password": hashed, "kept_session": None},
                "$inc": {"sessions_version": 1},
                "$unset": {"second_factor": 1, "unconfirmed_secret": 1},
            },
        )
        if found is None:
            raise OperatorError(
                f"there is no account with the email {email}:"
                " correct it, or use `realtoros agents add`"
            )
        await database[SessionDocument.Settings.name].delete_many({"agent_id": found["_id"]})
        # A gateway lets crm know.
        await database[_ACCOUNTS].update_one(*activation({"_id": found["_id"]}, active=True))
    return Credentials(email, password)


async def add_login_link(uri: str, email: str, public_url: str) -> str:
    """Return a link that logs a browser in to the account, once, within ten minutes.

    Raises OperatorError.
    """
    await _apply_indexes(uri)
    async with _database(uri) as database:
        found = await database[_ACCOUNTS].find_one(of_login(email) | {"active": True})
        if found is None:
            raise OperatorError(
                f"there is no active account with the email {email}:"
                " correct it, or use `realtoros agents add`"
            )
        token, link = login_link(AccountDocument.model_validate(found))
        await database[LoginLinkDocument.Settings.name].insert_one(view_raw(link))
    return login_url(public_url, token)


def ensure_keys(folder: Path, setting: str) -> str:
    """Return the folder's TOKEN_KEYS or UNSUBSCRIBE_KEYS; make them at the first start."""
    file = folder / setting.lower().replace("_", "-")
    return _read(file) or _write(file, f"1:{secrets.token_urlsafe(48)}")


def read_api_key(folder: Path) -> str | None:
    """Return the folder's API key, if it has one."""
    return _read(folder / _API_KEY_FILE)


def profile_from(environment: Mapping[str, str]) -> AgentProfile:
    """Return the first admin's profile: AGENT_NAME, AGENT_EMAIL, AGENT_COMPANY, AGENT_PHONE.

    Raises OperatorError, which names the variable.
    """
    return checked_profile(
        "AGENT_{}",
        name=environment.get("AGENT_NAME") or "Alex Morgan",
        email=environment.get("AGENT_EMAIL") or "agent@realtoros.example",
        company=environment.get("AGENT_COMPANY") or None,
        phone=environment.get("AGENT_PHONE") or None,
    )


def checked_profile(called: str, **fields: str | None) -> AgentProfile:
    """Return the profile of these fields; where they come from, each is `called` so.

    Raises OperatorError, which names the field.
    """
    try:
        profile = AgentProfile.model_validate(fields)
        _LOGIN_EMAIL.validate_python(profile.email)
    except ValidationError as error:
        wrong = error.errors()[0]
        field = str(wrong["loc"][0]) if wrong["loc"] else "email"
        raise OperatorError(
            f"{called.format(field.upper())} “{fields[field]}”: {wrong['msg']}"
        ) from None
    return profile


@asynccontextmanager
async def _database(uri: str) -> AsyncIterator[Database]:
    with mongodb_errors(uri):
        async with mongo.connect(uri) as client:
            yield client[DATABASE]


async def _apply_indexes(uri: str) -> None:
    with mongodb_errors(uri):
        await mongo.apply_indexes(uri, DATABASE, store_of("gateway").documents)


async def _insert(database: Database, profile: AgentProfile, role: Role, id_: UUID) -> Credentials:
    credentials = Credentials(profile.email, secrets.token_urlsafe(12))
    account = AccountDocument(
        id=id_,
        email=canonical_address(credentials.email),
        canonical=True,
        password=await Passwords().hash(credentials.password),
        role=role,
        unregistered=profile,
        created_at=datetime.now(UTC),
    )
    taken = OperatorError(
        f"there is an account with the email {credentials.email} already:"
        " use another, or `realtoros agents reset`"
    )
    if await database[_ACCOUNTS].find_one(of_login(credentials.email), {"_id": 1}):
        raise taken
    try:
        await database[_ACCOUNTS].insert_one(view_raw(account))
    except DuplicateKeyError as error:
        raise taken from error
    return credentials


async def _api_key(database: Database, folder: Path) -> str:
    """Return the folder's key; a new one of an admin's when the database does not know it."""
    from services.gateway.accounts.api_keys import KIND, new_key  # noqa: PLC0415 - only with all extras
    from services.gateway.accounts.tokens import OpaqueToken  # noqa: PLC0415

    if api_key := read_api_key(folder):
        token = OpaqueToken.parse(api_key, KIND)
        if token and await _is_valid(database, token.id, token.digest):
            return api_key
    admin = await database[_ACCOUNTS].find_one({"role": "admin", "active": True})
    if admin is None:
        raise OperatorError(
            "there is no active admin: add one with `realtoros agents add EMAIL --admin`"
        )
    token, document = new_key(
        admin["_id"],
        "realtoros on the command line",
        EVERY_SCOPE,
        version=admin.get("keys_version", 0),
    )
    await database[_API_KEYS].insert_one(view_raw(document))
    return _write(folder / _API_KEY_FILE, str(token))


async def _is_valid(database: Database, key_id: UUID, secret: bytes) -> bool:
    """Return whether the key exists and was not revoked."""
    key = await database[_API_KEYS].find_one({"_id": key_id, "secret": secret}) or {}
    account = await database[_ACCOUNTS].find_one({"_id": key.get("agent_id")}) or {}
    return bool(account) and account.get("keys_version", 0) == key.get("version", 0)


def _read(file: Path) -> str | None:
    return file.read_text().strip() if file.exists() else None


def _write(file: Path, text: str) -> str:
    file.touch(mode=0o600)
    file.write_text(f"{text}\n")
    return text
