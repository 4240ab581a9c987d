"""What the rows of a list show of other collections, read for a page at once.

Nothing of it is stored in the rows: a client's name, or what its follow-ups have come to, would
have to be written to all of them.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from chassis.mongo.client import Database, Raw
from services.gateway.read_models.dashboard.attention import kinds_of_followups, waits_for_answer
from services.gateway.read_models.documents import OPEN, TASKS_OF_CLIENT, index_name

# Adds to the rows of a page.
Complete = Callable[[Database, list[Raw]], Awaitable[None]]

_SHOWN: Final = {"stage": {"$exists": True}}


async def complete_tasks(database: Database, rows: list[Raw]) -> None:
    """Add the client's name to follow-ups, and subject and status of the email."""
    await _add_names(database, rows)
    emails = await _by_id(database, "email_logs", rows, "email_sent_id", ["subject", "status"])
    for row in rows:
        email = emails.get(row.get("email_sent_id"), {})
        row |= {"subject": email.get("subject"), "email_status": email.get("status")}


async def complete_emails(database: Database, rows: list[Raw]) -> None:
    """Add the client's name to emails, and what the follow-up is called in its plan."""
    await _add_names(database, rows)
    tasks = await _by_id(database, "tasks", rows, "task_id", ["step", "followup_type"])
    for row in rows:
        task = tasks.get(row["task_id"], {})
        row["step"] = task.get("step") or task.get("followup_type")


async def complete_clients(database: Database, rows: list[Raw]) -> None:
    """Add to clients their next follow-up, last email's status, whether they need a person."""
    of_these = {"client_id": {"$in": [row["_id"] for row in rows]}}
    next_ones = await _first_of_each(
        database, "tasks", of_these | {"status": {"$in": OPEN}}, "scheduled_for", "scheduled_for", 1
    )
    emails = of_these | {"status": {"$exists": True}}
    last_ones = await _first_of_each(database, "email_logs", emails, "status", "created_at", -1)
    paused = [row["_id"] for row in rows if row.get("plan_paused")]
    kinds = kinds_of_followups(datetime.now(UTC), paused).values()
    waiting = {"$and": [of_these, {"$or": list(kinds)}]}
    found = database["tasks"].find(waiting, ["client_id"], hint=index_name(TASKS_OF_CLIENT))
    attention = {task["client_id"] async for task in found}
    for row in rows:
        row |= {
            "next_followup_at": next_ones.get(row["_id"]),
            "last_email_status": last_ones.get(row["_id"]),
            "needs_attention": row["_id"] in attention or waits_for_answer(row),
        }


async def _add_names(database: Database, rows: list[Raw]) -> None:
    """Add the names of the clients; None of one that was deleted."""
    clients = await _by_id(database, "clients", rows, "client_id", ["name"], _SHOWN)
    for row in rows:
        row["client_name"] = clients.get(row["client_id"], {}).get("name")


async def _by_id(
    database: Database,
    collection: str,
    rows: Sequence[Raw],
    field: str,
    fields: list[str],
    where: Raw | None = None,
) -> dict[UUID | None, Raw]:
    """Return the documents that the rows name in the field, by id."""
    ids = {row[field] for row in rows if row.get(field)}
    found = database[collection].find({"_id": {"$in": list(ids)}} | (where or {}), fields)
    return {document["_id"]: document async for document in found}


async def _first_of_each(
    database: Database, collection: str, where: Raw, field: str, order: str, direction: int
) -> dict[UUID, object]:
    """Return the field of each client's first document in the order, which an index has."""
    found = await database[collection].aggregate(
        [
            {"$match": where},
            {"$sort": {"client_id": 1, order: direction}},
            {"$group": {"_id": "$client_id", "first": {"$first": f"${field}"}}},
        ],
        hint=index_name({"client_id": 1, order: direction}),
    )
    return {row["_id"]: row["first"] async for row in found}
