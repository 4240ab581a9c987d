"""The figures of an agent's dashboard; docs/dashboard.md says what each means."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo.client import Database, Raw
from contracts.crm import Stage
from contracts.message import Time
from services.gateway.read_models.documents import TaskStatus
from services.gateway.read_models.index_counts import count, count_each

# What has not left yet.
OPEN: tuple[TaskStatus, ...] = ("pending", "due", "composed")
# Longer than writing, sending and all their attempts take.
GRACE = timedelta(hours=1)
# Comparing with a time leaves out what has none, on the index.
_EVER = {"$gte": datetime(1, 1, 2, tzinfo=UTC)}

_Rate = Annotated[float, Field(ge=0, le=1)]


class DashboardStats(BaseModel):
    """How an agent's follow-ups stand."""

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


@dataclass(frozen=True)
class Days:
    """Where the agent's today and week begin and end, in UTC."""

    today: datetime
    tomorrow: datetime
    monday: datetime

    @classmethod
    def of(cls, now: datetime, zone: ZoneInfo) -> "Days":
        """Give the days around `now`; one with a change of the clock is an hour off 24."""
        date = now.astimezone(zone).date()

        def midnight(days: int) -> datetime:
            local = datetime.combine(date + timedelta(days=days), time.min, tzinfo=zone)
            return local.astimezone(UTC)

        return cls(midnight(0), midnight(1), midnight(-date.weekday()))


async def dashboard(
    database: Database, where: Raw, now: datetime, zone: ZoneInfo
) -> DashboardStats:
    """Count what `where` limits to an agent: every figure comes from an index alone."""
    days = Days.of(now, zone)
    stages, followups, emails = await asyncio.gather(
        count_each(database["clients"], where, "stage", get_args(Stage)),
        _of_followups(database["tasks"], where, now, days),
        _of_emails(database["email_logs"], where, days),
    )
    return DashboardStats(
        as_of=now, time_zone=zone.key, clients_by_stage=stages, **followups, **emails
    )


async def _of_followups(
    tasks: AsyncCollection[Raw], where: Raw, now: datetime, days: Days
) -> dict[str, Any]:
    today = {"scheduled_for": {"$gte": days.today, "$lt": days.tomorrow}}
    late = {"scheduled_for": {"$lt": now - GRACE}}
    statuses, due_today, overdue = await asyncio.gather(
        count_each(tasks, where, "status", get_args(TaskStatus)),
        count_each(tasks, where | today, "status", OPEN),
        count_each(tasks, where | late, "status", OPEN),
    )
    return {
        "followups_by_status": statuses,
        "due_today": sum(due_today.values()),
        "overdue": sum(overdue.values()),
        "failed": statuses["failed"],
        "unknown": statuses["unknown"],
    }


async def _of_emails(emails: AsyncCollection[Raw], where: Raw, days: Days) -> dict[str, Any]:
    sent, today, week, opened, clicked = await asyncio.gather(
        count(emails, where | {"sent_at": _EVER}),
        count(emails, where | {"sent_at": {"$gte": days.today, "$lt": days.tomorrow}}),
        count(emails, where | {"sent_at": {"$gte": days.monday}}),
        count(emails, where | {"opened_at": _EVER, "sent_at": _EVER}),
        _clicked(emails, where),
    )
    return {
        "sent_today": today,
        "sent_this_week": week,
        "open_rate": rate_of(opened + clicked[False], sent),
        "click_rate": rate_of(sum(clicked.values()), sent),
    }


def rate_of(part: int, whole: int) -> float | None:
    """Give the share; at most all: parts are counted a moment later than the whole."""
    return min(1.0, part / whole) if whole else None


async def _clicked(emails: AsyncCollection[Raw], where: Raw) -> dict[bool, int]:
    """Count the clicked emails by whether they were seen to be opened: images may be blocked."""
    found = await emails.aggregate(
        [
            {"$match": where | {"clicked_at": _EVER, "sent_at": _EVER}},
            {"$group": {"_id": {"$gt": ["$opened_at", None]}, "emails": {"$sum": 1}}},
        ]
    )
    return {True: 0, False: 0} | {row["_id"]: row["emails"] async for row in found}
