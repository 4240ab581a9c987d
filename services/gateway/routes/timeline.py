"""The timeline of the agent's clients as a list; `live` sends it as it happens."""

from functools import partial
from uuid import UUID

from litestar import Response

from chassis.mongo.client import Raw
from services.gateway.http.context import ApiRequest, context_of, find_visible, get_tagged
from services.gateway.http.etags import etag_response
from services.gateway.http.pagination import Limit, Page, read_page
from services.gateway.read_models.index_counts import count
from services.gateway.read_models.schemas.clients import Client
from services.gateway.read_models.timeline import (
    NEWEST_FIRST,
    TIMELINE,
    TimelineEntry,
    to_entries,
)


@get_tagged(
    "/api/clients/{client_id:uuid}/timeline",
    operation_id="listClientTimeline",
    tags=["timeline"],
)
async def client_timeline(
    request: ApiRequest, client_id: UUID, page: Page = 1, limit: Limit = 20
) -> Response[list[TimelineEntry]]:
    """List the events of a client, the newest first."""
    where = {"_id": client_id, "stage": {"$exists": True}}
    client: Client = await find_visible(request, "clients", where, Client)
    return await _timeline(request, {"client_id": client_id}, page, limit, client.agent_id)


@get_tagged("/api/dashboard/activity", operation_id="listActivity", tags=["timeline"])
async def activity(
    request: ApiRequest, page: Page = 1, limit: Limit = 20
) -> Response[list[TimelineEntry]]:
    """List the events of the agent's clients, the newest first.

    Not those before a client was reassigned to the agent: they are in the client's own timeline.
    """
    return await _timeline(request, {"agent_id": request.user.agent_id}, page, limit)


async def _timeline(
    request: ApiRequest, where: Raw, page: int, limit: int, viewer: UUID | None = None
) -> Response[list[TimelineEntry]]:
    database = context_of(request).database
    documents = database[TIMELINE.collection]
    lines, headers = await read_page(
        request, documents, where, NEWEST_FIRST, None, page, limit, partial(count, documents, where)
    )
    entries = await to_entries(database, lines, viewer)
    return etag_response(request, list[TimelineEntry], entries, headers)
