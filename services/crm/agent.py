"""An agent: the person whose clients are followed up."""

from uuid import UUID

from chassis.domain.errors import Refused
from chassis.domain.state import Given, State
from contracts.crm import (
    AgentEvent,
    AgentProfile,
    AgentRegistered,
    AgentUpdated,
    RegisterAgent,
    UpdateAgent,
)


class Agent(State):
    """A registered agent."""

    agent_id: UUID
    personal: AgentProfile


def evolve(agent: Agent | None, event: AgentEvent) -> Agent:
    """Fold an event."""
    return Agent(agent_id=event.agent_id, personal=event.personal)


def register(agent: Agent | None, command: RegisterAgent, given: Given) -> list[AgentEvent]:
    """Register an agent, or update the profile of a registered one."""
    if agent:
        return _changed(agent, command, given)
    return [
        AgentRegistered(
            agent_id=command.agent_id, registered_at=given.now, personal=command.personal
        )
    ]


def update(agent: Agent | None, command: UpdateAgent, given: Given) -> list[AgentEvent]:
    """Replace the profile. Refuses an unregistered agent."""
    if not agent:
        raise Refused("agent not found", kind="not_found")
    return _changed(agent, command, given)


def _changed(agent: Agent, command: RegisterAgent, given: Given) -> list[AgentEvent]:
    if agent.personal == command.personal:
        return []
    return [AgentUpdated(agent_id=agent.agent_id, updated_at=given.now, personal=command.personal)]
