"""Routes of clients. Another agent's client is not found."""

import asyncio
from functools import partial
from typing import Annotated
from uuid import UUID, uuid5

from litestar import Controller, Response
from litestar.status_codes import HTTP_200_OK

from contracts.crm import (
    ClientDetailsPatch,
    DeleteClient,
    PropertyType,
    Stage,
    UpdateClient,
)
from contracts.mailer import SuppressionReason
from contracts.scheduler import CancelPlan, PausePlan, ResumePlan
from services.gateway.commands.duplicates import naming_duplicate
from services.gateway.commands.sequences import new_plan, sequences_of
from services.gateway.errors import CommandPending, DuplicateEmail, Rejected
from services.gateway.http.context import (
    ApiContext,
    ApiRequest,
    Several,
    context_of,
    delete,
    find_visible,
    get,
    get_tagged,
    patch,
    post,
    visible_to_caller,
)
from services.gateway.http.etags import IfMatch, etag_response, if_match_version
from services.gateway.http.idempotency import command_id_of, forget_responses
from services.gateway.http.pagination import ClientSort, Limit, Page
from services.gateway.markers import MAY_BE_PENDING
from services.gateway.read_models.agent_zones import agent_time_zone
from services.gateway.read_models.schemas.clients import (
    Client,
    ClientCounts,
    ClientPatch,
    Created,
    Deletion,
    ListedClient,
    NewClient,
)
from services.gateway.routes.client_search import (
    ClientFilter,
    Search,
    clients_of,
    count_clients,
)
from services.gateway.routes.followups.cancelling import cancel_and_settle


