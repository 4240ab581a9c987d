"""A draft: history in, facts out."""

from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any
from uuid import uuid4

import pytest

from chassis.domain.errors import CallFailed, Refused
from chassis.domain.retry import RetryPolicy
from chassis.domain.state import Given
from contracts.composer import (
    CompositionAttemptFailed,
    CompositionFailed,
    DraftDiscarded,
    DraftEvent,
    DraftPostponed,
    DraftRequested,
    EmailComposed,
    Finding,
    Letter,
    RetryDraft,
    TokensUsed,
)
from contracts.crm import AgentProfile, ClientDetails
from contracts.scheduler import DueFollowupCancelled, FollowupDue, Recipient
from services.composer.draft import (
    Draft,
    compose,
    discard,
    evolve,
    fail_attempt,
    postpone,
    refuse_letter,
    request,
)
from services.composer.draft_review import retry
from services.composer.writer import Composition, Written

AGENT, CLIENT, FOLLOWUP = uuid4(), uuid4(), uuid4()
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
GIVEN = Given(NOON + timedelta(minutes=1), uuid4())
POLICY = RetryPolicy(timedelta(seconds=60), 3)
DANA = AgentProfile(name="Dana Reed", email="dana@reed.example", company="Reed Homes")
MARIA = ClientDetails(name="Maria Lopez", email="maria@mail.example", notes="likes gardens")
TEXT = Composition(subject="Your search", body="Hi Maria,\n\nhow are you?")
TOKENS = TokensUsed(prompt=600, completion=150)
WRITTEN = Written(TEXT, "es-US", TOKENS)
FINDINGS = (
    Finding(flag="placeholder", excerpt="[Client Name]"),
    Finding(flag="price", excerpt="$480,000"),
)
ABOUT: dict[str, Any] = {"agent_id": AGENT, "client_id": CLIENT, "followup_id": FOLLOWUP}
DUE = FollowupDue(
    **ABOUT,
    followup_type="Week 1",
    scheduled_for=NOON,
    due_at=NOON,
    stage="negotiating",
    property_type="land",
    personal=Recipient(client=MARIA, agent=DANA),
)
REQUESTED = DraftRequested(
    **ABOUT,
    followup_type="Week 1",
    requested_at=NOON,
    stage="negotiating",
    property_type="land",
    personal=DUE.personal,
)
FAILED_ONCE = CompositionAttemptFailed(
    **ABOUT, attempt=1, error="429", failed_at=NOON, retry_at=NOON + timedelta(seconds=60)
)
FAILED = CompositionFailed(**ABOUT, attempts=3, error="500", failed_at=NOON)
COMPOSED = EmailComposed(
    **ABOUT,
    written_by="templates",
    composed_at=NOON,
    personal=Letter(
        to_name=MARIA.name,
        to_email=MARIA.email,
        from_name=DANA.name,
        subject=TEXT.subject,
        body=TEXT.body,
    ),
)
AGAIN = RetryDraft(**ABOUT)
CANCELLED = DueFollowupCancelled(**ABOUT, reason="unsubscribed", cancelled_at=NOON)
DISCARDED = DraftDiscarded(**ABOUT, reason="unsubscribed", discarded_at=GIVEN.now)


def folded(*events: DraftEvent) -> Draft:
    draft = reduce(evolve, events, None)
    assert draft
    return draft


def composed(draft: Draft) -> list[DraftEvent]:
    return compose(draft, GIVEN, written=WRITTEN, written_by="gpt-test")


def refused(draft: Draft) -> list[DraftEvent]:
    return refuse_letter(draft, GIVEN, written=WRITTEN, written_by="gpt-test", findings=FINDINGS)


def failed(draft: Draft, failure: CallFailed | None = None) -> list[DraftEvent]:
    return fail_attempt(draft, GIVEN, failure=failure or CallFailed("503"), policy=POLICY)


