"""What waits for a person: each kind, in order, with those that wait longest and why."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.projections.views import view_raw
from contracts.message import Event
from contracts.scheduler import FollowupReassigned
from services.gateway.read_models.dashboard.attention import (
    AttentionGroup,
    attention,
    kinds_of_followups,
)
from services.gateway.read_models.tasks import TASKS
from tests.services.gateway.client_events import DAY, NOON, Story
from tests.services.gateway.conftest import Api
from tests.services.gateway.read_models.histories import DRAFTS, EMAILS, PLAN, STORY, folded
from tests.services.gateway.read_models.stored import Stored
from tests.system import AGENT

KINDS = ["approve", "flagged", "failed", "unknown", "overdue", "replied"]
NOW = NOON + 10 * DAY
HOUR = timedelta(hours=1)


def queued(story: Story) -> list[Event]:
    about = story.due(0, 1), story.requested(0, 1), story.composed(0, 1.1)
    return [*about, story.queued(0, 1.1)]


def moved(story: Story, former: UUID) -> FollowupReassigned:
    about = {"client_id": story.client, "followup_id": story.ids[0], "reassigned_at": NOON}
    agent = story.planned().agent_id
    return FollowupReassigned(**about, agent_id=agent, former_agent_id=former, was_due=True)


# From the events of a follow-up that is due at noon to what is said of it.
WAITING: dict[str, tuple[Callable[[Story], list[Event]], str, float, str]] = {
    "approve": (
        lambda s: [s.due(0, 1), s.requested(0, 1), s.written(0, 1.1)],
        *("approve", 1.1, "The letter of follow-up Day 1 waits for your approval"),
    ),
    "approve, written ahead": (
        lambda s: [s.requested(0, 0.5, ahead_of=1), s.written(0, 0.6)],
        *("approve", 0.6, "The letter of follow-up Day 1 waits for your approval"),
    ),
    "flagged": (
        lambda s: [s.due(0, 1), s.requested(0, 1), s.flagged(0, 1.1)],
        *("flagged", 1.1, "Follow-up Day 1 was not written: not fit to send: placeholder"),
    ),
    "flagged ahead": (
        lambda s: [s.requested(0, 0.5, ahead_of=1), s.flagged(0, 0.6)],
        *("flagged", 0.6, "Follow-up Day 1 was not written: not fit to send: placeholder"),
    ),
    "not written": (
        lambda s: [s.due(0, 1), s.requested(0, 1), s.not_composed(0, 1.1)],
        *("failed", 1, "Follow-up Day 1 was not written: no text"),
    ),
    "not sent": (
        lambda s: [*queued(s), s.started(0, 1.1), s.failed(0, 1.2)],
        *("failed", 1, "Email was not sent: refused"),
    ),
    "unknown": (
        lambda s: [*queued(s), s.started(0, 1.1), s.unknown(0, 1.2)],
        *("unknown", 1, "Whether the email was sent is for you to settle: no answer"),
    ),
    "not begun": (lambda s: [s.moved(0, 1)], "overdue", 1, "Follow-up Day 1 is due"),
    "being written": (
        lambda s: [s.due(0, 1), s.requested(0, 1)],
        *("overdue", 1, "Follow-up Day 1 is being written"),
    ),
    "approved": (
        lambda s: [s.due(0, 1), s.requested(0, 1), s.written(0, 1.1), s.approved(0, 1.2)],
        *("overdue", 1, "The letter of Follow-up Day 1 was approved"),
    ),
    "being sent": (
        lambda s: [*queued(s)],
        *("overdue", 1, "Email is ready to be sent"),
    ),
}
# Those that wait for nobody, or for nothing that the agent can do.
GOING_ON: dict[str, Callable[[Story], list[Event]]] = {
    "cancelled": lambda s: [s.cancelled(0, 0.5)],
    "sent": lambda s: [s.due(0, 1), s.queued(0, 1.1), s.sent(0, 1.2)],
    "put off": lambda s: [s.due(0, 1), s.requested(0, 1), s.draft_postponed(0, 1.1, until=11)],
    "failed in a former agent's name": lambda s: [
        *(s.due(0, 1), s.requested(0, 1), s.not_composed(0, 1.1)),
        *(moved(s, former=uuid4()),),
    ],
    "unknown of a deleted client": lambda s: [
        *(s.due(0, 1), s.requested(0, 1), s.queued(0, 1.1), s.unknown(0, 1.2), s.deleted(2)),
    ],
}

pytestmark = pytest.mark.usefixtures("declared")


async def groups(stored: Stored, now: datetime = NOW) -> dict[str, AttentionGroup]:
    shown = await attention(stored.database, stored.where, now)
    assert [group.kind for group in shown.kinds] == KINDS
    assert all(len(group.items) == min(group.count, 5) for group in shown.kinds)
    return {group.kind: group for group in shown.kinds}


async def kinds(stored: Stored, now: datetime = NOW) -> dict[str, int]:
    """Return the kinds of which there is something, and how much."""
    return {kind: group.count for kind, group in (await groups(stored, now)).items() if group.count}


async def client(stored: Stored, **fields: Any) -> UUID:
    return await stored.put("clients", **({"stage": "lead", "name": "Maria"} | fields))


async def put(stored: Stored, story: Story, *events: Event) -> None:
    """Store the story's first follow-up, planned for a day after noon, as the events left it."""
    task = folded(TASKS, story.ids[0], [story.planned(), *events])
    await stored.database["tasks"].insert_one(view_raw(task))


