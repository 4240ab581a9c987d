"""The dashboard's figures, emails by day, and what waits for a person."""

from datetime import UTC, date, datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from litestar.params import Parameter, QueryParameter

from services.gateway.errors import InvalidField
from services.gateway.http.context import ApiRequest, context_of, get
from services.gateway.read_models.dashboard.attention import Attention, attention
from services.gateway.read_models.dashboard.series import (
    DAY,
    MOST_DAYS,
    EmailSeries,
    SeriesUnit,
    email_series,
)
from services.gateway.read_models.dashboard.stats import DashboardStats, dashboard
from services.gateway.routes.agents import profile_of

DEFAULT_DAYS: Final = 30
YEARS: Final = range(2, 9999)


@get("/api/dashboard/stats", operation_id="getDashboardStats", tags=["dashboard"])
async def stats(request: ApiRequest) -> DashboardStats:
    """Show figures on the agent's follow-ups, in days of the agent's time zone."""
    where = {"agent_id": request.user.agent_id}
    zone = ZoneInfo((await profile_of(request)).personal.time_zone)
    return await dashboard(context_of(request).database, where, datetime.now(UTC), zone)


@get("/api/dashboard/attention", operation_id="getDashboardAttention", tags=["dashboard"])
async def waiting(request: ApiRequest) -> Attention:
    """Show what waits for the agent, by kind, each with the five that wait longest and why."""
    where = {"agent_id": request.user.agent_id}
    return await attention(context_of(request).database, where, datetime.now(UTC))


@get("/api/dashboard/series", operation_id="getDashboardSeries", tags=["dashboard"])
async def by_day(
    request: ApiRequest,
    from_: Annotated[date | None, QueryParameter(name="from", description="the first day")] = None,
    to: Annotated[date | None, Parameter(description="the last day, today if it is absent")] = None,
    by: SeriesUnit = "day",
) -> EmailSeries:
    """Show the emails of each day: sent, and of those opened and clicked since.

    Days are those of the agent's time zone, at most 366; without `from`, 30 up to the last one.
    """
    zone = ZoneInfo((await profile_of(request)).personal.time_zone)
    last = _known("to", to or datetime.now(zone).date())
    first = _known("from", from_ or last - (DEFAULT_DAYS - 1) * DAY)
    if last < first:
        raise InvalidField("to", f"is before the first day, {first}")
    if last - first >= MOST_DAYS * DAY:
        raise InvalidField("from", f"is {MOST_DAYS} days or more before the last day, {last}")
    where = {"agent_id": request.user.agent_id}
    return await email_series(context_of(request).database, where, first, last, zone)


def _known(field: str, day: date) -> date:
    """Return the day. Raises InvalidField where its bounds may be no times."""
    if day.year not in YEARS:
        raise InvalidField(field, f"is outside the years {YEARS[0]} to {YEARS[-1]}")
    return day