def test_a_due_followup_asks_for_its_text_at_once() -> None:
    [event] = request(None, DUE, GIVEN)
    now = {"requested_at": GIVEN.now, "fell_due_at": DUE.due_at}
    assert event == REQUESTED.model_copy(update=now)
    draft = folded(event)
    assert draft.due_at == GIVEN.now
    assert (draft.status, draft.attempts) == ("requested", 0)


def test_a_followup_has_one_draft() -> None:
    with pytest.raises(Refused, match="already"):
        request(folded(REQUESTED), DUE, GIVEN)


def test_what_was_written_is_addressed_and_signed() -> None:
    [event] = composed(folded(REQUESTED))
    assert isinstance(event, EmailComposed)
    assert (event.written_by, event.composed_at) == ("gpt-test", GIVEN.now)
    assert event.tokens == TOKENS
    letter = event.personal
    assert (letter.to_name, letter.to_email) == ("Maria Lopez", "maria@mail.example")
    assert (letter.from_name, letter.reply_to) == ("Dana Reed", "dana@reed.example")
    assert letter.subject == "Your search"
    assert letter.body.startswith(TEXT.body)
    assert letter.body.endswith("Dana Reed\nReed Homes")
    after = folded(REQUESTED, event)
    assert (after.status, after.due_at) == ("composed", None)


def test_a_letter_carries_what_mailer_ends_it_with_and_the_language_that_it_is_in() -> None:
    agent = DANA.model_copy(update={"postal_address": "1 Main Street", "disclosure": "No. 471"})
    # What the client would like to read is not what templates write.
    client = MARIA.model_copy(update={"language": "fr"})
    personal = Recipient(client=client, agent=agent)
    [event] = composed(folded(REQUESTED.model_copy(update={"personal": personal})))
    assert isinstance(event, EmailComposed)
    letter = event.personal
    assert (letter.language, letter.from_email) == ("es-US", "dana@reed.example")
    assert (letter.postal_address, letter.disclosure) == ("1 Main Street", "No. 471")


def test_answers_go_to_the_agent_s_reply_address_when_there_is_one() -> None:
    agent = DANA.model_copy(update={"reply_to": "team@reed.example", "signature": "Yours,\nD."})
    personal = Recipient(client=MARIA, agent=agent)
    [event] = composed(folded(REQUESTED.model_copy(update={"personal": personal})))
    assert isinstance(event, EmailComposed)
    assert event.personal.reply_to == "team@reed.example"
    assert event.personal.body == f"{TEXT.body}\n\nYours,\nD."


def test_a_failed_attempt_is_counted_and_tried_again_after_a_growing_wait() -> None:
    draft = folded(REQUESTED)
    waits = []
    for attempt in (1, 2):
        [event] = failed(draft)
        assert isinstance(event, CompositionAttemptFailed)
        assert (event.attempt, event.error, event.failed_at) == (attempt, "503", GIVEN.now)
        waits.append((event.retry_at - GIVEN.now).total_seconds())
        draft = evolve(draft, event)
        assert draft.due_at == event.retry_at
    assert waits == [60, 120]
    [event] = failed(draft)
    assert event == CompositionFailed(**ABOUT, attempts=3, error="503", failed_at=GIVEN.now)
    draft = evolve(draft, event)
    assert (draft.status, draft.due_at) == ("failed", None)


def test_a_final_failure_is_not_tried_again() -> None:
    [event] = failed(folded(REQUESTED), CallFailed("401", final=True))
    assert event == CompositionFailed(**ABOUT, attempts=1, error="401", failed_at=GIVEN.now)


def test_a_letter_that_is_not_fit_to_send_waits_for_a_person_who_can_see_it() -> None:
    draft = folded(REQUESTED, FAILED_ONCE)
    [event] = refused(draft)
    assert isinstance(event, CompositionFailed)
    assert (event.attempts, event.flags) == (2, ("placeholder", "price"))
    assert event.error == "the letter is not fit to send: placeholder, price"
    assert event.tokens == TOKENS
    assert event.personal
    assert event.personal.findings == FINDINGS
    [sendable] = composed(draft)
    assert isinstance(sendable, EmailComposed)
    assert event.personal.letter == sendable.personal
    after = evolve(draft, event)
    assert (after.status, after.due_at) == ("failed", None)
    [again] = retry(after, AGAIN, GIVEN)
    assert again == REQUESTED.model_copy(update={"requested_at": GIVEN.now})


