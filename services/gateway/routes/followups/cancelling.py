"""Cancelling follow-ups, and waiting until it is certain what is not sent any more."""

import asyncio
from typing import Final

from chassis.mongo.client import Raw
from contracts.scheduler import CancelFollowup, CancelPlan
from services.gateway.errors import CommandPending
from services.gateway.http.context import ApiContext, ApiRequest, context_of
from services.gateway.http.idempotency import command_id_of
from services.gateway.read_models.documents import TaskDocument

LOOK_SECONDS = 0.1
# Of what was cancelled when due, that of which draft or email may still become something.
UNSETTLED: Final[Raw] = {
    "plan.cancel_reason": {"$exists": True},
    "draft.status": {"$nin": ["discarded", "failed"]},
    "email.status": {"$nin": ["sent", "failed", "withheld", "cancelled", "unknown"]},
}


async def cancel_and_settle(request: ApiRequest, command: CancelFollowup | CancelPlan) -> None:
    """Cancel, and wait until composer or mailer has stopped what was due, or was too late.

    Raises CommandPending when that takes longer than a command may: the plan is changed, but an
    email may be on its way. Raises Rejected, Unavailable.
    """
    api, command_id = context_of(request), command_id_of(request)
    accepted = await api.commands.execute(command, command_id)
    where: Raw = {"client_id": command.client_id, "agent_id": command.agent_id}
    if isinstance(command, CancelFollowup):
        where["_id"] = command.followup_id
    if not await settled(api, where):
        await api.commands.store_accepted(command, command_id, accepted)
        raise CommandPending(command_id)


async def settled(api: ApiContext, where: Raw) -> bool:
    """Wait until each follow-up that was cancelled when due has ended; return whether, in time."""
    tasks, deadline = api.database[TaskDocument.Settings.name], api.commands.deadline()
    while await tasks.find_one(where | UNSETTLED, {"_id": 1}):
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(LOOK_SECONDS)
    return True
