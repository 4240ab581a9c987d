"""The dashboard's figures, and what waits for a person."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from services.gateway.http.context import ApiRequest, context_of, get
from services.gateway.read_models.dashboard.attention import Attention, attention
from services.gateway.read_models.dashboard.stats import DashboardStats, dashboard
from services.gateway.routes.agents import profile_of


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
