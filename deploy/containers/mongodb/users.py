# ruff: noqa: INP001 - mounted into a container, not imported
"""Makes MongoDB a replica set of one with the users of RealtorOS, from its own loopback.

The secrets `mongodb-<user>` are the users' URIs. It may run again: passwords become theirs.
"""

import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from contracts.services import SERVICES
from ops.servers.databases import database_of

OPERATORS = "operators"
ALREADY_INITIATED = 23


def credentials(user: str) -> tuple[str, str]:
    """Return the name and the password in the user's URI."""
    uri = urlsplit((Path("/run/secrets") / f"mongodb-{user}").read_text().strip())
    return unquote(uri.username or ""), unquote(uri.password or "")


def roles(user: str) -> list[dict[str, str]]:
    """Return what the user may do: a service in its own database, operators everywhere."""
    if user == OPERATORS:
        return [{"role": "root", "db": "admin"}]
    return [{"role": "readWrite", "db": database_of(user)}]


def connect(*login: str) -> MongoClient[dict[str, Any]]:
    """Return a client of this one server."""
    name, password = login or (None, None)
    return MongoClient("127.0.0.1", directConnection=True, username=name, password=password)


def first_user() -> None:
    """Make the replica set and the operators' user, while nobody has to log in."""
    with connect() as client:
        member = {"_id": 0, "host": "mongodb:27017"}
        try:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
        except OperationFailure as error:
            if error.code != ALREADY_INITIATED:
                raise
        while not client.admin.command("hello")["isWritablePrimary"]:
            time.sleep(0.1)
        name, password = credentials(OPERATORS)
        client.admin.command("createUser", name, pwd=password, roles=roles(OPERATORS))


def main() -> None:
    """Make what is missing."""
    login = credentials(OPERATORS)
    try:
        with connect(*login) as client:
            client.admin.command("ping")
    except OperationFailure:
        first_user()
    with connect(*login) as client:
        there = {user["user"] for user in client.admin.command("usersInfo")["users"]}
        for user in SERVICES:
            name, password = credentials(user)
            command = "updateUser" if name in there else "createUser"
            client.admin.command(command, name, pwd=password, roles=roles(user))


main()
