"""API keys: shown once, stored as a hash, limited to scopes, revoked at any time."""

import asyncio
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import structlog
from pymongo.errors import DuplicateKeyError, PyMongoError

from chassis.mongo.client import Database
from chassis.projections.views import view_raw
from services.gateway.accounts.caller import Scope
from services.gateway.accounts.documents import AccountDocument, ApiKeyDocument
from services.gateway.accounts.tokens import OpaqueToken
from services.gateway.errors import Conflict

KIND = "rk"
MAX_KEYS = 50
# How exact `last_used_at` is: a key that is used all the time is written once in so long.
USE_RECORDED_EVERY = timedelta(minutes=1)

log = structlog.get_logger(__name__)


def new_key(
    agent_id: UUID,
    name: str,
    scopes: Iterable[Scope],
    *,
    version: int = 0,
    expires_at: datetime | None = None,
) -> tuple[OpaqueToken, ApiKeyDocument]:
    """Return a new key and the document to store; `version` is the account's `keys_version`."""
    token = OpaqueToken.new(KIND, uuid4())
    document = ApiKeyDocument(
        id=token.id,
        agent_id=agent_id,
        version=version,
        name=name,
        scopes=sorted(set(scopes)),
        secret=token.digest,
        created_at=datetime.now(UTC),
        expires_at=expires_at,
    )
    return token, document


class ApiKeys:
    """The keys of all agents."""

    def __init__(self, database: Database) -> None:
        self._keys = database[ApiKeyDocument.Settings.name]
        self._recording: set[asyncio.Task[None]] = set()

    async def add(
        self,
        account: AccountDocument,
        name: str,
        scopes: Iterable[Scope],
        expires_at: datetime | None = None,
    ) -> tuple[OpaqueToken, ApiKeyDocument]:
        """Store a new key and return it. Raises Conflict when the agent has as many as allowed."""
        token, document = new_key(
            account.id, name, scopes, version=account.keys_version, expires_at=expires_at
        )
        while True:
            document.slot = await self._free_slot(account.id)
            try:
                await self._keys.insert_one(view_raw(document))
            except DuplicateKeyError:
                # Another request took the slot at the same moment.
                continue
            return token, document

    async def verify(self, token: OpaqueToken) -> ApiKeyDocument | None:
        """Return the key's document, or None when the key is invalid or has expired."""
        document = await self.find(token.id)
        if document is None or not hmac.compare_digest(document.secret, token.digest):
            return None
        return document

    async def find(self, id_: UUID) -> ApiKeyDocument | None:
        """Return the key's document, unless it was revoked or has expired."""
        found = await self._keys.find_one(
            {"_id": id_, "expires_at": {"$not": {"$lte": datetime.now(UTC)}}}
        )
        return ApiKeyDocument.model_validate(found) if found else None

    def record_use(self, key: ApiKeyDocument) -> None:
        """Record that the key is used now, if that was not recorded lately; nobody waits for it."""
        now = datetime.now(UTC)
        if key.last_used_at is None or now - key.last_used_at >= USE_RECORDED_EVERY:
            task = asyncio.create_task(self._store_use(key.id, now))
            self._recording.add(task)
            task.add_done_callback(self._recording.discard)

    async def revoke(self, agent_id: UUID, id_: UUID) -> bool:
        """Revoke a key; return False when the agent has no such key."""
        deleted = await self._keys.delete_one({"_id": id_, "agent_id": agent_id})
        return bool(deleted.deleted_count)

    async def _free_slot(self, agent_id: UUID) -> int:
        now = datetime.now(UTC)
        await self._keys.delete_many({"agent_id": agent_id, "expires_at": {"$lte": now}})
        taken = [key.get("slot") async for key in self._keys.find({"agent_id": agent_id})]
        if len(taken) >= MAX_KEYS:
            raise Conflict(f"an agent has {MAX_KEYS} API keys at most: revoke one first")
        return min(set(range(MAX_KEYS)).difference(taken))

    async def _store_use(self, id_: UUID, now: datetime) -> None:
        not_lately = {"$not": {"$gt": now - USE_RECORDED_EVERY}}
        try:
            await self._keys.update_one(
                {"_id": id_, "last_used_at": not_lately}, {"$set": {"last_used_at": now}}
            )
        except PyMongoError as error:
            log.warning("use_of_key_not_recorded", error=type(error).__name__)
