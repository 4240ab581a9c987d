"""The same change to many clients."""

from collections.abc import Callable
from uuid import UUID

from litestar import Controller
from litestar.status_codes import HTTP_200_OK

from contracts.crm import ClientDetailsPatch, UpdateClient
from contracts.message import Command
from contracts.scheduler import PausePlan, ResumePlan, StartPlan
from services.gateway.commands.sequences import Sequences, sequences_of
from services.gateway.errors import Conflict, InvalidField
from services.gateway.http.context import ApiRequest, context_of, post, projection_of
from services.gateway.read_models.agent_zones import agent_time_zone
from services.gateway.read_models.schemas.bulk import (
    MOST_CHANGED,
    BulkOutcome,
    BulkReport,
    ClientAction,
    ClientsChange,
)
from services.gateway.read_models.schemas.clients import Client
from services.gateway.routes.bulk.changes import (
    change_each,
    refused,
    report,
    require_expected,
    require_reader,
    unchanged,
)
from services.gateway.routes.client_search import ClientFilter, selected
from services.gateway.routes.followups.rules import require_writable

Decide = Callable[[Client], Command | BulkOutcome]


class BulkClients(Controller):
    """Many clients at once."""

    path = "/api/clients/bulk"
    tags = ["clients"]

    @post(status_code=HTTP_200_OK, operation_id="changeClients")
    async def change(self, request: ApiRequest, data: ClientsChange) -> BulkReport:
        """Change the stage of many clients, pause, resume or begin their plans.

        Those that are named, at most 1,000, or all that a filter of the list finds, at most 5,000.
        409 and nothing is done when they are not `expected_count`.
        """
        clients = await _selected(request, data)
        decide = await _decision(request, data.action)
        ids = dict.fromkeys(data.selection.ids or clients)
        decisions = {id_: decide(clients[id_]) if id_ in clients else refused(id_) for id_ in ids}
        return report((await change_each(request, decisions)).outcomes)


async def _selected(request: ApiRequest, data: ClientsChange) -> dict[UUID, Client]:
    """Return the clients. Raises Conflict when they are not as many as expected."""
    documents = context_of(request).database["clients"]
    ids, filter_ = data.selection.ids, data.selection.filter
    if filter_ is not None:
        require_reader(request)
    if filter_ is None:
        require_expected(len(set(ids or ())), data.expected_count)
        where = {"agent_id": request.user.agent_id, "_id": {"$in": ids}, "stage": {"$exists": True}}
        hint = "_id_"
    else:
        which = ClientFilter(**filter_.model_dump())
        where, hint = await selected(documents, request.user.agent_id, which)
    found = documents.find(where, projection_of(Client), hint=hint).limit(MOST_CHANGED + 1)
    clients = [Client.model_validate(row) async for row in found]
    if filter_ is not None:
        require_expected(len(clients), data.expected_count)
    return {client.id: client for client in clients}


async def _decision(request: ApiRequest, action: ClientAction) -> Decide:
    """Return what decides what is done with a client. Raises InvalidField."""
    match action.kind:
        case "stage":
            return lambda client: _with_stage(client, action)
        case "pause":
            return lambda client: (
                unchanged(client.id) if client.plan_paused else PausePlan(**_about(client))
            )
        case "resume":
            return lambda client: (
                ResumePlan(**_about(client)) if client.plan_paused else unchanged(client.id)
            )
        case "plan":
            database, agent_id = context_of(request).database, request.user.agent_id
            sequences = await sequences_of(database, agent_id)
            zone = await agent_time_zone(database, agent_id)
            return lambda client: _begun(client, action, sequences, zone)


def _with_stage(client: Client, action: ClientAction) -> Command | BulkOutcome:
    if client.stage == action.stage:
        return unchanged(client.id)
    return UpdateClient(**_about(client), personal=ClientDetailsPatch(), stage=action.stage)


def _begun(
    client: Client, action: ClientAction, sequences: Sequences, zone: str | None
) -> Command | BulkOutcome:
    try:
        sequence = sequences.chosen(action.sequence, client.stage)
        require_writable(client, sequence.stages if sequence else ())
    except (Conflict, InvalidField) as reason:
        return refused(client.id, str(reason))
    return StartPlan(**_about(client), time_zone=client.time_zone or zone, sequence=sequence)


def _about(client: Client) -> dict[str, UUID]:
    return {"agent_id": client.agent_id, "client_id": client.id}
