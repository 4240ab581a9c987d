"""How an email is settled that failed or whose outcome is unknown."""

from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.domain.errors import CallFailed, Refused
from chassis.domain.retry import RetryPolicy
from contracts.mailer import (
    EmailEvent,
    EmailHeld,
    EmailQueued,
    EmailSent,
    ResolveEmail,
    SendAttemptFailed,
)
from services.mailer.email import fail_attempt, hold_or_resend, resolve
from tests.services.mailer.sample_emails import (
    ABOUT,
    AGAIN,
    FAILED,
    GIVEN,
    HELD,
    LETTER,
    QUEUED,
    SENT,
    STARTED,
    STARTED_AGAIN,
    UNKNOWN,
    WITHHELD,
    folded,
)

AS_SENT = ResolveEmail(**ABOUT, resolution="sent")
RESEND = ResolveEmail(**ABOUT, resolution="resend")


def test_without_a_report_an_unknown_outcome_is_held_for_a_person() -> None:
    unknown = folded(QUEUED, STARTED, UNKNOWN)
    [event] = hold_or_resend(unknown, GIVEN, on_unknown="hold")
    assert event == EmailHeld(**ABOUT, attempt=1, error="timeout", held_at=GIVEN.now)
    email = folded(QUEUED, STARTED, UNKNOWN, event)
    assert (email.status, email.due_at) == ("unknown", None)


def test_without_a_report_an_unknown_outcome_is_sent_again_where_the_settings_say_so() -> None:
    [event] = hold_or_resend(folded(QUEUED, STARTED, UNKNOWN), GIVEN, on_unknown="resend")
    assert event == EmailQueued(
        **ABOUT, written_by="templates", queued_at=GIVEN.now, personal=LETTER
    )
    email = folded(QUEUED, STARTED, UNKNOWN, event)
    assert (email.status, email.attempt, email.due_at) == ("queued", 1, GIVEN.now)


@pytest.mark.parametrize("last", [SENT, FAILED, WITHHELD])
def test_a_settled_email_is_neither_held_nor_resent(last: EmailEvent) -> None:
    with pytest.raises(Refused, match="the email is"):
        hold_or_resend(folded(QUEUED, STARTED, last), GIVEN, on_unknown="resend")


@pytest.mark.parametrize("story", [(UNKNOWN,), (UNKNOWN, HELD), (FAILED,)])
def test_a_person_may_say_that_it_was_sent(story: tuple[EmailEvent, ...]) -> None:
    [event] = resolve(folded(QUEUED, STARTED, *story), AS_SENT, GIVEN)
    assert event == EmailSent(**ABOUT, attempt=1, sent_at=GIVEN.now)
    email = folded(QUEUED, STARTED, *story, event)
    assert (email.status, email.due_at) == ("sent", None)


@pytest.mark.parametrize("story", [(UNKNOWN, HELD), (FAILED,)])
def test_a_person_may_have_it_sent_again(story: tuple[EmailEvent, ...]) -> None:
    [event] = resolve(folded(QUEUED, STARTED, *story), RESEND, GIVEN)
    assert isinstance(event, EmailQueued)
    email = folded(QUEUED, STARTED, *story, event)
    assert (email.status, email.failures, email.attempt) == ("queued", 0, 1)


def test_it_is_not_sent_again_while_the_provider_may_still_report() -> None:
    with pytest.raises(Refused, match=r"may still report .* after 2026-01-31T12:15:00\.000Z"):
        resolve(folded(QUEUED, STARTED, UNKNOWN), RESEND, GIVEN)


@pytest.mark.parametrize("last", [SENT, WITHHELD, STARTED])
def test_only_failed_and_unknown_ones_are_a_person_s_to_settle(last: EmailEvent) -> None:
    with pytest.raises(Refused, match="only a failed or unknown email"):
        resolve(folded(QUEUED, STARTED, last), RESEND, GIVEN)


def test_another_agent_s_email_does_not_exist() -> None:
    for email, agent in ((None, ABOUT["agent_id"]), (folded(QUEUED, STARTED, FAILED), uuid4())):
        command = RESEND.model_copy(update={"agent_id": agent})
        with pytest.raises(Refused, match="email not found") as refusal:
            resolve(email, command, GIVEN)
        assert refusal.value.kind == "not_found"


def test_what_is_sent_again_has_all_its_attempts_again() -> None:
    email = folded(QUEUED, STARTED, FAILED, AGAIN, STARTED_AGAIN)
    [event] = fail_attempt(
        email,
        GIVEN,
        attempt=2,
        failure=CallFailed("503"),
        policy=RetryPolicy(timedelta(seconds=60), 3),
    )
    assert isinstance(event, SendAttemptFailed)
    assert event.retry_at == GIVEN.now + timedelta(seconds=60)
