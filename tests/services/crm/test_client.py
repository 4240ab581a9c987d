"""A client of an agent: history in, facts out."""

from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.domain.errors import Refused
from chassis.domain.state import Given
from contracts.crm import (
    ClientCreated,
    ClientDeleted,
    ClientDetails,
    ClientDetailsPatch,
    ClientEvent,
    ClientReassigned,
    ClientUpdated,
    CreateClient,
    DeleteClient,
    NewClientDetails,
    ReassignClient,
    UpdateClient,
)
from services.crm.client import Client, create, delete, evolve, reassign, update

AGENT, CLIENT = uuid4(), uuid4()
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
GIVEN = Given(NOON + timedelta(hours=1), uuid4())
MARIA = ClientDetails(
    name="Maria Lopez", email="Maria@mail.example.com", phone="1", custom_fields={"pool": True}
)
CREATED = ClientCreated(
    agent_id=AGENT,
    client_id=CLIENT,
    stage="lead",
    property_type="land",
    created_at=NOON,
    personal=MARIA,
)
DELETED = ClientDeleted(agent_id=AGENT, client_id=CLIENT, deleted_at=NOON)


def folded(*events: ClientEvent) -> Client:
    client = reduce(evolve, events, None)
    assert client
    return client


def changes(agent_id: UUID = AGENT, personal: Any = None, **fields: Any) -> UpdateClient:
    details = ClientDetailsPatch.model_validate(personal or {})
    return UpdateClient(agent_id=agent_id, client_id=CLIENT, personal=details, **fields)


def create_maria(**fields: Any) -> CreateClient:
    details = NewClientDetails.model_validate(MARIA.model_dump())
    return CreateClient(agent_id=AGENT, client_id=CLIENT, personal=details, **fields)


def test_a_new_client_is_created_now_as_ordered() -> None:
    [event] = create(None, create_maria(stage="negotiating", property_type="commercial"), GIVEN)
    assert event == ClientCreated(
        agent_id=AGENT,
        client_id=CLIENT,
        stage="negotiating",
        property_type="commercial",
        created_at=GIVEN.now,
        personal=MARIA,
    )


def test_a_new_client_is_a_lead_of_a_residential_property_unless_said_otherwise() -> None:
    [event] = create(None, create_maria(), GIVEN)
    assert isinstance(event, ClientCreated)
    assert (event.stage, event.property_type) == ("lead", "residential")


@pytest.mark.parametrize("history", [(CREATED,), (CREATED, DELETED)])
def test_an_id_is_never_used_twice(history: tuple[ClientEvent, ...]) -> None:
    with pytest.raises(Refused, match="already exists") as refusal:
        create(folded(*history), create_maria(), GIVEN)
    assert (refusal.value.kind, refusal.value.field) == ("conflict", "client_id")


def test_the_email_is_compared_without_its_case() -> None:
    assert folded(CREATED).email_key == "maria@mail.example.com"


def test_an_update_carries_the_whole_client_and_keeps_what_it_does_not_name() -> None:
    [event] = update(folded(CREATED), changes(stage="closed", personal={"name": "Mia"}), GIVEN)
    assert event == ClientUpdated(
        agent_id=AGENT,
        client_id=CLIENT,
        stage="closed",
        property_type="land",
        created_at=NOON,
        updated_at=GIVEN.now,
        personal=MARIA.model_copy(update={"name": "Mia"}),
    )


def test_null_empties_what_may_be_empty() -> None:
    [event] = update(folded(CREATED), changes(personal={"phone": None}), GIVEN)
    assert isinstance(event, ClientUpdated)
    assert event.personal.phone is None
    assert event.personal.name == "Maria Lopez"


def test_an_update_s_defaults_are_never_applied() -> None:
    assert update(folded(CREATED), changes(), GIVEN) == []


