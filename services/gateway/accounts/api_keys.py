"""API keys: shown once, stored as a hash, limited to scopes, revoked at any time."""

import hmac
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID, uuid4

from chassis.mongo.client import Database
from chassis.projections.views import view_raw
from services.gateway.accounts.caller import Scope
from services.gateway.accounts.documents import ApiKeyDocument
from services.gateway.accounts.tokens import OpaqueToken

KIND = "rk"


def new_key(
    agent_id: UUID, name: str, scopes: Iterable[Scope]
) -> tuple[OpaqueToken, ApiKeyDocument]:
    """Return a new key and the document to store."""
    token = OpaqueToken.new(KIND, uuid4())
    document = ApiKeyDocument(
        id=token.id,
        agent_id=agent_id,
        name=name,
        scopes=sorted(set(scopes)),
        secret=token.digest,
        created_at=datetime.now(UTC),
    )
    return token, document


class ApiKeys:
    """The keys of all agents."""

    def __init__(self, database: Database) -> None:
        self._keys = database[ApiKeyDocument.Settings.name]

    async def add(
        self, agent_id: UUID, name: str, scopes: Iterable[Scope]
    ) -> tuple[OpaqueToken, ApiKeyDocument]:
        """Store a new key and return it."""
        token, document = new_key(agent_id, name, scopes)
        await self._keys.insert_one(view_raw(document))
        return token, document

    async def verify(self, token: OpaqueToken) -> ApiKeyDocument | None:
        """Return the key's document, or None when the key is invalid."""
        found = await self._keys.find_one({"_id": token.id})
        if found is None or not hmac.compare_digest(found["secret"], token.digest):
            return None
        document: ApiKeyDocument = ApiKeyDocument.model_validate(found)
        return document

    async def exists(self, id_: UUID) -> bool:
        """Return whether the key exists: it was not revoked."""
        return await self._keys.find_one({"_id": id_}, {"_id": 1}) is not None

    async def revoke(self, agent_id: UUID, id_: UUID) -> bool:
        """Revoke a key; return False when the agent has no such key."""
        deleted = await self._keys.delete_one({"_id": id_, "agent_id": agent_id})
        return bool(deleted.deleted_count)
