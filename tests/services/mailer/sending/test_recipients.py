"""To whom a client's emails go now, and which of them are still wanted: a pure fold."""

from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.crm import ClientCreated, ClientDeleted, ClientDetails, ClientUpdated
from contracts.scheduler import DueFollowupCancelled, PlanPaused, PlanResumed
from services.mailer.sending.recipients import (
    RECIPIENTS,
    RecipientDocument,
    RecipientSource,
)
from tests.services.mailer.sample_emails import AGENT, CLIENT, FOLLOWUP, NOON

pytestmark = pytest.mark.usefixtures("log")  # Beanie makes no document without its collection.
ABOUT: dict[str, Any] = {"agent_id": AGENT, "client_id": CLIENT}
KIND: dict[str, Any] = {"stage": "lead", "property_type": "land", "created_at": NOON}
CREATED = ClientCreated(
    **ABOUT, **KIND, personal=ClientDetails(name="Maria Lopez", email="maria@old.example")
)
MOVED = ClientUpdated(
    **ABOUT,
    **KIND,
    updated_at=NOON,
    personal=ClientDetails(name="Maria Reed", email="maria@new.example"),
)
PAUSED, RESUMED = PlanPaused(**ABOUT, paused_at=NOON), PlanResumed(**ABOUT, resumed_at=NOON)


def cancelled(followup_id: UUID, reason: str) -> DueFollowupCancelled:
    return DueFollowupCancelled(**ABOUT, followup_id=followup_id, reason=reason, cancelled_at=NOON)


def in_berlin() -> ClientUpdated:
    personal = MOVED.personal.model_copy(update={"time_zone": "Europe/Berlin"})
    return MOVED.model_copy(update={"personal": personal})


def folded(*events: RecipientSource) -> RecipientDocument:
    known = None
    for event in events:
        assert set(RECIPIENTS.ids(event)) == {CLIENT}
        known = RECIPIENTS.apply(known, event, CLIENT)
    assert known
    return known


async def test_a_recipient_has_the_client_s_present_address() -> None:
    assert folded(CREATED).moved_from("maria@old.example") is None
    now = folded(CREATED, MOVED)
    assert (now.name, now.email) == ("Maria Reed", "maria@new.example")
    assert now.moved_from("maria@old.example") == "maria@new.example"
    assert now.moved_from("maria@new.example") is None
    # A letter may know of a change that is not read here yet.
    assert now.moved_from("maria@newer.example") is None
    back = MOVED.model_copy(update={"personal": CREATED.personal})
    assert folded(CREATED, MOVED, back).moved_from("maria@new.example") == "maria@old.example"
    assert folded(CREATED, MOVED, back).moved_from("maria@old.example") is None


async def test_the_sending_hours_are_those_of_the_client_s_present_zone() -> None:
    assert folded(CREATED).time_zone is None
    assert folded(CREATED, in_berlin()).time_zone == "Europe/Berlin"
    assert folded(CREATED, in_berlin(), MOVED).time_zone is None


async def test_of_a_deleted_client_no_address_is_kept() -> None:
    deleted = ClientDeleted(**ABOUT, deleted_at=NOON)
    gone = folded(CREATED, in_berlin(), PAUSED, deleted).model_dump(exclude={"id", "revision_id"})
    assert {name for name, value in gone.items() if value is not None} == {"paused_at"}


async def test_a_paused_plan_and_a_cancelled_follow_up_are_objections() -> None:
    assert folded(CREATED, PAUSED).objection(FOLLOWUP, None) == "plan_paused"
    assert folded(CREATED, PAUSED, RESUMED).objection(FOLLOWUP, None) is None
    ended = folded(CREATED, cancelled(uuid4(), "by_agent"), cancelled(FOLLOWUP, "client_lost"))
    assert ended.objection(FOLLOWUP, None) == "client_lost"
    assert ended.objection(uuid4(), None) is None
    # What was cancelled stays so when the plan goes on.
    assert RECIPIENTS.apply(ended, RESUMED, CLIENT).objection(FOLLOWUP, None) == "client_lost"


async def test_topics_may_be_read_in_any_order() -> None:
    events: tuple[RecipientSource, ...] = (MOVED, PAUSED, cancelled(FOLLOWUP, "by_agent"))
    assert len({folded(*order).model_dump_json() for order in permutations(events)}) == 1