class Clients(Controller):
    """Clients of the agent."""

    path = "/api/clients"
    tags = ["clients"]

    @post(opt={MAY_BE_PENDING: True})
    async def create(self, request: ApiRequest, data: NewClient) -> Response[Created]:
        """Add a client, and plan its follow-ups. A day's quota limits the number of clients.

        They are the steps of `sequence`, else of the one that the stage suggests. After 201 they
        can be read, too; none are planned for a lost client.
        """
        api, command_id, agent_id = (
            context_of(request),
            command_id_of(request),
            request.user.agent_id,
        )
        client_id = uuid5(command_id, "client")
        zone = await agent_time_zone(api.database, agent_id)
        sequences = await sequences_of(api.database, agent_id)
        sequence = new_plan(sequences.chosen(data.sequence, data.stage))
        command = data.to_command(agent_id, client_id, agent_time_zone=zone, sequence=sequence)
        grant = await api.quota.take_one(agent_id)
        try:
            async with naming_duplicate(api.database, agent_id, data.email):
                accepted = await api.commands.execute(command, command_id)
        except (Rejected, DuplicateEmail):
            await api.quota.give_back(grant)
            raise
        if data.stage != "lost" and not await _is_planned(api, client_id):
            await api.commands.store_accepted(command, command_id, accepted)
            raise CommandPending(command_id)
        return Response(
            Created(client_id=client_id),
            status_code=201,
            headers={"Location": f"/api/clients/{client_id}"},
        )

    @get_tagged()
    async def list_(
        self,
        request: ApiRequest,
        stage: Annotated[list[Stage] | None, Several] = None,
        property_type: Annotated[list[PropertyType] | None, Several] = None,
        email_status: Annotated[list[SuppressionReason] | None, Several] = None,
        plan_paused: bool | None = None,
        q: Search = None,
        sort: ClientSort = "-created_at",
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[ListedClient]]:
        """List clients, by default the newest first.

        `q` finds beginnings of words, or of their parts, in name, email and address, whatever case
        and accents, and phones in any spelling. Sorting by name ignores case; `last_contacted` puts
        clients that were never contacted first.
        """
        which = ClientFilter(q, stage, property_type, email_status, plan_paused)
        return await clients_of(request, which, sort, page, limit)

    @get("/counts", operation_id="countClients")
    async def count(
        self,
        request: ApiRequest,
        property_type: Annotated[list[PropertyType] | None, Several] = None,
        email_status: Annotated[list[SuppressionReason] | None, Several] = None,
        plan_paused: bool | None = None,
        q: Search = None,
    ) -> ClientCounts:
        """Count the clients of each stage that the other filters of the list leave."""
        which = ClientFilter(q, None, property_type, email_status, plan_paused)
        return await count_clients(request, which)

    @get_tagged("/{client_id:uuid}")
    async def show(self, request: ApiRequest, client_id: UUID) -> Response[Client]:
        """Show a client."""
        return etag_response(request, Client, await _client(request, client_id))

    @patch("/{client_id:uuid}", opt={MAY_BE_PENDING: True})
    async def change(
        self, request: ApiRequest, client_id: UUID, data: ClientPatch, if_match: IfMatch = None
    ) -> Response[Client]:
        """Change a client. Closed or lost, it gets no more of the follow-ups that it had.

        `GET /api/clients/{client_id}/plan` says which sequence its new stage suggests.
        """
        api = context_of(request)
        version = await _version(request, if_match, client_id)
        changes = data.model_dump()
        fields = {name: changes.pop(name) for name in ("stage", "property_type") if name in changes}
        command = UpdateClient(
            agent_id=request.user.agent_id,
            client_id=client_id,
            personal=ClientDetailsPatch(**changes),
            if_version=version,
            **fields,
        )
        async with naming_duplicate(api.database, command.agent_id, changes.get("email")):
            await api.commands.execute(command)
        return etag_response(request, Client, await _client(request, client_id))

    @get("/{client_id:uuid}/deletion", operation_id="getClientDeletion")
    async def show_deletion(self, request: ApiRequest, client_id: UUID) -> Deletion:
        """Show what a deletion of the client would delete. Nothing is deleted yet."""
        await _client(request, client_id)
        database = context_of(request).database
        of_client = visible_to_caller(request) | {"client_id": client_id}
        unsent = of_client | {"status": {"$in": ["pending", "due", "composed"]}}
        texts = of_client | {"status": {"$exists": True}}
        return Deletion(
            client_id=client_id,
            tasks_cancelled=await database["tasks"].count_documents(unsent),
            emails_erased=await database["email_logs"].count_documents(texts),
        )

    @delete("/{client_id:uuid}", opt={MAY_BE_PENDING: True})
    async def remove(self, request: ApiRequest, client_id: UUID, if_match: IfMatch = None) -> None:
        """Delete a client, cancel its follow-ups that are not sent yet, erase its emails' texts.

        See `GET /api/clients/{client_id}/deletion` before. The emails' rows stay, for the counts,
        without address and text.
        """
        version = await _version(request, if_match, client_id)
        api, agent_id = context_of(request), request.user.agent_id
        # First: a crash after the command would leave them for good.
        await forget_responses(api.database, agent_id, client_id)
        await api.commands.execute(
            DeleteClient(agent_id=agent_id, client_id=client_id, if_version=version)
        )

    @post("/{client_id:uuid}/plan/pause", status_code=HTTP_200_OK, opt={MAY_BE_PENDING: True})
    async def pause(
        self, request: ApiRequest, client_id: UUID, if_match: IfMatch = None
    ) -> Response[Client]:
        """Pause the plan: no follow-up falls due until it is resumed."""
        return await _change_plan(request, if_match, client_id, PausePlan)

    @post("/{client_id:uuid}/plan/resume", status_code=HTTP_200_OK, opt={MAY_BE_PENDING: True})
    async def resume(
        self, request: ApiRequest, client_id: UUID, if_match: IfMatch = None
    ) -> Response[Client]:
        """Resume the plan: overdue follow-ups fall due one a day."""
        return await _change_plan(request, if_match, client_id, ResumePlan)

    @post("/{client_id:uuid}/plan/cancel", status_code=HTTP_200_OK, opt={MAY_BE_PENDING: True})
    async def cancel(
        self, request: ApiRequest, client_id: UUID, if_match: IfMatch = None
    ) -> Response[Client]:
        """Cancel all follow-ups that are not sent yet.

        Of one that is due the letter is not written, or the email not sent, if it is not too late.
        The response waits for what is being sent; 202 when that takes long.
        """
        return await _change_plan(request, if_match, client_id, CancelPlan)


async def _is_planned(api: ApiContext, client_id: UUID) -> bool:
    """Wait until the client's follow-ups can be read; return whether, in time."""
    seconds = api.settings.plan_wait_seconds
    deadline = asyncio.get_running_loop().time() + seconds
    return not seconds or await api.commands.wait_until_applied(f"plan-{client_id}", 1, deadline)


async def _change_plan(
    request: ApiRequest,
    if_match: str | None,
    client_id: UUID,
    type_: type[PausePlan | ResumePlan | CancelPlan],
) -> Response[Client]:
    """Execute the command on the client's plan and return the client."""
    show = partial(_client, request, client_id)
    await show()
    version = await if_match_version(request, if_match, f"plan-{client_id}", show)
    command = type_(agent_id=request.user.agent_id, client_id=client_id, if_version=version)
    if isinstance(command, CancelPlan):
        await cancel_and_settle(request, command)
    else:
        await context_of(request).commands.execute(command, command_id_of(request))
    return etag_response(request, Client, await _client(request, client_id))


async def _version(request: ApiRequest, if_match: str | None, client_id: UUID) -> int | None:
    """Return the client's version that a change requires."""
    return await if_match_version(
        request, if_match, f"client-{client_id}", lambda: _client(request, client_id)
    )


async def _client(request: ApiRequest, client_id: UUID) -> Client:
    where = {"_id": client_id, "stage": {"$exists": True}}
    client: Client = await find_visible(request, "clients", where, Client)
    return client
