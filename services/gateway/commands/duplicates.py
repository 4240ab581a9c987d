"""Which client has the email that the owner of clients refused to another one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from chassis.mongo.client import Database
from contracts.addresses import canonical_address
from services.gateway.errors import DuplicateEmail, Rejected
from services.gateway.read_models.search import search_key

# The other client may have come a moment ago.
WAIT_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 0.05


@contextlib.asynccontextmanager
async def naming_duplicate(
    database: Database, agent_id: UUID, email: str | None
) -> AsyncIterator[None]:
    """Raise DuplicateEmail, with the client that has the email, in place of its Rejected."""
    try:
        yield
    except Rejected as rejected:
        reply = rejected.reply
        if email is None or (reply.kind, reply.field) != ("conflict", "email"):
            raise
        raise DuplicateEmail(reply.reason, await _find(database, agent_id, email)) from rejected


async def _find(database: Database, agent_id: UUID, email: str) -> UUID | None:
    canonical = canonical_address(email)
    where = {"agent_id": agent_id, "search": search_key(canonical)}
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    while True:
        async for row in database["clients"].find(where, {"email": 1}):
            if canonical_address(row["email"]) == canonical:
                found: UUID = row["_id"]
                return found
        if asyncio.get_running_loop().time() > deadline:
            return None
        await asyncio.sleep(LOOK_SECONDS)
