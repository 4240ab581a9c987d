"""What crm stores: agents and clients."""

from typing import ClassVar

from pymongo import IndexModel

from chassis.domain.errors import Refused
from chassis.eventlog.aggregate import Aggregate, StateDocument
from chassis.recovery.persistence import Store
from contracts.crm import AgentEvent, ClientEvent
from services.crm import agent, client

UNIQUE_EMAIL = "unique_email"


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


AGENTS = Aggregate[agent.Agent, AgentEvent]("agent", AgentDocument, agent.evolve)
CLIENTS = Aggregate[client.Client, ClientEvent](
    "client",
    ClientDocument,
    client.evolve,
    unique={UNIQUE_EMAIL: Refused("another client has this email", field="email")},
)

STORE = Store(aggregates=(AGENTS, CLIENTS))
