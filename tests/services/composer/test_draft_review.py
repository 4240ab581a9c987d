"""What an agent decides about a draft; its letter is composed once, whatever comes first."""

import itertools
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import reduce

import pytest

from chassis.domain.errors import Refused
from chassis.domain.state import Given
from contracts.composer import (
    ApproveDraft,
    CompositionFailed,
    DiscardDraft,
    DraftApproved,
    DraftDiscarded,
    DraftEvent,
    DraftFellDue,
    DraftRequested,
    DraftRevised,
    DraftWritten,
    EmailComposed,
    FlaggedLetter,
    Letter,
    LetterText,
    PrepareDraft,
    ReviseDraft,
    RewriteDraft,
)
from contracts.crm import AgentProfile, ClientDetails
from contracts.scheduler import FollowupCancelled, Recipient
from services.composer.draft import KEPT, Draft, compose, discard, evolve, refuse_letter, request
from services.composer.draft_review import approve, expire, prepare, revise, rewrite, throw_away
from tests.services.composer.test_draft import (
    ABOUT,
    AGENT,
    CLIENT,
    DANA,
    DUE,
    FINDINGS,
    GIVEN,
    MARIA,
    NOON,
    TEXT,
    WRITTEN,
)

APPROVING = DANA.model_copy(update={"review": "approve"})
MOVED = MARIA.model_copy(update={"email": "maria@new.example"})
DATE = NOON + timedelta(days=3)
KIND = {"stage": "negotiating", "property_type": "land"}
PREPARE = PrepareDraft(
    **ABOUT,
    **KIND,
    followup_type="Week 1",
    scheduled_for=DATE,
    personal=Recipient(client=MARIA, agent=DANA),
)
APPROVE = ApproveDraft(**ABOUT, personal=Recipient(client=MOVED, agent=DANA))
DISCARD = DiscardDraft(**ABOUT)
REVISE = ReviseDraft(**ABOUT, personal=LetterText(body="Hi Maria,\n\nmy own words."))
REWRITE = RewriteDraft(
    **ABOUT,
    **KIND,
    personal=Recipient(client=MARIA, agent=DANA, instructions="Mention the garden."),
)

Step = Callable[[Draft | None, Given], Sequence[DraftEvent]]


def due_for(agent: AgentProfile, client: ClientDetails = MARIA) -> Step:
    due = DUE.model_copy(update={"personal": Recipient(client=client, agent=agent)})
    return lambda draft, given: request(draft, due, given)


def prepared(agent: AgentProfile = DANA) -> Step:
    command = PREPARE.model_copy(update={"personal": Recipient(client=MARIA, agent=agent)})
    return lambda draft, given: prepare(draft, command, given)


def written(draft: Draft | None, given: Given) -> Sequence[DraftEvent]:
    assert draft
    return compose(draft, given, written=WRITTEN, written_by="gpt-test")


def flagged(draft: Draft | None, given: Given) -> Sequence[DraftEvent]:
    assert draft
    return refuse_letter(draft, given, written=WRITTEN, written_by="gpt-test", findings=FINDINGS)


def approved(draft: Draft | None, given: Given) -> Sequence[DraftEvent]:
    return approve(draft, APPROVE, given)


def revised(draft: Draft | None, given: Given) -> Sequence[DraftEvent]:
    return revise(draft, REVISE, given)


def told(*steps: Step) -> list[DraftEvent]:
    """Return all events of the steps, each of which decides on what the earlier ones made."""
    events: list[DraftEvent] = []
    for step in steps:
        draft = reduce(evolve, events, None)
        events += step(draft, GIVEN)
    return events


def state(*steps: Step) -> Draft:
    draft = reduce(evolve, told(*steps), None)
    assert draft
    return draft


def kinds(*steps: Step) -> list[str]:
    return [type(event).__name__ for event in told(*steps)]


def letters(*steps: Step) -> list[Letter]:
    return [event.personal for event in told(*steps) if isinstance(event, EmailComposed)]


def test_a_letter_that_is_due_waits_for_its_agent_s_approval() -> None:
    draft = state(due_for(APPROVING), written)
    assert (draft.status, draft.due_at) == ("written", GIVEN.now + KEPT)
    assert kinds(due_for(APPROVING), written, approved) == [
        *("DraftRequested", "DraftWritten", "DraftApproved", "EmailComposed")
    ]


@pytest.mark.parametrize(
    ("agent", "client", "waits"),
    [
        *((None, None, False), ("approve", None, True), ("automatic", None, False)),
        *(("approve", "automatic", False), ("automatic", "approve", True), (None, "approve", True)),
    ],
)
def test_what_the_client_says_of_reviews_is_over_what_the_agent_says(
    agent: str | None, client: str | None, *, waits: bool
) -> None:
    due = due_for(
        DANA.model_copy(update={"review": agent}), MARIA.model_copy(update={"review": client})
    )
    assert (kinds(due, written)[-1] == "DraftWritten") is waits


@pytest.mark.parametrize("review", [DANA, APPROVING])
@pytest.mark.parametrize("order", list(itertools.permutations(["due", "approved"])))
def test_a_letter_made_ahead_is_composed_by_whichever_comes_second(
    review: AgentProfile, order: Sequence[str]
) -> None:
    steps = {"due": due_for(review), "approved": approved}
    asked = [prepared(review), written, *(steps[name] for name in order)]
    if review is DANA and order[0] == "due":
        # It needs no approval.
        with pytest.raises(Refused, match="composed"):
            told(*asked)
        asked.pop()
    events = told(*asked)
    assert len(letters(*asked)) == 1
    assert isinstance(events[-1], EmailComposed)
    assert events[-1].fell_due_at == DUE.due_at
    assert state(*asked).due_at is None


