"""The clients of the REST API: all are the calling agent's; what is not his does not exist."""

from typing import Annotated
from uuid import UUID, uuid4

from litestar import Controller, Response, delete, get, patch, post
from litestar.params import Parameter

from contracts.crm import (
    ClientDetailsPatch,
    DeleteClient,
    Stage,
    UpdateClient,
)
from services.gateway.api import Asked, Several, api_of, found_by
from services.gateway.client_lists import ClientSort, clients_of
from services.gateway.followup_routes import tasks_of
from services.gateway.paging import Limit, Page
from services.gateway.shapes import Client, ClientPatch, Created, NewClient, Task


class Clients(Controller):
    """Clients of the agent."""

    path = "/api/clients"
    tags = ["clients"]

    @post()
    async def create(self, request: Asked, data: NewClient) -> Response[Created]:
        """Add a client; five follow-ups are planned for it."""
        api, client_id = api_of(request), uuid4()
        await api.commands.order(data.ordered(request.user.agent_id, client_id))
        return Response(
            Created(client_id=client_id),
            status_code=201,
            headers={"Location": f"/api/clients/{client_id}"},
        )

    @get()
    async def list_(
        self,
        request: Asked,
        stage: Annotated[list[Stage] | None, Several] = None,
        q: Annotated[str | None, Parameter(max_length=200)] = None,
        sort: ClientSort = "-created_at",
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[Client]]:
        """List clients, unless asked otherwise the newest first.

        `q` finds the beginnings of words in name, email and address. Names are sorted whatever
        their case; who was never contacted is before all others in `last_contacted`.
        """
        return await clients_of(request, stage, q, sort, page, limit)

    @get("/{client_id:uuid}")
    async def show(self, request: Asked, client_id: UUID) -> Client:
        """Show a client."""
        return await _client(request, client_id)

    @patch("/{client_id:uuid}")
    async def change(self, request: Asked, client_id: UUID, data: ClientPatch) -> Client:
        """Change a client. One that becomes closed or lost gets no more follow-ups."""
        api = api_of(request)
        changes = data.model_dump(exclude_unset=True)
        own = {name: changes.pop(name) for name in ("stage", "property_type") if name in changes}
        await api.commands.order(
            UpdateClient(
                agent_id=request.user.agent_id,
                client_id=client_id,
                personal=ClientDetailsPatch(**changes),
                **own,
            )
        )
        return await _client(request, client_id)

    @delete("/{client_id:uuid}")
    async def remove(self, request: Asked, client_id: UUID) -> None:
        """Delete a client and cancel what is pending for it."""
        api = api_of(request)
        await api.commands.order(DeleteClient(agent_id=request.user.agent_id, client_id=client_id))

    @get("/{client_id:uuid}/tasks")
    async def tasks(
        self, request: Asked, client_id: UUID, page: Page = 1, limit: Limit = 20
    ) -> Response[list[Task]]:
        """List a client's follow-ups, the earliest first."""
        await _client(request, client_id)
        return await tasks_of(request, {"client_id": client_id}, page, limit)


async def _client(request: Asked, client_id: UUID) -> Client:
    where = {"_id": client_id, "stage": {"$exists": True}}
    client: Client = await found_by(request, "clients", where, Client)
    return client
