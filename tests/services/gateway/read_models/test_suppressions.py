"""What the read models show of suppressed addresses, whatever comes first."""

from collections.abc import Sequence
from functools import reduce
from typing import Any
from uuid import uuid4

import pytest

from chassis.projections.views import view_raw
from contracts.crm import ClientCreated, ClientDeleted, ClientDetails, ClientUpdated
from contracts.mailer import (
    AddressResubscribed,
    AddressSuppressed,
    SuppressedAddress,
    SuppressionConfirmed,
    SuppressionReason,
    SuppressionReleased,
    suppression_id,
)
from contracts.message import Message
from services.gateway.read_models.documents import ClientDocument
from services.gateway.read_models.projections import CLIENTS
from services.gateway.read_models.suppressions import SUPPRESSIONS, SuppressionDocument
from tests.services.gateway.client_events import DAY, NOON

pytestmark = pytest.mark.usefixtures("declared")
AGENT, FORMER, CLIENT = uuid4(), uuid4(), uuid4()
OLD, NEW = "maria@mail.example", "maria@new.example"
CREATED = ClientCreated(
    agent_id=AGENT,
    client_id=CLIENT,
    stage="lead",
    property_type="land",
    created_at=NOON,
    personal=ClientDetails(name="Maria", email=OLD.upper()),
)
MOVED = ClientUpdated(
    **CREATED.model_dump() | {"personal": ClientDetails(name="Maria", email=NEW)}, updated_at=NOON
)
DELETED = ClientDeleted(agent_id=AGENT, client_id=CLIENT, deleted_at=NOON)


def suppressed(reason: SuppressionReason, at: float, address: str = OLD) -> AddressSuppressed:
    """Return that an address of the client is suppressed, as a former agent's letter has led to."""
    return AddressSuppressed(
        agent_id=FORMER,
        suppression_id=suppression_id(FORMER, address),
        reason=reason,
        suppressed_at=NOON + at * DAY,
        reported_client=CLIENT,
        personal=SuppressedAddress(email=address, canonical=address),
        source="link",
    )


def _about(address: str = OLD) -> dict[str, Any]:
    return {"agent_id": FORMER, "suppression_id": suppression_id(FORMER, address)}


CONFIRMED = SuppressionConfirmed(**_about(), confirmed_at=NOON + 2 * DAY)
RESUBSCRIBED = AddressResubscribed(
    **_about(), resubscribed_at=NOON + 3 * DAY, reported_client=CLIENT
)
RELEASED = SuppressionReleased(**_about(), released_at=NOON + 3 * DAY, reported_client=CLIENT)
OTHER_RELEASED = SuppressionReleased(**_about(NEW), released_at=NOON, reported_client=CLIENT)


def client_of(*events: Message) -> ClientDocument:
    concerned = (e for e in events if isinstance(e, CLIENTS.types) and CLIENT in CLIENTS.ids(e))
    client: ClientDocument | None = reduce(
        lambda known, event: CLIENTS.apply(known, event, CLIENT), concerned, None
    )
    assert client
    return client


def shown(*events: Message) -> SuppressionDocument:
    first = events[0]
    found: SuppressionDocument | None = reduce(
        lambda known, event: SUPPRESSIONS.apply(known, event, event.suppression_id),  # type: ignore[attr-defined]
        events,
        None,
    )
    assert found
    assert SUPPRESSIONS.ids(first) == (found.id,)
    return found


@pytest.mark.parametrize(
    ("events", "status", "since"),
    [
        ((suppressed("unsubscribed", 1),), "unsubscribed", 1),
        ((suppressed("spam_report", 1),), "spam_report", 1),
        ((suppressed("bounced", 1),), "bounced", None),
        ((suppressed("bounced", 1), suppressed("unsubscribed", 2)), "unsubscribed", 2),
        ((suppressed("unsubscribed", 1), RESUBSCRIBED), None, None),
        ((suppressed("bounced", 1), RESUBSCRIBED), "bounced", None),
        ((suppressed("bounced", 1), RELEASED), None, None),
        ((suppressed("unsubscribed", 1), RELEASED), None, None),
        ((suppressed("unsubscribed", 1, NEW),), None, None),
        ((suppressed("unsubscribed", 1), OTHER_RELEASED), "unsubscribed", 1),
    ],
)
def test_a_client_shows_why_it_gets_no_emails_whatever_comes_first(
    events: Sequence[Message], status: str | None, since: float | None
) -> None:
    for before in range(len(events) + 1):
        client = client_of(*events[:before], CREATED, *events[before:])
        assert client.email_status == status
        assert client.unsubscribed_at == (None if since is None else NOON + since * DAY)
        assert client.agent_id in (AGENT, FORMER)


def test_it_is_the_present_address_that_counts() -> None:
    opted_out = suppressed("unsubscribed", 1)
    assert client_of(CREATED, opted_out, MOVED).email_status is None
    back = CREATED.model_copy(update={"personal": CREATED.personal})
    assert client_of(CREATED, opted_out, MOVED, back).email_status == "unsubscribed"
    assert client_of(CREATED, suppressed("bounced", 1, NEW), MOVED).email_status == "bounced"


def test_a_deleted_client_shows_nothing_and_one_of_0_1_0_is_told_of_none() -> None:
    assert "email_status" not in view_raw(client_of(CREATED, suppressed("bounced", 1), DELETED))
    nobody = suppressed("bounced", 1).model_copy(update={"reported_client": None})
    assert client_of(CREATED, nobody) == client_of(CREATED)


def test_a_suppression_is_shown_with_its_confirmation_until_it_is_lifted() -> None:
    document = shown(suppressed("unsubscribed", 1), CONFIRMED)
    assert view_raw(document) == {
        "_id": suppression_id(FORMER, OLD),
        "agent_id": FORMER,
        "client_id": CLIENT,
        "email": OLD,
        "reason": "unsubscribed",
        "source": "link",
        "suppressed_at": NOON + DAY,
        "confirmed_at": NOON + 2 * DAY,
    }
    for lifting in (RESUBSCRIBED, RELEASED):
        gone = shown(suppressed("unsubscribed", 1), CONFIRMED, lifting)
        assert view_raw(gone).keys() == {"_id", "agent_id"}
    # An opt-out after it has to be confirmed of its own.
    again = shown(suppressed("bounced", 1), CONFIRMED, suppressed("unsubscribed", 3))
    assert (again.reason, again.confirmed_at) == ("unsubscribed", None)


def test_a_bounce_outlasts_a_resubscription() -> None:
    bounced = shown(suppressed("bounced", 1), CONFIRMED)
    assert shown(suppressed("bounced", 1), CONFIRMED, RESUBSCRIBED) == bounced


def test_what_was_suppressed_before_the_view_began_is_not_shown() -> None:
    assert view_raw(shown(CONFIRMED)).keys() == {"_id", "agent_id", "confirmed_at"}
    assert view_raw(shown(RESUBSCRIBED)).keys() == {"_id", "agent_id"}
