"""An email: history in, facts out."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from chassis.domain.errors import CallFailed, Refused
from chassis.domain.retry import RetryPolicy
from contracts.composer import EmailComposed
from contracts.mailer import (
    EmailEvent,
    EmailFailed,
    EmailSent,
    EmailWithdrawn,
    EmailWithheld,
    SendAttemptFailed,
    SendOutcomeUnknown,
    SendStarted,
)
from contracts.scheduler import FollowupReassigned
from services.mailer.email import (
    Email,
    fail_attempt,
    mark_unknown,
    queue,
    sent,
    start,
)
from services.mailer.sending.before_call import (
    REASSIGNED,
    withdraw,
    withdraw_on_reassignment,
    withhold,
)
from tests.services.mailer.sample_emails import (
    ABOUT,
    FAILED,
    GIVEN,
    LETTER,
    NOON,
    QUEUED,
    REFUSED,
    SENT,
    STARTED,
    STARTED_AGAIN,
    UNKNOWN,
    WITHHELD,
    folded,
)

POLICY = RetryPolicy(timedelta(seconds=60), 3)
CALL = timedelta(seconds=50)
WAIT = timedelta(minutes=15)
SETTLED: dict[str, EmailEvent] = {"sent": SENT, "failed": FAILED, "withheld": WITHHELD}
COMPOSED = EmailComposed(
    **{k: v for k, v in ABOUT.items() if k != "email_id"},
    written_by="templates",
    composed_at=NOON,
    personal=LETTER,
)


def failed(email: Email, attempt: int, failure: CallFailed | None = None) -> list[EmailEvent]:
    why = failure or CallFailed("503")
    return fail_attempt(email, GIVEN, attempt=attempt, failure=why, policy=POLICY)


def accepted(email: Email, attempt: int) -> list[EmailEvent]:
    return sent(email, GIVEN, attempt=attempt, provider_message_id="m9")


def test_what_was_composed_is_queued_for_now_under_an_id_that_follows_from_the_followup() -> None:
    [event] = queue(None, COMPOSED, GIVEN)
    assert event == QUEUED.model_copy(update={"queued_at": GIVEN.now})
    email = folded(event)
    assert (email.status, email.attempt, email.due_at) == ("queued", 0, GIVEN.now)


def test_a_followup_has_one_email() -> None:
    with pytest.raises(Refused, match="already"):
        queue(folded(QUEUED), COMPOSED, GIVEN)


def test_an_attempt_starts_with_the_time_to_give_up_at() -> None:
    [event] = start(folded(QUEUED), GIVEN, give_up_after=CALL)
    assert event == STARTED.model_copy(
        update={"started_at": GIVEN.now, "give_up_at": GIVEN.now + CALL}
    )
    email = folded(QUEUED, event)
    assert (email.status, email.attempt, email.due_at) == ("sending", 1, GIVEN.now + CALL)


def test_an_attempt_says_which_emails_it_follows() -> None:
    before = (uuid4(), uuid4())
    [event] = start(folded(QUEUED), GIVEN, give_up_after=CALL, follows=before)
    email = folded(QUEUED, event)
    assert (email.follows, email.started_at) == (before, GIVEN.now)
    # One that was started before there was such a thing is stored as it was.
    assert isinstance(event, SendStarted)
    old = folded(QUEUED, event.model_copy(update={"follows": None}))
    assert (old.follows, old.started_at) == (None, None)


def test_the_next_attempt_has_the_next_number() -> None:
    [event] = start(folded(QUEUED, STARTED, REFUSED), GIVEN, give_up_after=CALL)
    assert event.model_dump()["attempt"] == 2


@pytest.mark.parametrize("last", [STARTED, UNKNOWN, *SETTLED.values()])
def test_only_a_queued_email_starts(last: EmailEvent) -> None:
    with pytest.raises(Refused):
        start(folded(QUEUED, STARTED, last), GIVEN, give_up_after=CALL)


def test_an_accepted_email_is_sent_and_wants_nothing_more() -> None:
    [event] = accepted(folded(QUEUED, STARTED), 1)
    assert event == EmailSent(**ABOUT, attempt=1, provider_message_id="m9", sent_at=GIVEN.now)
    email = folded(QUEUED, STARTED, event)
    assert (email.status, email.due_at) == ("sent", None)


def test_a_refused_attempt_waits_and_then_is_tried_again() -> None:
    [event] = failed(folded(QUEUED, STARTED), 1)
    assert event == SendAttemptFailed(
        **ABOUT,
        attempt=1,
        error="503",
        failed_at=GIVEN.now,
        retry_at=GIVEN.now + timedelta(seconds=60),
    )
    email = folded(QUEUED, STARTED, event)
    assert (email.status, email.due_at) == ("queued", event.retry_at)
    [event] = failed(folded(QUEUED, STARTED, REFUSED, STARTED_AGAIN), 2)
    assert isinstance(event, SendAttemptFailed)
    assert event.retry_at == GIVEN.now + timedelta(seconds=120)


def test_the_third_refusal_or_a_final_one_fails_the_email_for_good() -> None:
    second, third = (STARTED.model_copy(update={"attempt": number}) for number in (2, 3))
    [event] = failed(folded(QUEUED, STARTED, REFUSED, second, REFUSED, third), 3)
    assert event == EmailFailed(**ABOUT, attempts=3, error="503", failed_at=GIVEN.now)
    [event] = failed(folded(QUEUED, STARTED), 1, CallFailed("400", final=True))
    assert event == EmailFailed(**ABOUT, attempts=1, error="400", failed_at=GIVEN.now)
    email = folded(QUEUED, STARTED, event)
    assert (email.status, email.due_at) == ("failed", None)


def test_an_email_is_withheld_when_the_answer_is_no() -> None:
    [event] = withhold(folded(QUEUED, STARTED), GIVEN, reason="address_suppressed")
    assert event == EmailWithheld(**ABOUT, reason="address_suppressed", withheld_at=GIVEN.now)
    email = folded(QUEUED, STARTED, event)
    assert (email.status, email.due_at) == ("withheld", None)


def test_no_answer_is_neither_sent_nor_failed_and_is_not_tried_again() -> None:
    [event] = mark_unknown(
        folded(QUEUED, STARTED), GIVEN, attempt=1, reason="timeout", reconcile=WAIT
    )
    assert event == SendOutcomeUnknown(
        **ABOUT,
        attempt=1,
        error="timeout",
        unknown_at=GIVEN.now,
        reconcile_at=GIVEN.now + WAIT,
    )
    email = folded(QUEUED, STARTED, event)
    assert (email.status, email.due_at) == ("unknown", GIVEN.now + WAIT)


def test_a_late_answer_settles_an_unknown_outcome() -> None:
    unknown = folded(QUEUED, STARTED, UNKNOWN)
    [event] = accepted(unknown, 1)
    assert folded(QUEUED, STARTED, UNKNOWN, event).status == "sent"
    [event] = failed(unknown, 1)
    assert isinstance(event, SendAttemptFailed)
    assert folded(QUEUED, STARTED, UNKNOWN, event).status == "queued"


@pytest.mark.parametrize("status", SETTLED)
def test_what_is_settled_takes_no_second_answer(status: str) -> None:
    email = folded(QUEUED, STARTED, SETTLED[status])
    assert email.status == status
    with pytest.raises(Refused, match="settled"):
        accepted(email, 1)
    with pytest.raises(Refused, match="settled"):
        failed(email, 1)
    with pytest.raises(Refused, match="settled"):
        withhold(email, GIVEN, reason="client_deleted")
    with pytest.raises(Refused, match="settled"):
        mark_unknown(email, GIVEN, attempt=1, reason="timeout", reconcile=WAIT)


def test_an_answer_to_an_earlier_attempt_settles_nothing() -> None:
    email = folded(QUEUED, STARTED, REFUSED, STARTED_AGAIN)
    with pytest.raises(Refused, match="attempt 1 is settled"):
        accepted(email, 1)
    with pytest.raises(Refused, match="attempt 1 is settled"):
        failed(email, 1)
    with pytest.raises(Refused, match="attempt 1 is settled"):
        mark_unknown(email, GIVEN, attempt=1, reason="timeout", reconcile=WAIT)


def test_giving_up_twice_is_refused() -> None:
    with pytest.raises(Refused, match="settled"):
        mark_unknown(
            folded(QUEUED, STARTED, UNKNOWN), GIVEN, attempt=1, reason="timeout", reconcile=WAIT
        )


def test_each_followup_s_email_has_an_id_of_its_own() -> None:
    others = [COMPOSED.model_copy(update={"followup_id": uuid4()}) for _ in range(2)]
    events = [queue(None, composed, GIVEN)[0] for composed in (COMPOSED, COMPOSED, *others)]
    assert len({event.stream for event in events}) == 3


def reassigned(agent_id: UUID) -> FollowupReassigned:
    about = {name: ABOUT[name] for name in ("client_id", "followup_id")}
    return FollowupReassigned(
        **about, agent_id=agent_id, former_agent_id=uuid4(), was_due=True, reassigned_at=NOON
    )


@pytest.mark.parametrize("history", [(QUEUED,), (QUEUED, STARTED, REFUSED)])
def test_an_email_that_waits_is_withdrawn_when_its_client_is_reassigned(
    history: tuple[EmailEvent, ...],
) -> None:
    [event] = withdraw_on_reassignment(folded(*history), reassigned(uuid4()), GIVEN)
    assert isinstance(event, EmailWithdrawn)
    assert event.reason == "client_reassigned"
    email = folded(*history, event)
    assert (email.status, email.due_at) == ("withheld", None)
    with pytest.raises(Refused):
        withdraw(email, GIVEN, reason=REASSIGNED)


@pytest.mark.parametrize("history", [(), (QUEUED, STARTED), (QUEUED, STARTED, SENT)])
def test_a_reassignment_leaves_other_emails_alone(history: tuple[EmailEvent, ...]) -> None:
    email = folded(*history) if history else None
    assert withdraw_on_reassignment(email, reassigned(uuid4()), GIVEN) == []
    assert withdraw_on_reassignment(folded(QUEUED), reassigned(ABOUT["agent_id"]), GIVEN) == []
