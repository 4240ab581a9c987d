"""An agent: the person whose clients are followed up."""

from typing import assert_never
from uuid import UUID

from chassis.domain.errors import Refused
from chassis.domain.state import Given, State
from contracts.crm import (
    AgentDeactivated,
    AgentEvent,
    AgentProfile,
    AgentReactivated,
    AgentRegistered,
    AgentUpdated,
    DeactivateAgent,
    ReactivateAgent,
    RegisterAgent,
    UpdateAgent,
)
from contracts.message import Time


class Agent(State):
    """A registered agent; deactivated while `deactivated_at` is set.

    `reactivated_at` is the time of the last reactivation, unless a deactivation came after it.
    """

    agent_id: UUID
    personal: AgentProfile
    deactivated_at: Time | None = None
    reactivated_at: Time | None = None


def evolve(agent: Agent | None, event: AgentEvent) -> Agent:
    """Fold an event."""
    match event:
        case AgentRegistered():
            return Agent(agent_id=event.agent_id, personal=event.personal)
        case AgentUpdated():
            return _next(agent, personal=event.personal)
        case AgentDeactivated():
            return _next(agent, deactivated_at=event.deactivated_at, reactivated_at=None)
        case AgentReactivated():
            return _next(agent, deactivated_at=None, reactivated_at=event.reactivated_at)
        case _:
            assert_never(event)


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
    return _changed(_registered(agent), command, given)


def deactivate(agent: Agent | None, command: DeactivateAgent, given: Given) -> list[AgentEvent]:
    """Deactivate the agent, unless a later change is known already: commands may be reordered."""
    at = command.deactivated_at
    if not _is_later(at, _registered(agent)):
        return []
    return [AgentDeactivated(agent_id=command.agent_id, deactivated_at=at)]


def reactivate(agent: Agent | None, command: ReactivateAgent, given: Given) -> list[AgentEvent]:
    """Reactivate the agent, unless a later change is known already.

    Also an active agent, so that an earlier deactivation which comes late does nothing.
    """
    at = command.reactivated_at
    if not _is_later(at, _registered(agent)):
        return []
    return [AgentReactivated(agent_id=command.agent_id, reactivated_at=at)]


def _changed(agent: Agent, command: RegisterAgent, given: Given) -> list[AgentEvent]:
    if agent.personal == command.personal:
        return []
    return [AgentUpdated(agent_id=agent.agent_id, updated_at=given.now, personal=command.personal)]


def _registered(agent: Agent | None) -> Agent:
    if agent is None:
        raise Refused("agent not found", kind="not_found")
    return agent


def _is_later(at: Time, agent: Agent) -> bool:
    latest = agent.deactivated_at or agent.reactivated_at
    return latest is None or at > latest


def _next(agent: Agent | None, **changes: object) -> Agent:
    if agent is None:
        raise ValueError("an agent changes before it was registered")
    return agent.model_copy(update=changes)
