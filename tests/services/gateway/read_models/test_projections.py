"""The read model of clients: the same from any order between the streams."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.projections.views import view_raw
from contracts.crm import ClientCreated, ClientDeleted, ClientDetails, ClientUpdated
from contracts.mailer import AddressSuppressed, SuppressedAddress, suppression_id
from contracts.message import Message
from contracts.scheduler import PlanPaused
from services.gateway.read_models.documents import ClientDocument
from services.gateway.read_models.projections import CLIENTS
from services.gateway.read_models.schemas.clients import Client
from tests.services.gateway.client_events import DAY, NOON
from tests.services.gateway.read_models.histories import AGENT, CLIENT, STORY, folded

pytestmark = pytest.mark.usefixtures("declared")
MARIA = ClientDetails(
    name="Maria  López-Ruiz",
    email="M.Lopez@mail.example",
    property_address="12 Elm St, Springfield",
)
_PLAIN: dict[str, Any] = {
    "agent_id": AGENT,
    "client_id": CLIENT,
    "stage": "lead",
    "property_type": "land",
    "created_at": NOON,
}
CREATED = ClientCreated(**_PLAIN, personal=MARIA)
UPDATED = ClientUpdated(
    **_PLAIN | {"stage": "lost"}, updated_at=NOON + DAY, personal=ClientDetails(name="M", email="m")
)
DELETED = ClientDeleted(agent_id=AGENT, client_id=CLIENT, deleted_at=NOON + 2 * DAY)


def client_of(*events: Message) -> ClientDocument:
    client: ClientDocument = folded(CLIENTS, CLIENT, events)
    return client


def test_a_client_is_found_by_the_words_of_name_email_and_address() -> None:
    assert client_of(CREATED).search == sorted(
        [
            *("maria", "lopez-ruiz", "ruiz", "12", "elm", "st", "springfield"),
            *("m.lopez@mail.example", "lopez@mail.example", "mail.example", "example"),
        ]
    )


@given(st.permutations([STORY.sent(0, 3), STORY.sent(1, 5)]), st.integers(0, 2), st.booleans())
def test_last_contacted_is_the_latest_sending_whatever_comes_first(
    sent: Sequence[Message], before: int, gone: bool
) -> None:
    client = client_of(*sent[:before], CREATED, UPDATED, *sent[before:])
    assert client.last_contacted == NOON + 5 * DAY
    assert (client.name, client.stage) == ("M", "lost")
    assert (client.created_at, client.updated_at) == (NOON, NOON + DAY)
    tombstone = client_of(*sent[:before], CREATED, DELETED, *sent[before:])
    assert (tombstone.stage, tombstone.name, tombstone.email) == (None, None, None)
    assert tombstone.search == []


def test_a_deleted_client_keeps_no_address_whenever_it_was_suppressed() -> None:
    email = CREATED.personal.email
    suppressed = AddressSuppressed(
        agent_id=AGENT,
        suppression_id=suppression_id(AGENT, email),
        reason="bounced",
        suppressed_at=NOON + DAY,
        reported_client=CLIENT,
        personal=SuppressedAddress(email=email, canonical=email),
    )
    assert client_of(CREATED, suppressed).email_status == "bounced"
    assert client_of(suppressed, CREATED) == client_of(CREATED, suppressed)
    before, after = client_of(CREATED, suppressed, DELETED), client_of(CREATED, DELETED, suppressed)
    assert before == after
    assert email not in str(view_raw(after))


@st.composite
def with_pauses(draw: st.DrawFn) -> tuple[Sequence[Message], bool, bool]:
    """Generate a client's events among its plan's, and whether it is deleted, and paused."""
    own: tuple[Message, ...] = (CREATED, UPDATED, DELETED)[: draw(st.integers(0, 3))]
    plan = (STORY.planned(), STORY.paused(1), STORY.resumed(2), STORY.paused(3))
    told = plan[: draw(st.integers(2, 4))]
    order = draw(st.permutations([0] * len(own) + [1] * len(told)))
    left: list[Any] = [iter(own), iter(told)]
    return [next(left[n]) for n in order], DELETED in own, isinstance(told[-1], PlanPaused)


@given(with_pauses())
def test_a_client_shows_a_pause_until_its_end_whatever_comes_first(
    told: tuple[Sequence[Message], bool, bool],
) -> None:
    events, gone, paused = told
    client = client_of(*events)
    assert client.plan_paused is (True if paused else None)
    assert ("plan_paused" in view_raw(client)) is paused
    if gone or CREATED not in events:
        assert (client.stage, client.name, client.search) == (None, None, [])
    else:
        assert Client.model_validate(view_raw(client)).plan_paused is paused