def test_a_letter_made_ahead_waits_for_its_date_and_then_goes_to_the_address_of_then() -> None:
    ahead = state(prepared(), written)
    assert (ahead.status, ahead.due_at) == ("written", DATE + KEPT)
    [letter] = letters(prepared(), written, due_for(DANA, MOVED))
    assert (letter.to_email, letter.subject) == (MOVED.email, TEXT.subject)


def test_exactly_the_approved_text_is_sent_to_the_address_of_the_approval() -> None:
    [letter] = letters(due_for(APPROVING), written, revised, approved)
    assert letter.body == "Hi Maria,\n\nmy own words."
    assert letter.subject == TEXT.subject
    assert letter.to_email == MOVED.email


def test_a_change_after_the_approval_ends_it() -> None:
    assert letters(prepared(), written, approved, revised, due_for(APPROVING)) == []
    assert state(prepared(), written, approved, revised).approved_at is None


def test_the_same_words_once_more_change_nothing() -> None:
    steps = (due_for(APPROVING), written, revised)
    assert kinds(*steps, revised) == kinds(*steps)


def test_a_flagged_letter_waits_for_the_agent_whatever_is_said_of_reviews() -> None:
    assert letters(due_for(DANA), flagged) == []
    events = told(due_for(DANA), flagged, approved)
    assert isinstance(events[-1], EmailComposed)
    assert (events[-1].written_by, events[-1].approved_at) == ("gpt-test", GIVEN.now)
    assert letters(prepared(), flagged, due_for(DANA)) == []
    assert len(letters(prepared(), flagged, approved, due_for(DANA))) == 1
    [letter] = letters(due_for(DANA), flagged, revised, approved)
    assert letter.body == "Hi Maria,\n\nmy own words."


def test_another_letter_waits_for_approval_whatever_is_said_of_reviews() -> None:
    def again(draft: Draft | None, given: Given) -> Sequence[DraftEvent]:
        return rewrite(draft, REWRITE, given)

    events = told(due_for(DANA), flagged, again, written)
    [_, _, requested, waiting] = events
    assert isinstance(requested, DraftRequested)
    assert requested.personal.instructions == "Mention the garden."
    assert requested.fell_due_at == DUE.due_at
    assert isinstance(waiting, DraftWritten)
    assert len(letters(prepared(), written, again, written, approved, due_for(DANA))) == 1


def test_a_letter_that_nobody_approves_is_given_up() -> None:
    draft = state(due_for(APPROVING), written)
    assert expire(draft, GIVEN) == [
        DraftDiscarded(**ABOUT, reason="unapproved", discarded_at=GIVEN.now)
    ]
    with pytest.raises(Refused):
        expire(state(prepared(), written, approved), GIVEN)


def test_a_discarded_letter_made_ahead_is_written_anew_when_it_is_due() -> None:
    def away(draft: Draft | None, given: Given) -> Sequence[DraftEvent]:
        return throw_away(draft, DISCARD, given)

    assert kinds(prepared(), written, away, due_for(DANA), written)[-2:] == [
        *("DraftRequested", "EmailComposed")
    ]
    assert kinds(due_for(APPROVING), written, away, away)[-1] == "DraftDiscarded"
    with pytest.raises(Refused, match="on its way"):
        told(due_for(DANA), written, away)
    with pytest.raises(Refused, match="already"):
        told(due_for(APPROVING), written, away, due_for(DANA))


def test_a_cancelled_follow_up_has_no_letter_that_waits() -> None:
    cancelled = FollowupCancelled(
        **ABOUT, reason="client_lost", cancelled_at=NOON, detail="unsubscribed"
    )
    draft = state(prepared(), written)
    assert discard(draft, cancelled, GIVEN) == [
        DraftDiscarded(**ABOUT, reason="unsubscribed", discarded_at=GIVEN.now)
    ]
    assert discard(None, cancelled, GIVEN) == []


def test_a_follow_up_has_one_draft_and_is_not_prepared_once_it_is_due() -> None:
    for steps in ([prepared()], [prepared(), written], [due_for(DANA)]):
        with pytest.raises(Refused, match="already has a draft"):
            told(*steps, prepared())


def test_a_letter_in_a_former_agent_s_name_is_written_anew() -> None:
    other = DUE.model_copy(update={"agent_id": CLIENT})
    events = told(prepared(), written, lambda draft, given: request(draft, other, given))
    assert isinstance(events[-1], DraftRequested)
    assert (events[-1].agent_id, events[-1].ahead_of) == (CLIENT, None)


@pytest.mark.parametrize("decide", [approved, revised])
def test_only_a_letter_that_waits_is_decided_about(decide: Step) -> None:
    with pytest.raises(Refused, match="not found"):
        told(decide)
    with pytest.raises(Refused, match="is requested"):
        told(due_for(DANA), decide)
    with pytest.raises(Refused, match="is composed"):
        told(due_for(DANA), written, decide)
    stranger = {"agent_id": CLIENT}
    with pytest.raises(Refused, match="not found"):
        approve(state(due_for(APPROVING), written), APPROVE.model_copy(update=stranger), GIVEN)


def test_events_say_of_whom_and_when() -> None:
    events = told(prepared(APPROVING), written, due_for(APPROVING), revised, approved)
    assert [type(event) for event in events] == [
        *(DraftRequested, DraftWritten, DraftFellDue, DraftRevised, DraftApproved, EmailComposed)
    ]
    assert {event.agent_id for event in events} == {AGENT}
    flag = told(due_for(DANA), flagged)[-1]
    assert isinstance(flag, CompositionFailed)
    assert isinstance(flag.personal, FlaggedLetter)
    assert flag.written_by == "gpt-test"
