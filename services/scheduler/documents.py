"""What scheduler stores: plans, and views of their agents and clients."""

from typing import Any, ClassVar
from uuid import UUID

from chassis.eventlog.aggregate import DUE, Aggregate, StateDocument
from chassis.mongo.client import UuidDocument
from chassis.projections.views import View
from chassis.recovery.persistence import Store
from contracts.crm import (
    AgentEvent,
    AgentProfile,
    AgentRegistered,
    AgentUpdated,
    ClientCreated,
    ClientDeleted,
    ClientDetails,
    ClientEvent,
    ClientUpdated,
    PropertyType,
    Stage,
)
from contracts.scheduler import FollowupEvent
from services.scheduler import plan


class PlanDocument(StateDocument[plan.Plan]):
    """A plan's state."""

    class Settings:
        name = "plans"
        indexes: ClassVar = [DUE]


class AgentDocument(UuidDocument):
    """An agent as crm published it last."""

    personal: AgentProfile

    class Settings:
        name = "agents"


class ClientDocument(UuidDocument):
    """A client as crm published it last; without personal data when it is deleted."""

    agent_id: UUID
    stage: Stage | None = None
    property_type: PropertyType | None = None
    personal: ClientDetails | None = None

    class Settings:
        name = "clients"


PLANS = Aggregate[plan.Plan, FollowupEvent]("plan", PlanDocument, plan.evolve)


def _agent(known: AgentDocument | None, event: AgentEvent, id_: UUID) -> AgentDocument:
    return AgentDocument(id=event.agent_id, personal=event.personal)


def _client(known: ClientDocument | None, event: ClientEvent, id_: UUID) -> ClientDocument:
    if isinstance(event, ClientDeleted):
        return ClientDocument(id=event.client_id, agent_id=event.agent_id)
    return ClientDocument(
        id=event.client_id,
        agent_id=event.agent_id,
        stage=event.stage,
        property_type=event.property_type,
        personal=event.personal,
    )


def _ids(name: str) -> Any:
    return lambda event: (getattr(event, name),)


AGENTS = View(AgentDocument, _ids("agent_id"), _agent, (AgentRegistered, AgentUpdated))
CLIENTS = View(
    ClientDocument, _ids("client_id"), _client, (ClientCreated, ClientUpdated, ClientDeleted)
)

STORE = Store(aggregates=(PLANS,), views=(AGENTS, CLIENTS))