async def test_without_anything_every_kind_is_there_with_none(stored: Stored) -> None:
    assert await kinds(stored) == {}


@pytest.mark.parametrize("name", WAITING)
async def test_what_waits_is_of_one_kind_and_says_why(stored: Stored, name: str) -> None:
    events, kind, since, reason = WAITING[name]
    story = Story(stored.agent, await client(stored))
    await put(stored, story, *events(story))
    found = await groups(stored)
    assert {kind: group.count for kind, group in found.items() if group.count} == {kind: 1}
    [item] = found[kind].items
    assert (item.task_id, item.client_id, item.client_name) == (story.ids[0], story.client, "Maria")
    assert (item.step, item.since, item.reason) == ("Day 1", NOON + since * DAY, reason)


@pytest.mark.parametrize("name", GOING_ON)
async def test_what_goes_on_by_itself_or_has_ended_waits_for_nobody(
    stored: Stored, name: str
) -> None:
    story = Story(stored.agent, await client(stored))
    await put(stored, story, *GOING_ON[name](story))
    assert await kinds(stored) == {}


async def test_no_history_of_a_followup_is_of_two_kinds(stored: Stored) -> None:
    tasks, own = stored.database["tasks"], {"agent_id": STORY.planned().agent_id}
    histories = [[*PLAN, *d, *e] for d, e in product(DRAFTS.values(), EMAILS.values())]
    rows = [view_raw(folded(TASKS, STORY.ids[0], one)) | {"_id": uuid4()} for one in histories]
    await tasks.insert_many(rows)
    found = [
        row["_id"]
        for where in kinds_of_followups(NOW, paused=[]).values()
        async for row in tasks.find(own | where, ["_id"])
    ]
    assert len(found) == len(set(found)) > len(KINDS)


async def test_a_followup_is_overdue_an_hour_after_its_date_or_that_until_which_it_was_put_off(
    stored: Stored,
) -> None:
    story = Story(stored.agent, await client(stored))
    await put(stored, story)
    at = NOON + DAY
    assert await kinds(stored, at + HOUR) == {}
    assert await kinds(stored, at + 1.1 * HOUR) == {"overdue": 1}
    later = Story(stored.agent, await client(stored))
    events = later.due(0, 1), later.queued(0, 1.1), later.postponed(0, 1.2, until=3)
    await put(stored, later, *events)
    assert await kinds(stored, NOON + 3 * DAY + HOUR) == {"overdue": 1}
    assert await kinds(stored, NOON + 3 * DAY + 1.1 * HOUR) == {"overdue": 2}


async def test_nothing_of_a_paused_plan_is_overdue(stored: Stored) -> None:
    for paused in (True, None):
        story = Story(stored.agent, await client(stored, plan_paused=paused))
        await put(stored, story)
    assert await kinds(stored) == {"overdue": 1}


async def test_a_reply_waits_until_the_plan_is_resumed_or_the_deal_has_ended(
    stored: Stored,
) -> None:
    waiting = await client(stored, plan_paused=True, replied_at=NOON)
    await client(stored, plan_paused=None, replied_at=NOON)
    await client(stored, plan_paused=True)
    for stage in ("closed", "lost", None):
        await client(stored, plan_paused=True, replied_at=NOON, stage=stage)
    [item] = (await groups(stored))["replied"].items
    assert await kinds(stored) == {"replied": 1}
    assert (item.client_id, item.client_name, item.since) == (waiting, "Maria", NOON)
    assert (item.task_id, item.step) == (None, None)
    assert item.reason == "The client replied, and the follow-ups are paused"


async def test_of_many_those_that_wait_longest_are_shown(stored: Stored) -> None:
    maria = await client(stored)
    for number in (3, 6, 1, 7, 4, 2, 5):
        await stored.task("failed", NOON + number * HOUR, client_id=maria, error_message="no")
        await client(stored, plan_paused=True, replied_at=NOON + number * HOUR)
    found = await groups(stored)
    for kind in ("failed", "replied"):
        assert found[kind].count == 7
        assert [item.since for item in found[kind].items] == [NOON + n * HOUR for n in range(1, 6)]


async def test_a_step_is_called_as_the_plan_calls_it(stored: Stored) -> None:
    maria = await client(stored)
    named = {"followup_type": "Custom", "step": "Anniversary"}
    await stored.task("pending", NOON, client_id=maria, **named)
    [item] = (await groups(stored))["overdue"].items
    assert (item.step, item.reason) == ("Anniversary", "Follow-up Anniversary is due")


async def test_what_is_another_agent_s_waits_for_that_one(stored: Stored) -> None:
    other = uuid4()
    theirs = await client(stored, agent_id=other, plan_paused=True, replied_at=NOON)
    await stored.task("failed", NOON, client_id=theirs, agent_id=other)
    assert await kinds(stored) == {}


async def test_what_waits_is_shown_over_http(api: Api) -> None:
    story = Story(AGENT, UUID(await api.add(name="Maria Alvarez")))
    # Longer ago than what other tests have left waiting.
    written = story.requested(0, -400, ahead_of=1), story.written(0, -399)
    await api.publish(story.planned(), *written)
    shown = await api.get_until("/api/dashboard/attention", lambda r: str(story.client) in r.text)
    found = {group["kind"]: group for group in shown.json()["kinds"]}
    assert list(found) == KINDS
    [item] = [one for one in found["approve"]["items"] if one["task_id"] == str(story.ids[0])]
    assert (item["client_name"], item["step"]) == ("Maria Alvarez", "Day 1")
    assert item["since"] == "2024-12-28T12:00:00.000Z"
