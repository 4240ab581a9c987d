"""An agent's clients moved to another agent: a command for each."""

from collections.abc import Iterator
from typing import get_args
from uuid import UUID, uuid5

from pydantic import BaseModel

from chassis.mongo.client import Database
from contracts.crm import ReassignClient, Stage
from contracts.replies import CommandRejected
from services.gateway.commands.client import CommandClient


class RefusedClient(BaseModel):
    """A client that stays with its agent."""

    client_id: UUID
    reason: str


class PendingClient(BaseModel):
    """A client of which `/api/admin/commands/{command_id}` will tell what becomes of it."""

    client_id: UUID
    command_id: UUID


class Reassigned(BaseModel):
    """What became of the agent's clients."""

    reassigned: int
    refused: list[RefusedClient]
    pending: list[PendingClient]


async def reassign_clients(
    commands: CommandClient, database: Database, agent_id: UUID, to_agent_id: UUID, *, base: UUID
) -> Reassigned:
    """Move the agent's clients; return when the views show them.

    The commands' ids follow from `base`, so that a request that comes again is not carried out
    twice. Raises Unavailable without Kafka: some of the clients may be moved then.
    """
    where = {"agent_id": agent_id, "stage": {"$in": list(get_args(Stage))}}
    clients = {
        uuid5(base, f"client {raw['_id']}"): raw["_id"]
        async for raw in database["clients"].find(where, {"_id": 1})
    }

    def all_() -> Iterator[tuple[UUID, ReassignClient]]:
        for command_id, client_id in clients.items():
            yield (
                command_id,
                ReassignClient(agent_id=agent_id, client_id=client_id, to_agent_id=to_agent_id),
            )

    replies = await commands.execute_all(all_())
    refused = [
        RefusedClient(client_id=clients[command_id], reason=reply.reason)
        for command_id, reply in replies.items()
        if isinstance(reply, CommandRejected)
    ]
    pending = [
        PendingClient(client_id=client_id, command_id=command_id)
        for command_id, client_id in clients.items()
        if command_id not in replies
    ]
    return Reassigned(
        reassigned=len(clients) - len(refused) - len(pending), refused=refused, pending=pending
    )
