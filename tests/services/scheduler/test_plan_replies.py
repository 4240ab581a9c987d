"""A client's reply pauses the plan, once, and is recorded whatever the plan is like."""

from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.domain.errors import Refused
from contracts.scheduler import ClientReplied, PlanPaused, RecordReply
from services.scheduler.plan import Plan
from services.scheduler.plan_cancellations import cancelled
from services.scheduler.plan_replies import record_reply
from tests.services.scheduler.sample_plans import AGENT, CLIENT, NOON, at, due_at, folded, planned

REPLY = RecordReply(agent_id=AGENT, client_id=CLIENT, replied_at=at(0.5).now, source="email")


def types(plan: Plan | None) -> list[type]:
    return [type(event) for event in record_reply(plan, REPLY, at(0.6))]


def test_a_reply_pauses_the_plan_with_its_reason() -> None:
    plan = planned()
    replied, paused = record_reply(plan, REPLY, at(0.6))
    assert isinstance(replied, ClientReplied)
    assert (replied.replied_at, replied.source) == (at(0.5).now, "email")
    assert isinstance(paused, PlanPaused)
    assert paused.reason == "client_replied"
    after = folded(plan, [replied, paused])
    assert (after.due_at, after.paused_at) == (None, at(0.6).now)


def test_so_does_one_that_comes_while_the_last_letter_waits_to_be_sent() -> None:
    plan = planned()
    plan = folded(plan, due_at(plan, 1))
    plan = folded(plan, cancelled(plan, plan.pending, "by_agent", NOON))
    assert types(plan) == [ClientReplied, PlanPaused]


def test_another_reply_is_recorded_and_pauses_nothing_again() -> None:
    plan = folded(planned(), record_reply(planned(), REPLY, at(0.6)))
    assert types(plan) == [ClientReplied]


def test_a_client_without_a_plan_or_with_one_that_has_ended_replies_too() -> None:
    assert types(None) == [ClientReplied]
    plan = planned()
    ended = folded(plan, cancelled(plan, plan.stoppable, "by_agent", NOON))
    assert types(ended) == [ClientReplied]
    assert folded(None, record_reply(None, REPLY, at(0.6))).due_at is None


def test_no_reply_comes_from_the_future() -> None:
    late = REPLY.model_copy(update={"replied_at": NOON + timedelta(days=9)})
    replied, _ = record_reply(planned(), late, at(0.6))
    assert isinstance(replied, ClientReplied)
    assert replied.replied_at == at(0.6).now


def test_another_agent_s_client_is_not_found() -> None:
    stranger = REPLY.model_copy(update={"agent_id": uuid4()})
    with pytest.raises(Refused, match="not found"):
        record_reply(planned(), stranger, at(0.6))
