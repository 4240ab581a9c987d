"""An agent: history in, facts out."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from chassis.domain.errors import Refused
from chassis.domain.state import Given
from contracts.crm import AgentProfile, AgentRegistered, AgentUpdated, RegisterAgent, UpdateAgent
from services.crm.agent import evolve, register, update

AGENT = uuid4()
DANA = AgentProfile(name="Dana Reed", email="dana@reed.example")
DANA_MOVED = DANA.model_copy(update={"company": "Hill Homes"})
GIVEN = Given(datetime(2026, 1, 31, 12, tzinfo=UTC), uuid4())
REGISTERED = AgentRegistered(agent_id=AGENT, registered_at=GIVEN.now, personal=DANA)
UPDATED = AgentUpdated(agent_id=AGENT, updated_at=GIVEN.now, personal=DANA_MOVED)
KNOWN = evolve(None, REGISTERED)


def test_an_agent_is_registered_once() -> None:
    order = RegisterAgent(agent_id=AGENT, personal=DANA)
    assert register(None, order, GIVEN) == [REGISTERED]
    assert register(KNOWN, order, GIVEN) == []


def test_registering_a_registered_agent_updates_its_profile() -> None:
    order = RegisterAgent(agent_id=AGENT, personal=DANA_MOVED)
    assert register(KNOWN, order, GIVEN) == [UPDATED]
    assert evolve(KNOWN, UPDATED).personal == DANA_MOVED


def test_an_update_carries_the_whole_profile_unless_nothing_changes() -> None:
    assert update(KNOWN, UpdateAgent(agent_id=AGENT, personal=DANA_MOVED), GIVEN) == [UPDATED]
    assert update(KNOWN, UpdateAgent(agent_id=AGENT, personal=DANA), GIVEN) == []


def test_an_agent_that_was_never_registered_is_not_found() -> None:
    with pytest.raises(Refused, match="agent not found") as refusal:
        update(None, UpdateAgent(agent_id=AGENT, personal=DANA), GIVEN)
    assert refusal.value.kind == "not_found"
