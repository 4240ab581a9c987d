"""An agent: history in, facts out."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import uuid4

import pytest

from chassis.domain.errors import Refused
from chassis.domain.state import Given
from contracts.crm import (
    AgentDeactivated,
    AgentProfile,
    AgentReactivated,
    AgentRegistered,
    AgentUpdated,
    DeactivateAgent,
    ReactivateAgent,
    RegisterAgent,
    UpdateAgent,
)
from services.crm.agent import Agent, deactivate, evolve, reactivate, register, update

AGENT = uuid4()
DANA = AgentProfile(name="Dana Reed", email="dana@reed.example")
DANA_MOVED = DANA.model_copy(update={"company": "Hill Homes"})
GIVEN = Given(datetime(2026, 1, 31, 12, tzinfo=UTC), uuid4())
REGISTERED = AgentRegistered(agent_id=AGENT, registered_at=GIVEN.now, personal=DANA)
UPDATED = AgentUpdated(agent_id=AGENT, updated_at=GIVEN.now, personal=DANA_MOVED)
KNOWN = evolve(None, REGISTERED)
LATER = GIVEN.now + timedelta(milliseconds=1)
DEACTIVATED = AgentDeactivated(agent_id=AGENT, deactivated_at=GIVEN.now)
REACTIVATED = AgentReactivated(agent_id=AGENT, reactivated_at=LATER)
STOP = DeactivateAgent(agent_id=AGENT, deactivated_at=GIVEN.now)
GO_ON = ReactivateAgent(agent_id=AGENT, reactivated_at=LATER)


Order = DeactivateAgent | ReactivateAgent


def after(*orders: Order) -> Agent:
    """Return the agent after these orders."""
    agent = KNOWN
    for order in orders:
        match order:
            case DeactivateAgent():
                events = deactivate(agent, order, GIVEN)
            case ReactivateAgent():
                events = reactivate(agent, order, GIVEN)
        for event in events:
            agent = evolve(agent, event)
    return agent


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


def test_an_agent_is_deactivated_and_reactivated_once_each_at_the_time_of_the_order() -> None:
    assert deactivate(KNOWN, STOP, GIVEN) == [DEACTIVATED]
    stopped = evolve(KNOWN, DEACTIVATED)
    assert stopped.deactivated_at == GIVEN.now
    assert deactivate(stopped, STOP, GIVEN) == []
    assert reactivate(stopped, GO_ON, GIVEN) == [REACTIVATED]
    going_on = evolve(stopped, REACTIVATED)
    assert going_on.deactivated_at is None
    assert reactivate(going_on, GO_ON, GIVEN) == []


def test_the_latest_order_counts_in_whatever_order_and_however_often_they_come() -> None:
    again = DeactivateAgent(agent_id=AGENT, deactivated_at=LATER + timedelta(milliseconds=1))
    reactivated: list[Order] = [STOP, GO_ON, STOP, GO_ON]
    for orders in permutations(reactivated):
        assert after(*orders).deactivated_at is None
    deactivated: list[Order] = [STOP, GO_ON, again, GO_ON]
    for orders in permutations(deactivated):
        assert after(*orders).deactivated_at == again.deactivated_at


def test_a_deactivated_agent_s_profile_is_changed_and_it_stays_deactivated() -> None:
    changed = evolve(evolve(KNOWN, DEACTIVATED), UPDATED)
    assert changed.deactivated_at == GIVEN.now
    assert changed.personal == DANA_MOVED


def test_an_unknown_agent_is_neither_deactivated_nor_reactivated() -> None:
    with pytest.raises(Refused, match="agent not found"):
        deactivate(None, STOP, GIVEN)
    with pytest.raises(Refused, match="agent not found"):
        reactivate(None, GO_ON, GIVEN)


def test_an_active_agent_is_stored_as_before_there_were_deactivations() -> None:
    stored = {name for name, value in KNOWN.model_dump().items() if value is not None}
    assert stored == {"agent_id", "personal"}
