"""What happened to the agent's clients, as a list; live_routes tells it as it happens."""

from functools import partial
from uuid import UUID

from litestar import Response

from chassis.mongo import Raw
from services.gateway.api import Asked, api_of, found_by, get_tagged
from services.gateway.counting import count
from services.gateway.paging import Limit, Page, paged
from services.gateway.shapes import Client, TimelineEntry
from services.gateway.tags import tagged
from services.gateway.timeline import NEWEST_FIRST, TIMELINE, entries


@get_tagged("/api/clients/{client_id:uuid}/timeline", tags=["timeline"])
async def client_timeline(
    request: Asked, client_id: UUID, page: Page = 1, limit: Limit = 20
) -> Response[list[TimelineEntry]]:
    """Tell all that happened to a client, the newest first."""
    await found_by(request, "clients", {"_id": client_id, "stage": {"$exists": True}}, Client)
    return await _told(request, {"client_id": client_id}, page, limit)


@get_tagged("/api/dashboard/activity", tags=["timeline"])
async def activity(
    request: Asked, page: Page = 1, limit: Limit = 20
) -> Response[list[TimelineEntry]]:
    """Tell all that happened to the agent's clients, the newest first."""
    return await _told(request, {"agent_id": request.user.agent_id}, page, limit)


async def _told(request: Asked, where: Raw, page: int, limit: int) -> Response[list[TimelineEntry]]:
    database = api_of(request).database
    documents = database[TIMELINE.collection]
    lines, headers = await paged(
        request, documents, where, NEWEST_FIRST, None, page, limit, partial(count, documents, where)
    )
    return tagged(request, list[TimelineEntry], await entries(database, lines), headers)
