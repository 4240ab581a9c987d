"""What crm stores: agents, their clients and sequences."""

from typing import ClassVar

from pymongo import IndexModel

from chassis.domain.errors import Refused
from chassis.eventlog.aggregate import Aggregate, StateDocument
from chassis.mongo.client import Database
from chassis.recovery.persistence import Store
from contracts.addresses import canonical_address
from contracts.crm import AgentEvent, ClientEvent
from contracts.sequences import SequenceEvent
from services.crm import agent, client, sequence

UNIQUE_EMAIL = "unique_email"
UNIQUE_NAME = "unique_name"


class AgentDocument(StateDocument[agent.Agent]):
    """An agent's state."""

    class Settings:
        name = "agents"


class ClientDocument(StateDocument[client.Client]):
    """A client's state; its email is unique among the agent's clients that are not deleted."""

    class Settings:
        name = "clients"
        indexes: ClassVar = [
            IndexModel(
                [("state.agent_id", 1), ("state.email_key", 1)],
                name=UNIQUE_EMAIL,
                unique=True,
                partialFilterExpression={"state.email_key": {"$type": "string"}},
            )
        ]


class SequenceDocument(StateDocument[sequence.Sequence]):
    """A sequence's state; its name is unique among the agent's sequences that are not retired."""

    class Settings:
        name = "sequences"
        indexes: ClassVar = [
            IndexModel(
                [("state.agent_id", 1), ("state.name_key", 1)],
                name=UNIQUE_NAME,
                unique=True,
                partialFilterExpression={"state.name_key": {"$type": "string"}},
            )
        ]


AGENTS = Aggregate[agent.Agent, AgentEvent]("agent", AgentDocument, agent.evolve)
CLIENTS = Aggregate[client.Client, ClientEvent](
    "client",
    ClientDocument,
    client.evolve,
    unique={UNIQUE_EMAIL: Refused("another client has this email", field="email")},
)

SEQUENCES = Aggregate[sequence.Sequence, SequenceEvent](
    "sequence",
    SequenceDocument,
    sequence.evolve,
    unique={UNIQUE_NAME: Refused("another sequence has this name", field="name")},
)

STORE = Store(aggregates=(AGENTS, CLIENTS, SEQUENCES))


async def renew_email_keys(database: Database) -> int:
    """Make the keys that 0.1.0 has stored canonical; return how many were not.

    A job, run while no crm of 0.1.0 does: it reads every client. An address in ASCII has the same
    key in both.
    """
    clients = database[CLIENTS.collection]
    beyond_ascii = {"state.personal.email": {"$regex": r"[^\x00-\x7F]"}}
    fields = {"version": 1, "state.email_key": 1, "state.personal.email": 1}
    renewed = 0
    async for raw in clients.find(beyond_ascii, fields):
        key = canonical_address(raw["state"]["personal"]["email"])
        if raw["state"]["email_key"] != key:
            unchanged = {"_id": raw["_id"], "version": raw["version"]}
            done = await clients.update_one(unchanged, {"$set": {"state.email_key": key}})
            renewed += done.modified_count
    return renewed
