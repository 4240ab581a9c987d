"""The figures of an agent's dashboard, defined in docs/dashboard.md."""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo.client import Database, Raw
from contracts.crm import Stage
from contracts.message import Time
from services.gateway.read_models.dashboard.days import Days
from services.gateway.read_models.documents import OPEN, TaskStatus
from services.gateway.read_models.index_counts import ANY_TIME, count, count_by_value
from services.gateway.read_models.sending import SendingState, sending_state
from services.gateway.read_models.token_counts import TokenCounts, tokens_of

# Longer than composing and sending take, with all their attempts.
GRACE = timedelta(hours=1)

_Rate = Annotated[float, Field(ge=0, le=1)]


class DashboardStats(BaseModel):
    """The figures of an agent's dashboard."""

    as_of: Time
    time_zone: Annotated[str, Field(description="the agent's, in which days and weeks are meant")]
    clients_by_stage: dict[Stage, int]
    followups_by_status: dict[TaskStatus, int]
    due_today: Annotated[int, Field(description="not sent yet, scheduled for today")]
    overdue: Annotated[int, Field(description="not sent yet, scheduled for over an hour ago")]
    failed: Annotated[int, Field(description="could not be written or sent")]
    unknown: Annotated[int, Field(description="may or may not have been sent")]
    sent_today: Annotated[int, Field(description="emails")]
    sent_this_week: Annotated[int, Field(description="emails, from Monday on")]
    open_rate: Annotated[
        _Rate | None, Field(description="opened or clicked, of all emails sent; null without any")
    ]
    click_rate: Annotated[
        _Rate | None, Field(description="clicked, of all emails sent; null without any")
    ]
    sending: Annotated[
        SendingState, Field(description="unless active, an admin has stopped all emails to clients")
    ]
    tokens: Annotated[TokenCounts, Field(description="of all letters that a language model wrote")]


async def dashboard(
    database: Database, where: Raw, now: datetime, zone: ZoneInfo
) -> DashboardStats:
    """Return the figures of the documents that match `where`, each from an index alone."""
    days = Days.of(now, zone)
    stages, followups, emails, switch, tokens = await asyncio.gather(
        count_by_value(database["clients"], where, "stage", get_args(Stage)),
        _count_followups(database["tasks"], where, now, days),
        _count_emails(database["email_logs"], where, days),
        sending_state(database),
        tokens_of(database, where),
    )
    return DashboardStats(
        as_of=now,
        time_zone=zone.key,
        clients_by_stage=stages,
        **followups,
        **emails,
        sending=switch.state,
        tokens=tokens,
    )


async def _count_followups(
    tasks: AsyncCollection[Raw], where: Raw, now: datetime, days: Days
) -> dict[str, Any]:
    today = {"scheduled_for": {"$gte": days.today, "$lt": days.tomorrow}}
    late = {"scheduled_for": {"$lt": now - GRACE}}
    statuses, due_today, overdue = await asyncio.gather(
        count_by_value(tasks, where, "status", get_args(TaskStatus)),
        count_by_value(tasks, where | today, "status", OPEN),
        count_by_value(tasks, where | late, "status", OPEN),
    )
    return {
        "followups_by_status": statuses,
        "due_today": sum(due_today.values()),
        "overdue": sum(overdue.values()),
        "failed": statuses["failed"],
        "unknown": statuses["unknown"],
    }


async def _count_emails(emails: AsyncCollection[Raw], where: Raw, days: Days) -> dict[str, Any]:
    sent, today, week, opened, clicked = await asyncio.gather(
        count(emails, where | {"sent_at": ANY_TIME}),
        count(emails, where | {"sent_at": {"$gte": days.today, "$lt": days.tomorrow}}),
        count(emails, where | {"sent_at": {"$gte": days.monday}}),
        count(emails, where | {"opened_at": ANY_TIME, "sent_at": ANY_TIME}),
        _count_clicked(emails, where),
    )
    return {
        "sent_today": today,
        "sent_this_week": week,
        "open_rate": ratio(opened + clicked[False], sent),
        "click_rate": ratio(sum(clicked.values()), sent),
    }


def ratio(part: int, whole: int) -> float | None:
    """Return the share, at most 1: the part is counted a moment later than the whole."""
    return min(1.0, part / whole) if whole else None


async def _count_clicked(emails: AsyncCollection[Raw], where: Raw) -> dict[bool, int]:
    """Count clicked emails by whether an open was recorded: images may be blocked."""
    found = await emails.aggregate(
        [
            {"$match": where | {"clicked_at": ANY_TIME, "sent_at": ANY_TIME}},
            {"$group": {"_id": {"$gt": ["$opened_at", None]}, "emails": {"$sum": 1}}},
        ]
    )
    return {True: 0, False: 0} | {row["_id"]: row["emails"] async for row in found}
