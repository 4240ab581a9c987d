"""The read model of follow-ups: the same from any order between the streams."""

from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.projections.views import view_raw
from contracts.message import Message
from services.gateway.read_models.documents import Postponement, TaskDocument
from services.gateway.read_models.tasks import TASKS
from tests.services.gateway.client_events import DAY, NOON
from tests.services.gateway.read_models.histories import (
    AGENT,
    BEN,
    CANCELLED,
    CLEO,
    CLIENT,
    DELETED,
    DRAFTS,
    EMAILS,
    MOVES,
    PLAN,
    STORY,
    folded,
)

pytestmark = pytest.mark.usefixtures("declared")


def task_of(*events: Message) -> TaskDocument:
    task: TaskDocument = folded(TASKS, STORY.ids[0], events)
    return task


@st.composite
def interleaved(draw: st.DrawFn) -> tuple[Sequence[Message], Sequence[Message]]:
    """Generate a history of the three streams, and an interleaving of it."""
    streams: list[tuple[Message, ...]] = [
        DELETED[: draw(st.integers(1, len(DELETED)))],
        draw(st.sampled_from(sorted(DRAFTS.items())))[1],
        draw(st.sampled_from(sorted(EMAILS.items())))[1],
    ]
    order = draw(st.permutations([n for n, stream in enumerate(streams) for _ in stream]))
    left = [iter(stream) for stream in streams]
    return [e for stream in streams for e in stream], [next(left[n]) for n in order]


@given(interleaved())
def test_any_order_between_the_streams_shows_the_same_task(
    told: tuple[Sequence[Message], Sequence[Message]],
) -> None:
    in_turn, mixed = told
    assert task_of(*mixed) == task_of(*in_turn)


@pytest.mark.parametrize(
    ("draft", "email", "status", "error"),
    [
        ("none", "none", "due", None),
        ("composed", "none", "composed", None),
        ("composed", "tried", "composed", None),
        ("failed", "none", "failed", "no text"),
        ("again", "none", "due", None),
        ("composed", "sent", "sent", None),
        ("composed", "unknown", "unknown", "no answer"),
        ("composed", "sent after all", "sent", None),
        ("composed", "failed", "failed", "refused"),
        ("composed", "withheld", "withheld", "address_suppressed"),
        ("composed", "queued again", "composed", None),
        ("composed", "sent again", "sent", None),
    ],
)
def test_the_email_outdoes_the_draft_and_the_draft_the_plan(
    draft: str, email: str, status: str, error: str | None
) -> None:
    task = task_of(*PLAN, *DRAFTS[draft], *EMAILS[email])
    assert (task.status, task.error_message) == (status, error)
    assert task.email_sent_id == (STORY.emails[0] if status == "sent" else None)


@pytest.mark.parametrize(
    ("draft", "status", "undecided", "letter"),
    [
        ("waits", "written", NOON + 2.1 * DAY, "Hi Maria"),
        ("revised", "written", NOON + 2.1 * DAY, "Hello."),
        ("approved", "composed", None, None),
        ("flagged, then approved", "composed", None, None),
        ("approved ahead", "composed", None, None),
        ("ahead", "due", NOON + 1.1 * DAY, "Hi Maria"),
        ("ahead, then due", "written", NOON + 1.1 * DAY, "Hi Maria"),
        ("ahead, then discarded", "due", None, None),
    ],
)
def test_a_draft_waits_for_its_date_and_for_the_agent(
    draft: str, status: str, undecided: datetime | None, letter: str | None
) -> None:
    task = task_of(*PLAN, *DRAFTS[draft])
    assert (task.status, task.undecided_since) == (status, undecided)
    assert (task.letter.body if task.letter else None) == letter


def test_a_letter_in_a_former_agent_s_name_waits_for_nobody() -> None:
    task = task_of(*PLAN, *DRAFTS["waits"], MOVES[0])
    assert (task.agent_id, task.sender_id, task.status) == (BEN, AGENT, "written")
    assert task.undecided_since is None


@pytest.mark.parametrize("draft", ["ahead", "ahead, then discarded"])
def test_what_is_made_ahead_leaves_its_follow_up_pending(draft: str) -> None:
    assert task_of(STORY.planned(), *DRAFTS[draft]).status == "pending"


def test_a_task_shows_its_plan() -> None:
    task = task_of(STORY.planned())
    assert (task.status, task.followup_type, task.priority) == ("pending", "Day 1", "high")
    assert (task.agent_id, task.client_id) == (AGENT, CLIENT)
    assert (task.scheduled_for, task.created_at, task.updated_at) == (NOON + DAY, NOON, NOON)
    moved = task_of(*PLAN[:2])
    assert moved.scheduled_for == NOON + 2 * DAY
    assert moved.updated_at == NOON + 0.5 * DAY
    assert task_of(*PLAN[:2], STORY.cancelled(0, 1)).status == "cancelled"


def test_a_task_shows_the_priority_and_notes_that_it_was_given_last() -> None:
    shown = [task_of(*PLAN[:number]) for number in range(1, 6)]
    assert [t.priority for t in shown] == ["high", "high", "low", "low", "low"]
    assert [t.notes for t in shown] == [None, None, "Ring first.", "Ring first.", "Rang."]
    assert shown[-1].status == "due"
    assert shown[-1].updated_at == NOON + 2.3 * DAY
    assert task_of(*PLAN, STORY.changed(0, 3, "low", None)).notes is None


