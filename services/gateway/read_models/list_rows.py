"""What the rows of a list show of other collections, read for a page at once.

Nothing of it is stored in the rows: a client's name, or what its follow-ups have come to, would
have to be written to all of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from chassis.mongo.client import Database, Raw
from contracts.mailer import email_id
from services.gateway.read_models.dashboard.attention import (
    client_names,
    kinds_of_followups,
    waits_for_answer,
)
from services.gateway.read_models.documents import (
    EMAILS_OF_CLIENT,
    OPEN,
    TASKS_OF_CLIENT,
    index_name,
)

# Adds to the rows of a page.
Complete = Callable[[Database, list[Raw]], Awaitable[None]]


async def complete_tasks(database: Database, rows: list[Raw]) -> None:
    """Add the client's name to follow-ups, and subject and status of the email."""
    ids = [email_id(row["_id"]) for row in rows]
    _, emails = await asyncio.gather(
        _add_names(database, rows), _by_id(database, "email_logs", ids, ["subject", "status"])
    )
    for id_, row in zip(ids, rows, strict=True):
        email = emails.get(id_, {})
        row |= {"subject": email.get("subject"), "email_status": email.get("status")}


async def complete_emails(database: Database, rows: list[Raw]) -> None:
    """Add the client's name to emails, and what the follow-up is called in its plan."""
    ids = [row["task_id"] for row in rows]
    _, tasks = await asyncio.gather(
        _add_names(database, rows), _by_id(database, "tasks", ids, ["step", "followup_type"])
    )
    for id_, row in zip(ids, rows, strict=True):
        task = tasks.get(id_, {})
        row["step"] = task.get("step") or task.get("followup_type")


async def complete_clients(database: Database, rows: list[Raw]) -> None:
    """Add to clients their next follow-up, last email's status, whether they need a person."""
    of_these = {"client_id": {"$in": [row["_id"] for row in rows]}}
    paused = [row["_id"] for row in rows if row.get("plan_paused")]
    kinds = kinds_of_followups(datetime.now(UTC), paused).values()
    waiting = {"$and": [of_these, {"$or": list(kinds)}]}
    next_ones, last_ones, attention = await asyncio.gather(
        _first_of_each(
            database,
            "tasks",
            of_these | {"status": {"$in": OPEN}},
            "scheduled_for",
            TASKS_OF_CLIENT,
        ),
        _first_of_each(
            database,
            "email_logs",
            of_these | {"status": {"$exists": True}},
            "status",
            EMAILS_OF_CLIENT,
        ),
        database["tasks"].find(waiting, ["client_id"], hint=index_name(TASKS_OF_CLIENT)).to_list(),
    )
    waits = {task["client_id"] for task in attention}
    for row in rows:
        row |= {
            "next_followup_at": next_ones.get(row["_id"]),
            "last_email_status": last_ones.get(row["_id"]),
            "needs_attention": row["_id"] in waits or waits_for_answer(row),
        }


async def _add_names(database: Database, rows: list[Raw]) -> None:
    """Add the names of the clients; None of one that was deleted."""
    names = await client_names(database, {row["client_id"] for row in rows})
    for row in rows:
        row["client_name"] = names.get(row["client_id"])


async def _by_id(
    database: Database, collection: str, ids: Sequence[UUID], fields: list[str]
) -> dict[UUID, Raw]:
    found = database[collection].find({"_id": {"$in": list(ids)}}, fields)
    return {document["_id"]: document async for document in found}


async def _first_of_each(
    database: Database, collection: str, where: Raw, field: str, index: Mapping[str, int]
) -> dict[UUID, object]:
    """Return the field of each client's first document in the order of the index."""
    found = await database[collection].aggregate(
        [
            {"$match": where},
            {"$sort": dict(index)},
            {"$group": {"_id": "$client_id", "first": {"$first": f"${field}"}}},
        ],
        hint=index_name(index),
    )
    return {row["_id"]: row["first"] async for row in found}
