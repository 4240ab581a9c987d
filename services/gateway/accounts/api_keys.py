"""API keys: shown once, stored as a hash, limited to scopes, taken back at any time."""

import hmac
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID, uuid4

from chassis.mongo.client import Database
from chassis.projections.views import view_raw
from services.gateway.accounts.caller import Scope
from services.gateway.accounts.documents import ApiKeyDocument
from services.gateway.accounts.tokens import Secret

KIND = "rk"


def new_key(agent_id: UUID, name: str, scopes: Iterable[Scope]) -> tuple[Secret, ApiKeyDocument]:
    """Make a key, and what is stored of it."""
    secret = Secret.new(KIND, uuid4())
    document = ApiKeyDocument(
        id=secret.id,
        agent_id=agent_id,
        name=name,
        scopes=sorted(set(scopes)),
        secret=secret.digest,
        created_at=datetime.now(UTC),
    )
    return secret, document


class ApiKeys:
    """The keys of all agents."""

    def __init__(self, database: Database) -> None:
        self._keys = database[ApiKeyDocument.Settings.name]

    async def add(
        self, agent_id: UUID, name: str, scopes: Iterable[Scope]
    ) -> tuple[Secret, ApiKeyDocument]:
        """Make and store a key."""
        secret, document = new_key(agent_id, name, scopes)
        await self._keys.insert_one(view_raw(document))
        return secret, document

    async def known(self, secret: Secret) -> ApiKeyDocument | None:
        """Give the key that was shown, if it is one."""
        found = await self._keys.find_one({"_id": secret.id})
        if found is None or not hmac.compare_digest(found["secret"], secret.digest):
            return None
        document: ApiKeyDocument = ApiKeyDocument.model_validate(found)
        return document

    async def has(self, id_: UUID) -> bool:
        """Tell whether a key has not been taken back."""
        return await self._keys.find_one({"_id": id_}, {"_id": 1}) is not None

    async def remove(self, agent_id: UUID, id_: UUID) -> bool:
        """Take a key back; False when the agent has no such key."""
        done = await self._keys.delete_one({"_id": id_, "agent_id": agent_id})
        return bool(done.deleted_count)
