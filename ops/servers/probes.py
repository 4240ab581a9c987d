"""Whether a server that was just started is ready, asked on loopback."""

import asyncio
import struct
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from ops.servers.mongodb_users import Credentials, apply_users
from ops.servers.ports import LOOPBACK

REPLICA_SET = "rs0"
_NOT_YET_INITIATED = 94
_TIMEOUT_SECONDS = 2.0
# Kafka's Metadata request, version 4, about no topic: it asks which brokers there are.
_METADATA_REQUEST = struct.pack(">hhihi?", 3, 4, 1, -1, 0, False)


async def has_brokers(port: int) -> bool:
    """Return whether the Kafka broker at this port answers metadata requests."""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            answer = await _request(port, _METADATA_REQUEST)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
    _correlation, _throttled, brokers = struct.unpack_from(">iii", answer)
    return bool(brokers > 0)


async def is_primary(port: int, credentials: Credentials | None = None) -> bool:
    """Return whether the MongoDB at this port takes writes, from the users of the credentials.

    As a step towards that, make the server the only member of its replica set, at this address:
    a set that was configured at another port cannot elect itself any more. Then make the users.
    """
    login: dict[str, Any] = _login(credentials) if credentials else {}
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        LOOPBACK, port, directConnection=True, serverSelectionTimeoutMS=500, **login
    )
    async with client:
        try:
            hello = await client.admin.command("hello")
            if not hello["isWritablePrimary"]:
                await _configure(client, f"{LOOPBACK}:{port}")
            elif credentials:
                await apply_users(client, credentials)
        except PyMongoError:
            return False
    return bool(hello["isWritablePrimary"])


def _login(credentials: Credentials) -> dict[str, str]:
    """Return how the server itself logs in: what has its key needs no user."""
    return {"username": "__system", "password": credentials.key, "authSource": "local"}


async def _request(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        writer.write(struct.pack(">i", len(request)) + request)
        size = int.from_bytes(await reader.readexactly(4), "big")
        return await reader.readexactly(size)
    finally:
        writer.close()


async def _configure(client: AsyncMongoClient[dict[str, Any]], address: str) -> None:
    try:
        config = (await client.admin.command("replSetGetConfig"))["config"]
    except OperationFailure as failure:
        if failure.code != _NOT_YET_INITIATED:
            raise
        config = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": address}]}
        await client.admin.command("replSetInitiate", config)
        return
    if config["members"][0]["host"] != address:
        config["members"][0]["host"] = address
        config["version"] += 1
        await client.admin.command("replSetReconfig", config, force=True)
