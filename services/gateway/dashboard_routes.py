"""The dashboard's figures over HTTP."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from services.gateway.agent_routes import profile_of
from services.gateway.api import Asked, api_of, get
from services.gateway.dashboard import DashboardStats, dashboard


@get("/api/dashboard/stats", tags=["dashboard"])
async def stats(request: Asked) -> DashboardStats:
    """Show how the agent's follow-ups stand, in days of the agent's time zone."""
    where = {"agent_id": request.user.agent_id}
    zone = ZoneInfo((await profile_of(request)).personal.time_zone)
    return await dashboard(api_of(request).database, where, datetime.now(UTC), zone)