def test_a_task_without_notes_is_stored_as_it_was_before_there_were_any() -> None:
    raw = view_raw(task_of(*PLAN[:2]))
    assert "notes" not in raw
    planned = {"followup_type", "scheduled_for", "priority", "status", "created_at", "at"}
    assert raw["plan"].keys() == planned
    assert view_raw(task_of(*PLAN))["plan"]["notes"] == "Rang."


def test_a_task_without_its_plan_is_in_no_list() -> None:
    assert task_of(*DRAFTS["composed"], *EMAILS["sent"]).status is None


def test_a_task_follows_its_client_and_keeps_in_whose_name_it_was_written() -> None:
    task = task_of(*PLAN, *MOVES, *DRAFTS["composed"])
    assert (task.agent_id, task.sender_id) == (CLEO, AGENT)
    pending = [move.model_copy(update={"was_due": False}) for move in MOVES]
    assert task_of(STORY.planned(), *pending).sender_id is None
    assert task_of(STORY.planned(), *pending[:1], MOVES[1]).sender_id == BEN


@pytest.mark.parametrize(
    ("draft", "email", "status", "error"),
    [
        ("none", "none", "cancelled", "by_agent"),
        ("discarded", "none", "cancelled", "by_agent"),
        ("failed", "none", "cancelled", "by_agent"),
        ("composed", "none", "cancelled", "by_agent"),
        ("composed", "tried", "cancelled", "by_agent"),
        ("composed", "cancelled", "cancelled", "by_agent"),
        ("composed", "withheld", "cancelled", "by_agent"),
        ("composed", "failed", "cancelled", "by_agent"),
        ("composed", "paused", "withheld", "plan_paused"),
        ("composed", "reassigned", "withheld", "client_reassigned"),
        ("composed", "sent", "sent", None),
        ("composed", "postponed, then sent", "sent", None),
        ("composed", "unknown", "unknown", "no answer"),
        ("composed", "sent after all", "sent", None),
    ],
)
def test_what_is_cancelled_when_due_is_cancelled_unless_it_may_have_been_sent(
    draft: str, email: str, status: str, error: str | None
) -> None:
    task = task_of(*CANCELLED, *DRAFTS[draft], *EMAILS[email])
    assert (task.status, task.error_message, task.postponed) == (status, error, None)


def test_what_composer_or_mailer_stopped_is_cancelled_also_before_the_plan_says_so() -> None:
    for stopped in (DRAFTS["discarded"], (*DRAFTS["composed"], *EMAILS["cancelled"])):
        task = task_of(*PLAN, *stopped)
        assert (task.status, task.error_message) == ("cancelled", "by_agent")


@pytest.mark.parametrize(
    ("draft", "email", "status", "waits"),
    [
        ("postponed", "none", "due", True),
        ("late", "none", "composed", False),
        ("composed", "postponed", "composed", True),
        ("late", "postponed, then sent", "sent", False),
        ("composed", "postponed, then queued", "composed", False),
    ],
)
def test_what_is_postponed_keeps_its_status_and_tells_until_when(
    draft: str, email: str, status: str, waits: bool
) -> None:
    task = task_of(*PLAN, *DRAFTS[draft], *EMAILS[email])
    postponed = Postponement(reason="daily_limit", until=NOON + 3 * DAY)
    assert (task.status, task.postponed) == (status, postponed if waits else None)


def test_what_was_never_postponed_is_stored_as_it_was_before_anything_was() -> None:
    raw = view_raw(task_of(*PLAN, *DRAFTS["composed"], *EMAILS["sent"]))
    assert "postponed" not in raw
    assert raw["draft"].keys() == {"status", "error", "at"}
    assert raw["email"].keys() == {"email_id", "status", "error", "at"}


def test_what_is_flagged_shows_the_letter_until_a_person_has_decided() -> None:
    flagged = task_of(*PLAN, *DRAFTS["flagged"])
    assert (flagged.status, flagged.flags) == ("failed", ("placeholder",))
    assert flagged.flagged
    assert flagged.flagged.letter.body == "Hi Maria"
    assert [one.excerpt for one in flagged.flagged.findings] == ["[Client Name]"]
    for task in (
        task_of(*PLAN, *DRAFTS["flagged, then composed"]),
        task_of(*CANCELLED, *DRAFTS["flagged"]),
        task_of(*PLAN, *DRAFTS["failed"]),
    ):
        assert (task.flags, task.flagged) == (None, None)


def test_a_deletion_takes_the_texts_and_leaves_what_is_counted() -> None:
    before = task_of(*PLAN, *DRAFTS["flagged"])
    assert (before.notes, before.flagged is None) == ("Rang.", False)
    for events in ((*DELETED, *DRAFTS["flagged"]), (*DRAFTS["flagged"], *DELETED)):
        task = task_of(*events)
        assert (task.notes, task.flagged, task.status) == (None, None, "cancelled")
        stored = str(view_raw(task))
        for text in ("Ring first.", "Rang.", "Too late.", "maria@mail.example"):
            assert text not in stored
