"""What the provider reports about an email."""

from typing import get_args
from uuid import uuid4

import pytest

from chassis.domain.errors import Refused
from contracts.mailer import (
    DeliveryKind,
    EmailBounced,
    EmailClicked,
    EmailDelivered,
    EmailEvent,
    EmailMachineOpened,
    EmailOpened,
    EmailSent,
)
from services.mailer.email import record
from tests.services.mailer.sample_emails import (
    AGAIN,
    FAILED,
    GIVEN,
    HELD,
    QUEUED,
    SENT,
    STARTED,
    STARTED_AGAIN,
    UNKNOWN,
    WITHHELD,
    folded,
    report,
)

KINDS: tuple[DeliveryKind, ...] = get_args(DeliveryKind)
TELLS: dict[DeliveryKind, type[EmailEvent]] = {
    "delivered": EmailDelivered,
    "opened": EmailOpened,
    "machine_opened": EmailMachineOpened,
    "clicked": EmailClicked,
    "blocked": EmailBounced,
    "soft_bounced": EmailBounced,
    "bounced": EmailBounced,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_about_a_sent_email_is_told_with_the_provider_s_time(kind: DeliveryKind) -> None:
    email = folded(QUEUED, STARTED, SENT)
    events = record(email, report(kind, reason="550"), GIVEN)
    assert [type(event) for event in events] == ([TELLS[kind]] if kind in TELLS else [])
    for event in events:
        assert event.model_dump()["at"] == report(kind).at
        assert isinstance(event, EmailBounced) == (TELLS[kind] is EmailBounced)
        assert not isinstance(event, EmailBounced) or event.reason == "550"
        assert folded(QUEUED, STARTED, SENT, event) == email


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("last", [STARTED, UNKNOWN, FAILED])
def test_any_report_settles_an_email_in_doubt_as_sent(last: EmailEvent, kind: DeliveryKind) -> None:
    first, *_ = events = record(folded(QUEUED, STARTED, last), report(kind), GIVEN)
    assert isinstance(first, EmailSent)
    assert (first.attempt, first.sent_at) == (1, report(kind).at)
    email = folded(QUEUED, STARTED, last, *events)
    assert (email.status, email.due_at) == ("sent", None)


def test_a_report_does_not_change_what_was_withheld() -> None:
    email = folded(QUEUED, STARTED, WITHHELD)
    events = record(email, report("delivered"), GIVEN)
    assert [type(event) for event in events] == [EmailDelivered]
    assert folded(QUEUED, STARTED, WITHHELD, *events).status == "withheld"


def test_a_report_of_the_last_call_keeps_an_email_from_being_sent_again() -> None:
    story = (QUEUED, STARTED, UNKNOWN, HELD, AGAIN)
    first, *_ = events = record(folded(*story), report("delivered", attempt=1), GIVEN)
    assert isinstance(first, EmailSent)
    email = folded(*story, *events)
    assert (email.status, email.due_at) == ("sent", None)


def test_a_report_of_an_earlier_call_does_not_settle_the_one_under_way() -> None:
    email = folded(QUEUED, STARTED, UNKNOWN, HELD, AGAIN, STARTED_AGAIN)
    [event] = record(email, report("delivered", attempt=1), GIVEN)
    assert isinstance(event, EmailDelivered)


def test_a_report_of_what_was_never_called_settles_nothing() -> None:
    [event] = record(folded(QUEUED), report("delivered"), GIVEN)
    assert isinstance(event, EmailDelivered)


def test_a_report_about_what_is_not_there_or_not_the_agent_s_is_refused() -> None:
    for email, fields in ((None, {}), (folded(QUEUED, STARTED), {"agent_id": uuid4()})):
        with pytest.raises(Refused, match="email not found") as refusal:
            record(email, report("opened", **fields), GIVEN)
        assert refusal.value.kind == "not_found"
