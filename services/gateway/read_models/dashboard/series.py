"""Emails by day, in days of the agent's time zone; docs/dashboard.md defines them.

MongoDB's own time zones are as old as its release, and an agent's may be newer. So the bounds of
days come from here: MongoDB numbers the days of each run in which all days have 24 hours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from chassis.mongo.client import Database, Raw
from services.gateway.read_models.dashboard.days import midnight

MOST_DAYS: Final = 366
DAY: Final = timedelta(days=1)

SeriesUnit = Literal["day"]
_Count = Annotated[int, Field(ge=0)]


class EmailDay(BaseModel):
    """Emails sent on a day; of them those that were opened or clicked since, and were clicked."""

    day: date
    sent: _Count
    opened: _Count
    clicked: _Count


class EmailSeries(BaseModel):
    """Emails by day, each day of the range in its order, also without any."""

    model_config = ConfigDict(populate_by_name=True)

    from_: Annotated[date, Field(alias="from", description="the first day")]
    to: Annotated[date, Field(description="the last day")]
    by: SeriesUnit = "day"
    time_zone: Annotated[str, Field(description="the agent's, in which days are meant")]
    days: list[EmailDay]


@dataclass(frozen=True)
class _Run:
    """Days that follow each other: several of 24 hours, or one of another length."""

    first: int
    begins: datetime
    ends: datetime

    def number_of(self, time: str) -> Any:
        """Return the expression of the day's number, from 0 for the first day of all runs."""
        if (self.ends - self.begins) % DAY:
            return self.first
        since = {"$subtract": [time, self.begins]}
        passed = {"$floor": {"$divide": [since, DAY // timedelta(milliseconds=1)]}}
        return {"$add": [self.first, passed]}


async def email_series(
    database: Database, where: Raw, first: date, last: date, zone: ZoneInfo
) -> EmailSeries:
    """Return the emails that match `where`, by day, counted on an index alone."""
    midnights = [midnight(first + number * DAY, zone) for number in range((last - first).days + 2)]
    bounds = {"sent_at": {"$gte": midnights[0], "$lt": midnights[-1]}}
    runs = [
        {"case": {"$lt": ["$sent_at", run.ends]}, "then": run.number_of("$sent_at")}
        for run in _runs(midnights)
    ]
    opened, clicked = {"$gt": ["$opened_at", None]}, {"$gt": ["$clicked_at", None]}
    found = await database["email_logs"].aggregate(
        [
            {"$match": where | bounds},
            {
                "$group": {
                    "_id": {"$switch": {"branches": runs}},
                    "sent": {"$sum": 1},
                    "opened": {"$sum": {"$cond": [{"$or": [opened, clicked]}, 1, 0]}},
                    "clicked": {"$sum": {"$cond": [clicked, 1, 0]}},
                }
            },
        ]
    )
    by_number = {int(row.pop("_id")): row async for row in found}
    none = {"sent": 0, "opened": 0, "clicked": 0}
    days = [
        EmailDay(day=first + number * DAY, **by_number.get(number, none))
        for number in range(len(midnights) - 1)
    ]
    return EmailSeries(from_=first, to=last, time_zone=zone.key, days=days)


def _runs(midnights: Sequence[datetime]) -> Iterator[_Run]:
    """Yield the runs of the days between the midnights."""
    start = 0
    for number in range(1, len(midnights)):
        plain = midnights[number] - midnights[number - 1] == DAY
        if not plain and start < number - 1:
            yield _Run(start, midnights[start], midnights[number - 1])
        if not plain:
            yield _Run(number - 1, midnights[number - 1], midnights[number])
            start = number
    if start < len(midnights) - 1:
        yield _Run(start, midnights[start], midnights[-1])
