"""The users of the embedded MongoDB: an operator, and one per service for its database alone.

Their passwords, and the key that stands for the server itself, are made at the first start and
kept in the server's folder, readable by its owner only. With the key, users can be made before
there is any, so no other local user is ever let in without a password.
"""

import base64
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import TypeAdapter
from pymongo import AsyncMongoClient

from contracts.services import SERVICES
from ops.servers.databases import database_of

OPERATOR: Final = "operator"
USERS: Final = (OPERATOR, *SERVICES)
_KEY_FILE, _PASSWORDS_FILE = "keyfile", "credentials.json"
# Of at most 1024 base64 characters, MongoDB's limit.
_KEY_BYTES = 756
_PRIVATE = 0o600
_PASSWORDS = TypeAdapter(dict[str, str])


@dataclass(frozen=True)
class Credentials:
    """The server's own key and its users' passwords."""

    key_file: Path
    key: str = field(repr=False)
    passwords: Mapping[str, str] = field(repr=False)


def ensure_credentials(folder: Path) -> Credentials:
    """Return the folder's credentials; make those that are missing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key_file, passwords_file = folder / _KEY_FILE, folder / _PASSWORDS_FILE
    for file in (key_file, passwords_file):
        if file.exists():
            # Copied, perhaps: MongoDB refuses a key file that others can read.
            file.chmod(_PRIVATE)
    if not key_file.exists():
        _write(key_file, base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode())
    stored = _read_passwords(folder)
    passwords = {user: stored.get(user) or secrets.token_urlsafe(32) for user in USERS}
    if passwords != stored:
        _write(passwords_file, _PASSWORDS.dump_json(passwords, indent=2).decode())
    return Credentials(key_file, key_file.read_text().strip(), passwords)


def uri_of(user: str, folder: Path, address: str) -> str:
    """Return the server's URI with the user's password, instead of any other's.

    Without passwords in the folder, where 0.1.0 runs, it is the address itself.
    """
    password = _read_passwords(folder).get(user)
    if password is None:
        return address
    parts = urlsplit(address)
    server = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{user}:{password}@{server}").geturl()


async def apply_users(client: AsyncMongoClient[dict[str, Any]], credentials: Credentials) -> None:
    """Make the server's users exactly those of the credentials. Raises PyMongoError.

    Any other user goes: somebody may have made one while the server had no credentials.
    """
    found = (await client.admin.command("usersInfo", {"forAllDBs": True}))["users"]
    names = {(user["db"], user["user"]) for user in found}
    wanted = {("admin", user) for user in credentials.passwords}
    for database, name in names - wanted:
        await client[database].command("dropUser", name)
    for user, password in credentials.passwords.items():
        await client.admin.command(
            "updateUser" if ("admin", user) in names else "createUser",
            user,
            pwd=password,
            roles=_roles(user),
            mechanisms=["SCRAM-SHA-256"],
        )


def _roles(user: str) -> list[dict[str, str]]:
    if user == OPERATOR:
        return [{"role": "root", "db": "admin"}]
    return [{"role": "readWrite", "db": database_of(user)}]


def _read_passwords(folder: Path) -> dict[str, str]:
    try:
        return _PASSWORDS.validate_json((folder / _PASSWORDS_FILE).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}


def _write(file: Path, text: str) -> None:
    """Write the whole file or nothing, for its owner only."""
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=_PRIVATE, exist_ok=False)
    with unfinished.open("w") as out:
        out.write(text + "\n")
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(file)
