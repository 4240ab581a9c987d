"""What scheduler stores: plans, and views of their agents and clients."""

from typing import Any, ClassVar, get_args
from uuid import UUID

from chassis.eventlog.aggregate import DUE, Aggregate, StateDocument
from chassis.mongo.client import UuidDocument
from chassis.projections.views import View
from chassis.recovery.persistence import Store
from contracts.crm import (
    AgentDeactivated,
    AgentEvent,
    AgentProfile,
    AgentRegistered,
    AgentUpdated,
    ClientDeleted,
    ClientDetails,
    ClientEvent,
    ClientReassigned,
    PropertyType,
    Stage,
)
from contracts.message import Time
from contracts.scheduler import FollowupEvent
from services.scheduler import plan


class PlanDocument(StateDocument[plan.Plan]):
    """A plan's state."""

    class Settings:
        name = "plans"
        indexes: ClassVar = [DUE]


class AgentDocument(UuidDocument):
    """An agent as crm published it last; deactivated while `deactivated_at` is set."""

    personal: AgentProfile
    deactivated_at: Time | None = None

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
    if isinstance(event, AgentRegistered | AgentUpdated):
        since = known.deactivated_at if known else None
        return AgentDocument(id=event.agent_id, personal=event.personal, deactivated_at=since)
    if known is None:
        raise ValueError("an agent changes before it was registered")
    since = event.deactivated_at if isinstance(event, AgentDeactivated) else None
    changed: AgentDocument = known.model_copy(update={"deactivated_at": since})
    return changed


def _client(known: ClientDocument | None, event: ClientEvent, id_: UUID) -> ClientDocument:
    if isinstance(event, ClientDeleted):
        return ClientDocument(id=event.client_id, agent_id=event.agent_id)
    if isinstance(event, ClientReassigned):
        if known is None:
            raise ValueError("a client is reassigned before it was created")
        reassigned: ClientDocument = known.model_copy(update={"agent_id": event.agent_id})
        return reassigned
    return ClientDocument(
        id=event.client_id,
        agent_id=event.agent_id,
        stage=event.stage,
        property_type=event.property_type,
        personal=event.personal,
    )


def _ids(name: str) -> Any:
    return lambda event: (getattr(event, name),)


AGENTS = View(AgentDocument, _ids("agent_id"), _agent, get_args(AgentEvent))
CLIENTS = View(ClientDocument, _ids("client_id"), _client, get_args(ClientEvent))

STORE = Store(aggregates=(PLANS,), views=(AGENTS, CLIENTS))
