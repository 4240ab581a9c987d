"""What waits for a person, by kind; docs/dashboard.md says what is of which, and what settles it.

Letters that wait and replies have an index, on which all are counted. Of what has failed, is
unknown or overdue, documents have to be read, and so only the first are counted.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, Field
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo.client import Database, Raw
from contracts.crm import Stage
from contracts.message import Time
from services.gateway.read_models.dashboard.stats import GRACE
from services.gateway.read_models.documents import (
    OPEN,
    PAUSED,
    TASKS_BY_STATUS,
    UNDECIDED,
    index_name,
)
from services.gateway.read_models.index_counts import ANY_TIME, count, count_by_value
from services.gateway.read_models.timeline_text import describe

AttentionKind = Literal["approve", "flagged", "failed", "unknown", "overdue", "replied"]

MOST_SHOWN: Final = 5
COUNTED_TO: Final = 5_000
# With an ended deal, nobody waits for an answer.
_STAGES = [stage for stage in get_args(Stage) if stage not in ("closed", "lost")]
_SHOWN = (
    *("client_id", "followup_type", "step", "status", "scheduled_for", "undecided_since"),
    *("error_message", "draft.error", "email.status"),
)
# How far an overdue one has come, as the event by which it came there.
_REACHED = {
    "pending": "FollowupDue",
    "due": "DraftRequested",
    "written": "DraftApproved",
    "composed": "EmailQueued",
}


class AttentionItem(BaseModel):
    """What waits for a person: a follow-up, or a client, and why.

    `since`: when its letter was written, when the follow-up was to be sent, or when the client
    replied. `step`: what the follow-up is called in its plan.
    """

    task_id: UUID | None
    client_id: UUID
    client_name: str
    step: str | None
    since: Time
    reason: str


class AttentionGroup(BaseModel):
    """All of a kind: how many, and those that wait longest."""

    kind: AttentionKind
    count: Annotated[
        int, Field(description=f"of failed, unknown and overdue at most {COUNTED_TO}", ge=0)
    ]
    items: Annotated[list[AttentionItem], Field(max_length=MOST_SHOWN)]


class Attention(BaseModel):
    """What waits for a person; every kind is there, the most pressing first."""

    as_of: Time
    kinds: list[AttentionGroup]


async def attention(database: Database, where: Raw, now: datetime) -> Attention:
    """Return what waits for a person, of the documents that match `where`."""
    tasks, clients = database["tasks"], database["clients"]
    conditions = kinds_of_followups(now, await _paused(clients, where))
    *followups, replied = await asyncio.gather(
        *(_followups(tasks, kind, where | conditions[kind]) for kind in conditions),
        _replied(clients, where),
    )
    found = [*zip(conditions, followups, strict=True), ("replied", replied)]
    names = await client_names(
        database, {row["client_id"] for _, (_, rows) in found for row in rows}
    )
    return Attention(
        as_of=now,
        kinds=[
            AttentionGroup(kind=kind, count=number, items=_items(kind, rows, names))
            for kind, (number, rows) in found
        ],
    )


def kinds_of_followups(now: datetime, paused: Sequence[UUID]) -> dict[AttentionKind, Raw]:
    """Return the condition of each kind of follow-up, in their order; none is of two kinds.

    `paused`: the clients whose plans are paused, where nothing is overdue.
    """
    late = {"$lt": now - GRACE}
    decided: Raw = {"undecided_since": None, "erased": None}
    return {
        "approve": {"undecided_since": ANY_TIME, "draft.status": "written"},
        "flagged": {"undecided_since": ANY_TIME, "draft.status": "failed"},
        # In the name of a former agent it is not tried again.
        "failed": decided | {"status": "failed", "sender_id": None},
        "unknown": decided | {"status": "unknown"},
        "overdue": decided
        | {
            "status": {"$in": list(OPEN)},
            "scheduled_for": late,
            "client_id": {"$nin": list(paused)},
            # What is put off goes on by itself.
            "$or": [{"postponed": None}, {"postponed.until": late}],
        },
    }


def waits_for_answer(client: Raw) -> bool:
    """Return whether a client has replied, and its plan is paused until the agent goes on."""
    return bool(
        client.get("plan_paused") and client.get("replied_at") and client["stage"] in _STAGES
    )


async def _followups(
    tasks: AsyncCollection[Raw], kind: AttentionKind, where: Raw
) -> tuple[int, list[Raw]]:
    """Return how many follow-ups match, and those that wait longest."""
    waiting = kind in ("approve", "flagged")
    hint, since = (
        (index_name(UNDECIDED), "undecided_since")
        if waiting
        else (index_name(TASKS_BY_STATUS), "scheduled_for")
    )
    counting = (
        count(tasks, where, hint=hint)
        if waiting
        else tasks.count_documents(where, limit=COUNTED_TO, hint=hint)
    )
    found = tasks.find(where, _SHOWN, hint=hint).sort([(since, 1), ("_id", 1)]).limit(MOST_SHOWN)
    number, rows = await asyncio.gather(counting, found.to_list())
    return number, [row | {"task_id": row["_id"], "since": row[since]} for row in rows]


async def _replied(clients: AsyncCollection[Raw], where: Raw) -> tuple[int, list[Raw]]:
    """Return how many clients have replied and wait, and those that wait longest."""
    where = where | {"plan_paused": True, "replied_at": ANY_TIME}
    found = clients.find(
        where | {"stage": {"$in": _STAGES}}, ["replied_at"], hint=index_name(PAUSED)
    )
    counts, rows = await asyncio.gather(
        count_by_value(clients, where, "stage", _STAGES),
        found.sort([("replied_at", 1), ("_id", 1)]).limit(MOST_SHOWN).to_list(),
    )
    shown = [{"client_id": row["_id"], "since": row["replied_at"]} for row in rows]
    return sum(counts.values()), shown


async def _paused(clients: AsyncCollection[Raw], where: Raw) -> list[UUID]:
    """Return the clients whose plans are paused."""
    found = clients.find(where | {"plan_paused": True}, ["_id"], hint=index_name(PAUSED))
    return [row["_id"] for row in await found.to_list()]


async def client_names(database: Database, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of the clients, without those that were deleted."""
    where = {"_id": {"$in": list(ids)}, "stage": {"$exists": True}}
    found = database["clients"].find(where, ["name"])
    return {row["_id"]: row["name"] async for row in found}


def _items(kind: AttentionKind, rows: Sequence[Raw], names: dict[UUID, str]) -> list[AttentionItem]:
    """Return what is shown of them; a client that was deleted a moment ago is left out."""
    return [
        AttentionItem(
            task_id=row.get("task_id"),
            client_id=row["client_id"],
            client_name=names[row["client_id"]],
            step=_step(row),
            since=row["since"],
            reason=_reason(kind, row),
        )
        for row in rows
        if row["client_id"] in names
    ]


def _step(row: Raw) -> str | None:
    step: str | None = row.get("step") or row.get("followup_type")
    return step


def _reason(kind: AttentionKind, row: Raw) -> str:
    """Return why it waits, in the words of the timeline, without a full stop."""
    if kind == "replied":
        return "The client replied, and the follow-ups are paused"
    step = _step(row)
    if kind == "approve":
        return f"The letter of follow-up {step} waits for your approval"
    if kind == "flagged":
        return describe("CompositionFailed", {"error": row["draft"].get("error")}, step)
    error = {"error": row.get("error_message")}
    if kind == "unknown":
        return describe("EmailHeld", error, step)
    if kind == "failed":
        return describe("EmailFailed" if "email" in row else "CompositionFailed", error, step)
    return describe(_REACHED[row["status"]], {}, step)