@pytest.mark.parametrize("settled", [FAILED, COMPOSED, DISCARDED])
def test_a_settled_draft_is_neither_composed_nor_failed_once_more(settled: DraftEvent) -> None:
    draft = folded(REQUESTED, settled)
    with pytest.raises(Refused, match=draft.status):
        composed(draft)
    with pytest.raises(Refused, match=draft.status):
        failed(draft)
    with pytest.raises(Refused, match=draft.status):
        refused(draft)


def test_a_postponed_draft_waits_without_an_attempt_being_counted() -> None:
    until = GIVEN.now + timedelta(hours=9)
    [event] = postpone(folded(REQUESTED, FAILED_ONCE), GIVEN, reason="daily_limit", until=until)
    assert event == DraftPostponed(
        **ABOUT, reason="daily_limit", postponed_at=GIVEN.now, until=until
    )
    draft = folded(REQUESTED, FAILED_ONCE, event)
    assert (draft.status, draft.attempts, draft.due_at) == ("requested", 1, until)
    # It may still be cancelled.
    assert discard(draft, CANCELLED, GIVEN) == [DISCARDED]
    with pytest.raises(Refused, match="discarded"):
        postpone(folded(REQUESTED, DISCARDED), GIVEN, reason="daily_limit", until=until)


def test_a_person_orders_a_failed_draft_again_and_its_attempts_start_from_one() -> None:
    [event] = retry(folded(REQUESTED, FAILED_ONCE, FAILED), AGAIN, GIVEN)
    assert event == REQUESTED.model_copy(update={"requested_at": GIVEN.now})
    draft = folded(REQUESTED, FAILED_ONCE, FAILED, event)
    assert (draft.status, draft.attempts, draft.due_at) == ("requested", 0, GIVEN.now)


def test_only_a_failed_draft_is_ordered_again() -> None:
    with pytest.raises(Refused, match="requested"):
        retry(folded(REQUESTED, FAILED_ONCE), AGAIN, GIVEN)


@pytest.mark.parametrize("history", [[REQUESTED, FAILED_ONCE], [REQUESTED, FAILED]])
def test_a_draft_whose_followup_is_cancelled_is_discarded(history: list[DraftEvent]) -> None:
    # A client who has been reassigned meanwhile; the draft is still in its own agent's name.
    cancelled = CANCELLED.model_copy(update={"agent_id": uuid4()})
    assert discard(folded(*history), cancelled, GIVEN) == [DISCARDED]
    draft = folded(*history, DISCARDED)
    assert (draft.status, draft.due_at) == ("discarded", None)


@pytest.mark.parametrize("history", [[], [REQUESTED, COMPOSED], [REQUESTED, DISCARDED]])
def test_a_cancellation_does_not_concern_a_composed_draft_or_none(
    history: list[DraftEvent],
) -> None:
    assert discard(reduce(evolve, history, None), CANCELLED, GIVEN) == []


def test_a_discarded_draft_is_not_ordered_again() -> None:
    with pytest.raises(Refused, match="the follow-up was cancelled"):
        retry(folded(REQUESTED, FAILED, DISCARDED), AGAIN, GIVEN)


@pytest.mark.parametrize(
    ("draft", "command"),
    [(None, AGAIN), (folded(REQUESTED, FAILED), AGAIN.model_copy(update={"agent_id": uuid4()}))],
    ids=["never requested", "another agent's"],
)
def test_a_missing_or_foreign_draft_is_not_found(draft: Draft | None, command: RetryDraft) -> None:
    with pytest.raises(Refused, match="draft not found") as refusal:
        retry(draft, command, GIVEN)
    assert refusal.value.kind == "not_found"
