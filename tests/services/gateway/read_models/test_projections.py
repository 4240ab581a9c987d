"""The read models: the same from any order between the streams."""

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.mongo.client import connect, declare
from chassis.projections.views import view_raw
from contracts.crm import ClientCreated, ClientDeleted, ClientDetails, ClientUpdated
from contracts.mailer import EmailBounced, EmailWithdrawn
from contracts.message import Message
from contracts.scheduler import FollowupReassigned, PlanPaused
from services.gateway.documents import STORE
from services.gateway.read_models.documents import (
    ClientDocument,
    EmailLogDocument,
    TaskDocument,
)
from services.gateway.read_models.email_log import EMAIL_LOGS
from services.gateway.read_models.projections import CLIENTS, TASKS
from services.gateway.read_models.schemas import Client
from tests.servers import Server
from tests.services.gateway.client_events import DAY, NOON, Story

AGENT, CLIENT = uuid4(), uuid4()
STORY = Story(AGENT, CLIENT)
PLAN = (
    *(STORY.planned(), STORY.moved(0, 2, at=0.5), STORY.changed(0, 0.6, "low", "Ring first.")),
    *(STORY.due(0, at=2), STORY.changed(0, 2.3, "low", "Rang.")),
)
DRAFTS = {
    "composed": (STORY.requested(0, 2), STORY.composed(0, 2.1)),
    "again": (STORY.requested(0, 2), STORY.not_composed(0, 2.1), STORY.requested(0, 2.2)),
    "failed": (STORY.requested(0, 2), STORY.not_composed(0, 2.1)),
    "none": (),
}
_TRIED = (STORY.queued(0, 2.2), STORY.started(0, 2.3))
EMAILS = {
    "none": (),
    "tried": _TRIED,
    "sent": (*_TRIED, STORY.sent(0, 2.4), STORY.opened(0, 3)),
    "unknown": (*_TRIED, STORY.unknown(0, 2.4)),
    "sent after all": (*_TRIED, STORY.unknown(0, 2.4), STORY.sent(0, 2.5)),
    "failed": (*_TRIED, STORY.failed(0, 2.4)),
    "withheld": (*_TRIED, STORY.withheld(0, 2.4)),
    "queued again": (*_TRIED, STORY.failed(0, 2.4), STORY.queued(0, 2.5)),
    "sent again": (*_TRIED, STORY.unknown(0, 2.4), STORY.queued(0, 2.5), STORY.sent(0, 2.6)),
}


@pytest.fixture(scope="module", autouse=True)
async def declared(mongodb_server: Server) -> None:
    """Beanie's documents can be made only where they are bound to a database."""
    async with connect(mongodb_server.address) as client:
        await declare(client["realtoros_gateway"], STORE.documents)


def folded(view: Any, id_: Any, events: Iterable[Message]) -> Any:
    """Fold what the view is interested in, as the chassis does."""
    concerned = [e for e in events if isinstance(e, view.types) and id_ in view.ids(e)]
    return reduce(lambda known, event: view.apply(known, event, id_), concerned, None)


def task_of(*events: Message) -> TaskDocument:
    task: TaskDocument = folded(TASKS, STORY.ids[0], events)
    return task


@st.composite
def interleaved(draw: st.DrawFn) -> tuple[Sequence[Message], Sequence[Message]]:
    """Generate a history of the three streams, and an interleaving of it."""
    streams: list[tuple[Message, ...]] = [
        PLAN[: draw(st.integers(1, len(PLAN)))],
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


@pytest.mark.parametrize(
    ("email", "status", "error"),
    [
        ("tried", "queued", None),
        ("unknown", "unknown", "no answer"),
        ("sent after all", "sent", None),
        ("failed", "failed", "refused"),
        ("withheld", "withheld", "address_suppressed"),
    ],
)
def test_an_email_log_shows_describe_exit(email: str, status: str, error: str | None) -> None:
    log = log_of(*EMAILS[email])
    assert (log.status, log.error_message) == (status, error)


def test_a_bounce_is_shown_and_stays() -> None:
    about = {"agent_id": AGENT, "client_id": CLIENT, "followup_id": STORY.ids[0]}
    bounced = EmailBounced(**about, email_id=STORY.emails[0], at=NOON, reason="550")
    log = log_of(*EMAILS["sent"], bounced, STORY.delivered(0, 9))
    assert (log.status, log.error_message) == ("bounced", "550")


BEN, CLEO = uuid4(), uuid4()
_ABOUT: dict[str, Any] = {"client_id": CLIENT, "followup_id": STORY.ids[0], "reassigned_at": NOON}
MOVES = (
    FollowupReassigned(**_ABOUT, agent_id=BEN, former_agent_id=AGENT, was_due=True),
    FollowupReassigned(**_ABOUT, agent_id=CLEO, former_agent_id=BEN, was_due=True),
)


@pytest.mark.parametrize("known", range(len(EMAILS["sent"]) + 1))
def test_an_email_follows_its_client_also_when_it_becomes_known_later(known: int) -> None:
    events = EMAILS["sent"]
    log = log_of(*events[:known], *MOVES, *events[known:])
    assert log == log_of(*events, *MOVES)
    assert (log.agent_id, log.sender_id, log.status) == (CLEO, AGENT, "opened")
    assert log_of(*MOVES).status is None


def test_a_task_follows_its_client_and_keeps_in_whose_name_it_was_written() -> None:
    task = task_of(*PLAN, *MOVES, *DRAFTS["composed"])
    assert (task.agent_id, task.sender_id) == (CLEO, AGENT)
    pending = [move.model_copy(update={"was_due": False}) for move in MOVES]
    assert task_of(STORY.planned(), *pending).sender_id is None
    assert task_of(STORY.planned(), *pending[:1], MOVES[1]).sender_id == BEN


def test_a_withdrawn_email_is_shown_as_withheld() -> None:
    about = {"agent_id": AGENT, "client_id": CLIENT, "followup_id": STORY.ids[0]}
    withdrawn = EmailWithdrawn(
        **about, email_id=STORY.emails[0], reason="client_reassigned", withdrawn_at=NOON
    )
    for shown in (
        task_of(*PLAN, *DRAFTS["composed"], *EMAILS["tried"], withdrawn),
        log_of(*EMAILS["tried"], withdrawn),
    ):
        assert (shown.status, shown.error_message) == ("withheld", "client_reassigned")


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
        ["maria", "lópez-ruiz", "m.lopez@mail.example", "12", "elm", "st", "springfield"]
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
