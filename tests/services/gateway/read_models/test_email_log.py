"""The read model of emails: a pure fold of an email's events, and of whose it is."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.mailer import EmailBounced
from contracts.message import Message
from contracts.scheduler import DeletedFollowup, PlanDeleted
from services.gateway.read_models.documents import EmailLogDocument, Postponement
from services.gateway.read_models.email_log import EMAIL_LOGS
from tests.services.gateway.client_events import DAY, NOON
from tests.services.gateway.read_models.histories import (
    AGENT,
    CLEO,
    CLIENT,
    EMAILS,
    MOVES,
    STORY,
    folded,
)

pytestmark = pytest.mark.usefixtures("declared")
_MAIL: dict[str, Any] = {
    "agent_id": AGENT,
    "client_id": CLIENT,
    "followup_id": STORY.ids[0],
    "email_id": STORY.emails[0],
}


def log_of(*events: Message) -> EmailLogDocument:
    log: EmailLogDocument = folded(EMAIL_LOGS, STORY.emails[0], events)
    return log


def test_an_email_log_keeps_the_first_opening_and_click_and_the_furthest_status() -> None:
    sent = EMAILS["sent"][:3]
    log = log_of(*sent)
    assert (log.status, log.sent_at, log.sendgrid_message_id) == ("sent", NOON + 2.4 * DAY, "m1")
    assert (log.task_id, log.to_email) == (STORY.ids[0], "maria@mail.example")
    events = (STORY.clicked(0, 4), STORY.opened(0, 3), STORY.opened(0, 5), STORY.delivered(0, 2.5))
    log = log_of(*sent, *events)
    assert log.status == "clicked"
    assert (log.opened_at, log.clicked_at) == (NOON + 3 * DAY, NOON + 4 * DAY)


_REPORTS = (
    *(STORY.delivered(0, 2.5), STORY.opened(0, 3), STORY.opened(0, 5)),
    *(STORY.clicked(0, 4), STORY.clicked(0, 6)),
)


@given(
    st.permutations(_REPORTS),
    st.lists(st.sampled_from(_REPORTS)),
    st.sampled_from([None, EmailBounced(**_MAIL, at=NOON, reason="550")]),
)
def test_reports_in_any_order_and_repeated_lead_to_the_same(
    order: Sequence[Message], repeated: list[Message], bounced: Message | None
) -> None:
    sent = EMAILS["sent"][:3]
    last = [bounced] if bounced else []
    assert log_of(*sent, *last, *order, *repeated) == log_of(*sent, *_REPORTS, *last)


@pytest.mark.parametrize(
    ("email", "status", "error"),
    [
        ("tried", "queued", None),
        ("unknown", "unknown", "no answer"),
        ("sent after all", "sent", None),
        ("failed", "failed", "refused"),
        ("withheld", "withheld", "address_suppressed"),
        ("cancelled", "withheld", "by_agent"),
        ("paused", "withheld", "plan_paused"),
        ("reassigned", "withheld", "client_reassigned"),
        ("postponed", "queued", None),
    ],
)
def test_an_email_log_shows_how_it_ended(email: str, status: str, error: str | None) -> None:
    log = log_of(*EMAILS[email])
    assert (log.status, log.error_message) == (status, error)


def test_a_bounce_is_shown_and_stays() -> None:
    bounced = EmailBounced(**_MAIL, at=NOON, reason="550")
    log = log_of(*EMAILS["sent"], bounced, STORY.delivered(0, 9))
    assert (log.status, log.error_message) == ("bounced", "550")


def test_a_report_after_the_deletion_brings_no_text_back() -> None:
    bounced = EmailBounced(**_MAIL, at=NOON, reason="550 no such user maria@mail.example")
    gone = PlanDeleted(
        agent_id=AGENT,
        client_id=CLIENT,
        followups=(DeletedFollowup(followup_id=STORY.ids[0], was_due=True),),
        deleted_at=NOON + 5 * DAY,
    )
    for events in ((gone, bounced), (bounced, gone)):
        log = log_of(*EMAILS["sent"], *events)
        assert log.status == "bounced"
        assert (log.to_email, log.subject, log.body, log.error_message) == (None,) * 4


@pytest.mark.parametrize("known", range(len(EMAILS["sent"]) + 1))
def test_an_email_follows_its_client_also_when_it_becomes_known_later(known: int) -> None:
    events = EMAILS["sent"]
    log = log_of(*events[:known], *MOVES, *events[known:])
    assert log == log_of(*events, *MOVES)
    assert (log.agent_id, log.sender_id, log.status) == (CLEO, AGENT, "opened")
    assert log_of(*MOVES).status is None


@pytest.mark.parametrize(
    ("email", "waits"),
    [("postponed", True), ("postponed, then sent", False), ("postponed, then queued", False)],
)
def test_a_postponed_email_tells_until_when_it_waits(email: str, waits: bool) -> None:
    postponed = Postponement(reason="daily_limit", until=NOON + 3 * DAY)
    assert log_of(*EMAILS[email]).postponed == (postponed if waits else None)


def test_an_email_that_is_addressed_again_shows_its_new_address() -> None:
    log = log_of(*EMAILS["tried"], STORY.queued(0, 2.5, to="maria@new.example"))
    assert (log.status, log.to_email, log.subject) == ("queued", "maria@new.example", "Hello")


@pytest.mark.parametrize("told", range(len(EMAILS["sent again"]) + 1))
def test_a_deletion_takes_address_and_text_whenever_it_is_told(told: int) -> None:
    events = EMAILS["sent again"]
    log = log_of(*events[:told], STORY.deleted(2), *events[told:])
    assert (log.to_email, log.subject, log.body) == (None, None, None)
    assert (log.status, log.sent_at) == ("sent", NOON + 2.6 * DAY)
    assert log == log_of(*events, STORY.deleted(2))


def test_of_a_deleted_client_only_what_was_due_may_have_an_email() -> None:
    assert list(EMAIL_LOGS.ids(STORY.deleted(2))) == [STORY.emails[0]]
