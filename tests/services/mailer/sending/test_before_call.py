"""What becomes of an email before the call: history in, facts out."""

from datetime import timedelta

import pytest

from chassis.domain.errors import Refused
from contracts.mailer import EmailEvent, EmailPostponed, EmailQueued, EmailWithdrawn
from contracts.scheduler import DueFollowupCancelled
from services.mailer.email import evolve, start
from services.mailer.sending.before_call import (
    DAILY_LIMIT,
    address_anew,
    postpone,
    withdraw_on_cancellation,
)
from tests.services.mailer.sample_emails import (
    AGENT,
    CLIENT,
    FAILED,
    FOLLOWUP,
    GIVEN,
    NOON,
    QUEUED,
    REFUSED,
    SENT,
    STARTED,
    UNKNOWN,
    WITHHELD,
    folded,
)

CANCELLED = DueFollowupCancelled(
    agent_id=AGENT, client_id=CLIENT, followup_id=FOLLOWUP, reason="by_agent", cancelled_at=NOON
)
TOMORROW = NOON + timedelta(days=1)


@pytest.mark.parametrize(
    "history", [(QUEUED,), (QUEUED, STARTED, REFUSED), (QUEUED, STARTED, FAILED)]
)
def test_an_email_that_waits_or_failed_is_withdrawn_when_its_follow_up_is_cancelled(
    history: tuple[EmailEvent, ...],
) -> None:
    email = folded(*history)
    [event] = withdraw_on_cancellation(email, CANCELLED, GIVEN)
    assert isinstance(event, EmailWithdrawn)
    assert event.reason == "by_agent"
    after = evolve(email, event)
    assert (after.status, after.due_at) == ("withheld", None)
    assert withdraw_on_cancellation(after, CANCELLED, GIVEN) == []


@pytest.mark.parametrize(
    "history",
    [
        (QUEUED, STARTED),
        (QUEUED, STARTED, SENT),
        (QUEUED, STARTED, UNKNOWN),
        (QUEUED, STARTED, WITHHELD),
    ],
)
def test_what_is_under_way_or_settled_is_left_to_its_worker(
    history: tuple[EmailEvent, ...],
) -> None:
    assert withdraw_on_cancellation(folded(*history), CANCELLED, GIVEN) == []
    assert withdraw_on_cancellation(None, CANCELLED, GIVEN) == []


def test_an_email_is_addressed_anew_and_queued_without_a_failure() -> None:
    email = folded(QUEUED, STARTED)
    [event] = address_anew(email, GIVEN, to_email="maria@new.example", to_name="Maria Reed")
    assert isinstance(event, EmailQueued)
    after = evolve(email, event)
    assert (after.personal.to_email, after.personal.to_name) == ("maria@new.example", "Maria Reed")
    assert after.personal.body == email.personal.body
    assert after.suppression_id != email.suppression_id
    assert (after.status, after.attempt, after.failures, after.due_at) == (
        "queued",
        1,
        0,
        GIVEN.now,
    )


def test_a_postponed_email_waits_without_a_failure() -> None:
    email = folded(QUEUED, STARTED, REFUSED)
    [event] = postpone(email, GIVEN, until=TOMORROW, reason=DAILY_LIMIT)
    assert isinstance(event, EmailPostponed)
    after = evolve(email, event)
    assert (after.status, after.due_at, after.failures) == ("queued", TOMORROW, 1)
    [again] = start(after, GIVEN, give_up_after=timedelta(minutes=1))
    assert getattr(again, "attempt", None) == 2


@pytest.mark.parametrize("history", [(QUEUED, STARTED), (QUEUED, STARTED, SENT)])
def test_what_has_started_is_not_postponed(history: tuple[EmailEvent, ...]) -> None:
    with pytest.raises(Refused):
        postpone(folded(*history), GIVEN, until=TOMORROW, reason=DAILY_LIMIT)
