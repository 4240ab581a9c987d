"""The switch that stops all emails: history in, facts out."""

from functools import reduce
from uuid import uuid4

import pytest

from chassis.domain.errors import Refused
from contracts.mailer import PauseSending, ResumeSending, SendingEvent
from services.mailer.sending.switch import Switch, confirm_stopped, evolve, pause, resume
from tests.services.mailer.sample_emails import GIVEN

ADMIN, OTHER = uuid4(), uuid4()
PAUSE = PauseSending(agent_id=ADMIN, reason="the letters look wrong")
RESUME = ResumeSending(agent_id=OTHER)


def folded(*events: SendingEvent) -> Switch:
    switch = reduce(evolve, events, None)
    assert switch
    return switch


def test_a_pause_waits_for_what_is_in_flight_then_has_stopped_all() -> None:
    [paused] = pause(None, PAUSE, GIVEN)
    assert (paused.agent_id, getattr(paused, "reason", None)) == (ADMIN, PAUSE.reason)
    pausing = folded(paused)
    assert (pausing.status, pausing.due_at) == ("pausing", GIVEN.now)
    [stopped] = confirm_stopped(pausing, GIVEN)
    after = folded(paused, stopped)
    assert (after.status, after.due_at) == ("paused", None)
    with pytest.raises(Refused, match="paused"):
        confirm_stopped(after, GIVEN)
    for known in (pausing, after):
        with pytest.raises(Refused, match="already paused"):
            pause(known, PAUSE, GIVEN)


def test_it_is_resumed_also_before_all_has_stopped() -> None:
    [paused] = pause(None, PAUSE, GIVEN)
    for known in (folded(paused), folded(paused, *confirm_stopped(folded(paused), GIVEN))):
        [resumed] = resume(known, RESUME, GIVEN)
        active = evolve(known, resumed)
        assert (active.status, active.due_at) == ("active", None)
        # Whoever waited to confirm the stop comes too late.
        with pytest.raises(Refused, match="active"):
            confirm_stopped(active, GIVEN)
        assert pause(active, PAUSE, GIVEN)


def test_what_is_not_paused_is_not_resumed() -> None:
    with pytest.raises(Refused, match="not paused"):
        resume(None, RESUME, GIVEN)
