"""What the rows of lists show of other collections."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.mailer import email_id
from services.gateway.read_models import list_rows
from tests.services.gateway.client_events import NOON, Story
from tests.services.gateway.read_models.stored import Stored
from tests.services.gateway.read_models.test_attention import GOING_ON, WAITING, client, put

HOUR = timedelta(hours=1)

pytestmark = pytest.mark.usefixtures("declared")


async def client_row(stored: Stored, client_id: UUID) -> dict[str, Any]:
    """Return the client as a list shows it, beside another one's, of which nothing is known."""
    rows = [
        row
        for id_ in (client_id, await client(stored))
        if (row := await stored.database["clients"].find_one({"_id": id_}))
    ]
    await list_rows.complete_clients(stored.database, rows)
    nothing = {"next_followup_at": None, "last_email_status": None, "needs_attention": False}
    assert nothing.items() <= rows[1].items()
    return rows[0]


@pytest.mark.parametrize("name", WAITING)
async def test_a_client_needs_attention_while_a_followup_of_it_waits(
    stored: Stored, name: str
) -> None:
    story = Story(stored.agent, await client(stored))
    await put(stored, story, *WAITING[name][0](story))
    assert (await client_row(stored, story.client))["needs_attention"]


@pytest.mark.parametrize("name", [name for name in GOING_ON if name != "put off"])
async def test_a_client_needs_none_for_what_has_ended(stored: Stored, name: str) -> None:
    story = Story(stored.agent, await client(stored))
    await put(stored, story, *GOING_ON[name](story))
    assert not (await client_row(stored, story.client))["needs_attention"]


async def test_a_client_who_has_replied_needs_attention_until_the_plan_goes_on(
    stored: Stored,
) -> None:
    replied = {"plan_paused": True, "replied_at": NOON}
    waiting = await client(stored, **replied)
    assert (await client_row(stored, waiting))["needs_attention"]
    for fields in (replied | {"plan_paused": None}, replied | {"stage": "closed"}):
        other = await client(stored, **fields)
        assert not (await client_row(stored, other))["needs_attention"]


async def test_nothing_of_a_paused_plan_is_overdue(stored: Stored) -> None:
    story = Story(stored.agent, await client(stored, plan_paused=True))
    await put(stored, story)
    row = await client_row(stored, story.client)
    assert not row["needs_attention"]
    assert row["next_followup_at"] == story.planned().followups[0].scheduled_for


async def test_a_client_shows_the_first_open_followup_and_the_last_email(stored: Stored) -> None:
    id_ = await client(stored)
    for hours, status in ((1, "sent"), (3, "pending"), (2, "due"), (0, "cancelled")):
        await stored.task(status, NOON + hours * HOUR, client_id=id_)
    emails = {1: "clicked", 2: "bounced", 3: None, 0: "sent"}
    for hours, email in emails.items():
        await stored.put("email_logs", client_id=id_, status=email, created_at=NOON + hours * HOUR)
    row = await client_row(stored, id_)
    assert (row["next_followup_at"], row["last_email_status"]) == (NOON + 2 * HOUR, "bounced")


async def test_followups_and_emails_show_each_other_and_the_client_that_is_not_deleted(
    stored: Stored,
) -> None:
    known, deleted = await client(stored, name="Maria"), await client(stored, stage=None)
    tasks: list[dict[str, Any]] = [
        {"_id": uuid4(), "client_id": known, "followup_type": "Day 1"},
        {"_id": uuid4(), "client_id": deleted, "followup_type": "Custom", "step": "Birthday"},
    ]
    ids = [await stored.put("tasks", **task) for task in tasks]
    await stored.put(
        "email_logs", _id=email_id(ids[0]), subject="Hello", status="unknown", client_id=known
    )
    await list_rows.complete_tasks(stored.database, tasks)
    shown = [(task["client_name"], task["subject"], task["email_status"]) for task in tasks]
    assert shown == [("Maria", "Hello", "unknown"), (None, None, None)]
    emails: list[dict[str, Any]] = [
        {"client_id": client_id, "task_id": task_id}
        for client_id, task_id in zip((known, deleted), ids, strict=True)
    ]
    await list_rows.complete_emails(stored.database, emails)
    assert [(one["client_name"], one["step"]) for one in emails] == [
        ("Maria", "Day 1"),
        (None, "Birthday"),
    ]
