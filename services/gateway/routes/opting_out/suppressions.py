"""Routes of suppressions: addresses that an agent must not write to, and why."""

from functools import partial
from typing import Annotated, get_args
from uuid import UUID

from litestar import Controller, Response
from litestar.exceptions import NotFoundException
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from contracts.mailer import (
    ReleaseSuppression,
    SuppressionReason,
)
from services.gateway.commands.opt_outs import opt_out_of
from services.gateway.commands.sendgrid_reports import without_addresses
from services.gateway.errors import CommandPending
from services.gateway.http.context import (
    ApiRequest,
    Several,
    context_of,
    find_visible,
    get_tagged,
    post,
)
from services.gateway.http.etags import etag_response
from services.gateway.http.idempotency import command_id_of
from services.gateway.http.pagination import Limit, Page, list_page, sort_order
from services.gateway.http.problem_details import NOT_FOUND
from services.gateway.markers import MAY_BE_PENDING
from services.gateway.read_models.documents import ClientDocument
from services.gateway.read_models.index_counts import count_in
from services.gateway.read_models.schemas.clients import Client, Release, Suppression
from services.gateway.read_models.suppressions import SuppressionDocument

_COLLECTION = SuppressionDocument.Settings.name
_REASONS = get_args(SuppressionReason)


class Suppressions(Controller):
    """Addresses that the agent must not write to."""

    path = "/api/suppressions"
    tags = ["suppressions"]

    @get_tagged()
    async def list_(
        self,
        request: ApiRequest,
        reason: Annotated[list[SuppressionReason] | None, Several] = None,
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[Suppression]]:
        """List suppressed addresses, the newest first.

        Not what a client has told a former agent: `GET /api/clients/{client_id}/suppression`.
        """
        documents = context_of(request).database[_COLLECTION]
        where = {
            "agent_id": request.user.agent_id,
            "reason": {"$in": reason or list(_REASONS)},
        }
        by = sort_order("-suppressed_at", indexed=-1)
        total = partial(count_in, documents, where, "reason", _REASONS)
        return await list_page(request, documents, where, by, Suppression, page, limit, total)

    @post(
        "/{suppression_id:uuid}/release",
        status_code=HTTP_204_NO_CONTENT,
        opt={MAY_BE_PENDING: True},
    )
    async def release(self, request: ApiRequest, suppression_id: UUID, data: Release) -> None:
        """Allow emails to the address again: after a bounce, or after an opt-out for a reason.

        The client's timeline tells the reason.
        """
        where = {"_id": suppression_id, "reason": {"$exists": True}}
        known: SuppressionDocument = await find_visible(
            request, _COLLECTION, where, SuppressionDocument
        )
        command = ReleaseSuppression(
            agent_id=known.agent_id,
            suppression_id=suppression_id,
            reason=data.reason and without_addresses(data.reason),
        )
        await context_of(request).commands.execute(command, command_id_of(request))


@get_tagged(
    "/api/clients/{client_id:uuid}/suppression",
    operation_id="getClientSuppression",
    tags=["clients"],
)
async def client_suppression(request: ApiRequest, client_id: UUID) -> Response[Suppression]:
    """Show why the client's address must not be written to, 404 if it may be.

    Also where the client told that to a former agent (`agent_id`), which only binds, and cannot be
    released.
    """
    where = {"_id": client_id, "stage": {"$exists": True}, "email_status": {"$exists": True}}
    client: ClientDocument = await find_visible(request, "clients", where, ClientDocument)
    told = client.suppression and client.suppression.suppression_id
    found = (
        await context_of(request)
        .database[_COLLECTION]
        .find_one({"_id": told, "reason": {"$exists": True}})
    )
    if found is None:
        raise NotFoundException(NOT_FOUND)
    return etag_response(request, Suppression, Suppression.model_validate(found))


@post(
    "/api/clients/{client_id:uuid}/unsubscribe",
    operation_id="unsubscribeClient",
    status_code=HTTP_200_OK,
    tags=["clients"],
    opt={MAY_BE_PENDING: True},
)
async def unsubscribe_client(request: ApiRequest, client_id: UUID) -> Response[Client]:
    """Record that a client opted out by word, call or letter: no more emails, and no follow-ups."""
    api, where = context_of(request), {"_id": client_id, "stage": {"$exists": True}}
    client: Client = await find_visible(request, "clients", where, Client)
    command = opt_out_of(client.agent_id, client_id, client.email, source="agent")
    command_id = command_id_of(request)
    if not await api.opt_outs.suppress(command, command_id):
        raise CommandPending(command_id)
    client = await find_visible(request, "clients", where, Client)
    return etag_response(request, Client, client)