@pytest.mark.parametrize(
    "command",
    [
        changes(stage="lead"),
        changes(property_type="land", personal={"email": "Maria@mail.example.com", "phone": "1"}),
        changes(personal={"custom_fields": {"pool": True}}),
    ],
)
def test_a_change_that_changes_nothing_is_no_event(command: UpdateClient) -> None:
    assert update(folded(CREATED), command, GIVEN) == []


def test_a_change_of_the_email_changes_what_is_compared() -> None:
    before = folded(CREATED)
    [event] = update(before, changes(personal={"email": "New@Mail.example.com"}), GIVEN)
    assert evolve(before, event).email_key == "new@mail.example.com"


def test_a_deleted_client_is_a_tombstone_without_personal_data() -> None:
    [event] = delete(folded(CREATED), DeleteClient(agent_id=AGENT, client_id=CLIENT), GIVEN)
    assert event == ClientDeleted(agent_id=AGENT, client_id=CLIENT, deleted_at=GIVEN.now)
    tombstone = folded(CREATED, event)
    assert tombstone.personal is None
    assert tombstone.email_key is None
    assert "aria" not in tombstone.model_dump_json()


@pytest.mark.parametrize(
    ("client", "agent_id"),
    [(None, AGENT), (folded(CREATED, DELETED), AGENT), (folded(CREATED), uuid4())],
    ids=["never created", "deleted", "another agent's"],
)
def test_a_missing_deleted_or_foreign_client_is_not_found(
    client: Client | None, agent_id: UUID
) -> None:
    with pytest.raises(Refused, match="client not found") as refusal:
        update(client, changes(agent_id, stage="lost"), GIVEN)
    assert refusal.value.kind == "not_found"
    with pytest.raises(Refused, match="client not found") as refusal:
        delete(client, DeleteClient(agent_id=agent_id, client_id=CLIENT), GIVEN)
    assert refusal.value.kind == "not_found"


def test_a_reassigned_client_is_the_other_agent_s_alone() -> None:
    to = uuid4()
    command = ReassignClient(agent_id=AGENT, client_id=CLIENT, to_agent_id=to)
    [event] = reassign(folded(CREATED), command, GIVEN)
    assert event == ClientReassigned(
        agent_id=to, client_id=CLIENT, former_agent_id=AGENT, reassigned_at=GIVEN.now
    )
    client = folded(CREATED, event)
    assert client == folded(CREATED).model_copy(update={"agent_id": to})
    with pytest.raises(Refused, match="not found"):
        update(client, changes(stage="closed"), GIVEN)
    [changed] = update(client, changes(to, stage="closed"), GIVEN)
    assert changed.agent_id == to
    back = command.model_copy(update={"agent_id": to})
    assert reassign(client, back, GIVEN) == []


@pytest.mark.parametrize(
    ("history", "agent_id"), [((CREATED,), uuid4()), ((CREATED, DELETED), AGENT)]
)
def test_neither_a_foreign_nor_a_deleted_client_is_reassigned(
    history: tuple[ClientEvent, ...], agent_id: UUID
) -> None:
    command = ReassignClient(agent_id=agent_id, client_id=CLIENT, to_agent_id=uuid4())
    with pytest.raises(Refused, match="not found"):
        reassign(folded(*history), command, GIVEN)


def test_a_phone_with_an_extension_is_kept_whole_and_given_up_with_its_number() -> None:
    long = "+1 (555) 010-2306 ext. 4411"
    new = NewClientDetails(name="Maria", email="m@mail.example.com", phone=long)
    [created] = create(None, CreateClient(agent_id=AGENT, client_id=CLIENT, personal=new), GIVEN)
    assert isinstance(created, ClientCreated)
    assert created.personal.fields()["phone"] == long
    assert update(folded(created), changes(personal={"notes": None, "phone": long}), GIVEN) == []
    [event] = update(folded(created), changes(personal={"phone": "2"}), GIVEN)
    assert isinstance(event, ClientUpdated)
    assert (event.personal.phone, event.personal.full_phone) == ("2", None)
