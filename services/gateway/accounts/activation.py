"""Deactivating and reactivating agents: first in their accounts, then, by commands, in crm.

The account remembers that crm has still to be told, so that no end of the process loses it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid5

import structlog
from pymongo.errors import PyMongoError

from chassis.mongo.client import Database, Raw
from chassis.process.tasks import background
from contracts.crm import DeactivateAgent, ReactivateAgent
from contracts.message import rfc3339
from services.gateway.accounts.documents import AccountDocument, ApiKeyDocument, SessionDocument
from services.gateway.commands.client import CommandClient
from services.gateway.errors import CommandPending, Rejected, Unavailable

SETTLE_SECONDS = 2.0

log = structlog.get_logger(__name__)


def activation(account: Raw, active: bool) -> tuple[Raw, list[Raw]]:
    """Return filter and update that activate or deactivate the account which `account` finds.

    Its time is after that of the change before it, whatever the clocks of two gateways say. A
    deactivation ends all sessions and revokes the keys for good: a reactivation revives none.
    """
    after = {"$add": ["$activation_changed_at", 1]}
    change: Raw = {
        "active": active,
        "activation_changed_at": {"$max": [datetime.now(UTC), after]},
        "activation_unsettled": True,
    }
    if not active:
        for version in ("sessions_version", "keys_version"):
            change[version] = {"$add": [{"$ifNull": [f"${version}", 0]}, 1]}
        change["kept_session"] = None
    return account | {"active": {"$ne": active}}, [{"$set": change}]


class Activation:
    """Activates and deactivates. `register` makes an account's agent known to crm."""

    def __init__(
        self,
        database: Database,
        commands: CommandClient,
        register: Callable[[AccountDocument], Awaitable[None]],
    ) -> None:
        self._accounts = database[AccountDocument.Settings.name]
        self._sessions = database[SessionDocument.Settings.name]
        self._keys = database[ApiKeyDocument.Settings.name]
        self._commands = commands
        self._register = register

    async def change(self, agent_id: UUID, active: bool) -> None:
        """Activate or deactivate; the latter ends all sessions and revokes the API keys.

        Raises CommandPending while crm has not answered, Rejected, Unavailable without Kafka: the
        account is changed all the same, and crm is told later.
        """
        await self._store_change(agent_id, active)
        found = await self._accounts.find_one({"_id": agent_id, "activation_unsettled": True})
        if found:
            await self._settle(AccountDocument.model_validate(found))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Settle meanwhile what an ended process, or one without Kafka, has left."""
        async with background(self._run()):
            yield

    async def _run(self) -> None:
        marked = False
        while True:
            try:
                if not marked:
                    await self._mark_earlier_deactivations()
                    marked = True
                async for raw in self._accounts.find({"activation_unsettled": True}):
                    await self._try_to_settle(AccountDocument.model_validate(raw))
            except PyMongoError as error:
                log.warning("activations_not_settled", error=type(error).__name__)
            await asyncio.sleep(SETTLE_SECONDS)

    async def _try_to_settle(self, account: AccountDocument) -> None:
        try:
            await self._settle(account)
        except (CommandPending, Rejected, Unavailable) as error:
            log.warning("crm_not_told", agent_id=str(account.id), error=type(error).__name__)

    async def _settle(self, account: AccountDocument) -> None:
        """Delete sessions and keys of a deactivated account; then order the change of the agent.

        Repeated as a whole until it is marked as settled: the command's id is the change's.
        """
        changed_at = account.activation_changed_at
        if changed_at is None:
            raise ValueError("an unsettled activation has no time")
        if not account.active:
            await self._end_access(account.id)
        if account.unregistered:
            await self._register(account)
        command = (
            ReactivateAgent(agent_id=account.id, reactivated_at=changed_at)
            if account.active
            else DeactivateAgent(agent_id=account.id, deactivated_at=changed_at)
        )
        try:
            await self._commands.execute(command, uuid5(account.id, rfc3339(changed_at)))
        except (CommandPending, Rejected):
            # The command is durable, or answered for good.
            await self._mark_settled(account)
            raise
        await self._mark_settled(account)

    async def _store_change(self, agent_id: UUID, active: bool) -> None:
        await self._accounts.update_one(*activation({"_id": agent_id}, active))

    async def _end_access(self, agent_id: UUID) -> None:
        await self._sessions.delete_many({"agent_id": agent_id})
        await self._keys.delete_many({"agent_id": agent_id})

    async def _mark_settled(self, account: AccountDocument) -> None:
        """Mark this change as settled; a later one is settled on its own."""
        changed_at = account.activation_changed_at
        await self._accounts.update_one(
            {"_id": account.id, "activation_changed_at": changed_at},
            {"$unset": {"activation_unsettled": ""}},
        )
        log.info("activation_settled", agent_id=str(account.id), active=account.active)

    async def _mark_earlier_deactivations(self) -> None:
        """Mark accounts that were deactivated by a release that did not tell crm."""
        await self._accounts.update_many(
            {"active": False, "activation_changed_at": None},
            {"$set": {"activation_changed_at": datetime.now(UTC), "activation_unsettled": True}},
        )
