"""The switch that stops all emails to clients: active, pausing, or paused."""

from typing import Literal, assert_never
from uuid import UUID

from chassis.domain.errors import Refused
from chassis.domain.state import Given, State
from contracts.mailer import (
    PauseSending,
    ResumeSending,
    SendingEvent,
    SendingPaused,
    SendingResumed,
    SendingStopped,
)


class Switch(State):
    """Due while `pausing`: until every email that had been started is settled."""

    agent_id: UUID
    status: Literal["active", "pausing", "paused"] = "active"


def evolve(switch: Switch | None, event: SendingEvent) -> Switch:
    """Fold an event."""
    match event:
        case SendingPaused():
            return Switch(agent_id=event.agent_id, status="pausing", due_at=event.paused_at)
        case SendingStopped():
            return Switch(agent_id=event.agent_id, status="paused")
        case SendingResumed():
            return Switch(agent_id=event.agent_id)
        case _:
            assert_never(event)


def pause(switch: Switch | None, command: PauseSending, given: Given) -> list[SendingEvent]:
    """Pause all sending. Refuses when it is paused."""
    if switch and switch.status != "active":
        raise Refused("sending is already paused")
    return [SendingPaused(agent_id=command.agent_id, paused_at=given.now, reason=command.reason)]


def resume(switch: Switch | None, command: ResumeSending, given: Given) -> list[SendingEvent]:
    """Resume sending, also before all of it has stopped. Refuses when it is not paused."""
    if switch is None or switch.status == "active":
        raise Refused("sending is not paused")
    return [SendingResumed(agent_id=command.agent_id, resumed_at=given.now)]


def confirm_stopped(switch: Switch, given: Given) -> list[SendingEvent]:
    """Confirm that nothing is being sent any more. Refuses unless that was waited for."""
    if switch.status != "pausing":
        raise Refused(f"sending is {switch.status}")
    return [SendingStopped(agent_id=switch.agent_id, stopped_at=given.now)]
