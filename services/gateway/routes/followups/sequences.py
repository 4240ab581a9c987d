"""Routes of sequences: the named steps that a client's plan is made of."""

from typing import Any, Final
from uuid import UUID, uuid5

from litestar import Controller, Response
from litestar.exceptions import NotFoundException
from litestar.status_codes import HTTP_201_CREATED

from contracts.crm import PlannedSequence
from contracts.sequences import BUILT_IN, DefineSequence, RetireSequence
from services.gateway.errors import Conflict
from services.gateway.http.context import (
    ApiRequest,
    context_of,
    delete,
    get_tagged,
    post,
    put,
    visible_to_caller,
)
from services.gateway.http.etags import IfMatch, etag_response, if_match_version
from services.gateway.http.idempotency import command_id_of
from services.gateway.http.problem_details import NOT_FOUND
from services.gateway.markers import MAY_BE_PENDING
from services.gateway.read_models.documents import SequenceDocument
from services.gateway.read_models.schemas.sequences import NewSequence, Sequence

# Of an agent's own.
MOST_SEQUENCES: Final = 50


class SequenceRoutes(Controller):
    """Sequences that the agent can give to clients: the own ones, and the built-in ones."""

    path = "/api/sequences"
    tags = ["sequences"]

    @get_tagged(operation_id="listSequences")
    async def list_(self, request: ApiRequest) -> Response[list[Sequence]]:
        """List the agent's sequences by name, then the built-in ones."""
        found = _documents(request).find(_own(request)).sort("sequence.name", 1)
        own = [_shown(SequenceDocument.model_validate(row)) async for row in found]
        built_in = [Sequence(**one.model_dump()) for one in BUILT_IN]
        return etag_response(request, list[Sequence], [*own, *built_in])

    @post(operation_id="createSequence", opt={MAY_BE_PENDING: True})
    async def create(self, request: ApiRequest, data: NewSequence) -> Response[Sequence]:
        """Define a sequence."""
        if await _documents(request).count_documents(_own(request)) >= MOST_SEQUENCES:
            raise Conflict(f"there are {MOST_SEQUENCES} sequences already: retire one first")
        id_ = uuid5(command_id_of(request), "sequence")
        await _define(request, id_, data)
        location = {"Location": f"/api/sequences/{id_}"}
        shown = await _sequence(request, id_)
        return etag_response(request, Sequence, shown, location, status=HTTP_201_CREATED)

    @get_tagged("/{sequence_id:uuid}", operation_id="getSequence")
    async def show(self, request: ApiRequest, sequence_id: UUID) -> Response[Sequence]:
        """Show one of the agent's sequences."""
        return etag_response(request, Sequence, await _sequence(request, sequence_id))

    @put("/{sequence_id:uuid}", operation_id="replaceSequence", opt={MAY_BE_PENDING: True})
    async def replace(
        self, request: ApiRequest, sequence_id: UUID, data: NewSequence, if_match: IfMatch = None
    ) -> Response[Sequence]:
        """Define the whole sequence anew. Plans that run keep the steps that they have."""
        await _define(request, sequence_id, data, await _version(request, if_match, sequence_id))
        return etag_response(request, Sequence, await _sequence(request, sequence_id))

    @delete("/{sequence_id:uuid}", operation_id="retireSequence", opt={MAY_BE_PENDING: True})
    async def retire(
        self, request: ApiRequest, sequence_id: UUID, if_match: IfMatch = None
    ) -> None:
        """Offer the sequence no more. Plans that run go on."""
        command = RetireSequence(
            agent_id=request.user.agent_id,
            sequence_id=sequence_id,
            if_version=await _version(request, if_match, sequence_id),
        )
        await context_of(request).commands.execute(command)


async def _define(
    request: ApiRequest, id_: UUID, data: NewSequence, version: int | None = None
) -> None:
    command = DefineSequence(
        agent_id=request.user.agent_id,
        sequence_id=id_,
        sequence=PlannedSequence.model_validate(data.model_dump()),
        if_version=version,
    )
    await context_of(request).commands.execute(command, command_id_of(request))


def _documents(request: ApiRequest) -> Any:
    return context_of(request).database[SequenceDocument.Settings.name]


def _own(request: ApiRequest) -> dict[str, Any]:
    return visible_to_caller(request) | {"sequence": {"$exists": True}}


def _shown(document: SequenceDocument) -> Sequence:
    if document.sequence is None:
        raise NotFoundException(NOT_FOUND)
    fields = document.sequence.model_dump()
    return Sequence(**fields, sequence_id=document.id, updated_at=document.updated_at)


async def _sequence(request: ApiRequest, id_: UUID) -> Sequence:
    row = await _documents(request).find_one(_own(request) | {"_id": id_})
    if row is None:
        raise NotFoundException(NOT_FOUND)
    return _shown(SequenceDocument.model_validate(row))


async def _version(request: ApiRequest, if_match: str | None, id_: UUID) -> int | None:
    """Return the version of the sequence that a change requires. Raises NotFoundException."""
    await _sequence(request, id_)
    return await if_match_version(
        request, if_match, f"sequence-{id_}", lambda: _sequence(request, id_)
    )
