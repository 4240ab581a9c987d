"""The calling agent's profile and API keys."""

import asyncio
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Controller, Response
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.status_codes import HTTP_201_CREATED

from chassis.mongo.client import Raw
from contracts.crm import AgentProfile, UpdateAgent
from services.gateway.accounts.authentication import SESSION_ONLY
from services.gateway.accounts.documents import ApiKeyDocument
from services.gateway.accounts.schemas import Agent, AgentPatch, CreatedKey, Key, NewKey
from services.gateway.errors import Rejected
from services.gateway.http.context import ApiRequest, context_of, delete, get_tagged, patch, post
from services.gateway.http.etags import IfMatch, if_match_version, with_etag
from services.gateway.http.pagination import Limit, Page, list_page, sorted_by
from services.gateway.http.problem_details import IF_VERSION
from services.gateway.read_models.documents import AgentDocument

# How often a change of the profile is tried that met another one, and how long apart.
TRIES, AGAIN_SECONDS = 5, 0.1


class Me(Controller):
    """Who the caller is to the clients."""

    path = "/api/agents/me"
    tags = ["agents"]

    @get_tagged()
    async def show(self, request: ApiRequest) -> Response[Agent]:
        """Show the calling agent."""
        return with_etag(request, Agent, await _me(request))

    @patch()
    async def change(
        self, request: ApiRequest, data: AgentPatch, if_match: IfMatch = None
    ) -> Response[Agent]:
        """Change the profile: what is written from now on is signed with it."""
        await _change(request, data.model_dump(exclude_unset=True))
        return with_etag(request, Agent, await _me(request))


class Keys(Controller):
    """API keys for integrators."""

    path = "/api/keys"
    tags = ["keys"]
    opt = {SESSION_ONLY: True}

    @post()
    async def create(self, request: ApiRequest, data: NewKey) -> Response[CreatedKey]:
        """Make a key. It is shown this once; `Authorization: Bearer KEY` is how it is used."""
        if "admin" in data.scopes and request.user.role != "admin":
            raise PermissionDeniedException("only admins may have keys with the scope admin")
        secret, made = await context_of(request).keys.add(
            request.user.agent_id, data.name, data.scopes
        )
        shown: dict[str, Any] = made.model_dump(by_alias=True, exclude={"secret", "agent_id"})
        created = CreatedKey.model_validate(shown | {"key": str(secret)})
        return Response(created, status_code=HTTP_201_CREATED)

    @get_tagged()
    async def list_(
        self, request: ApiRequest, page: Page = 1, limit: Limit = 20
    ) -> Response[list[Key]]:
        """List the keys that are good, the newest first."""
        documents = context_of(request).database[ApiKeyDocument.Settings.name]
        where, by = {"agent_id": request.user.agent_id}, sorted_by("-created_at", indexed=-1)
        total = partial(documents.count_documents, where)
        return await list_page(request, documents, where, by, Key, page, limit, total)

    @delete("/{key_id:uuid}")
    async def remove(self, request: ApiRequest, key_id: UUID) -> None:
        """Take a key back: within seconds it opens nothing any more."""
        api = context_of(request)
        if not await api.keys.remove(request.user.agent_id, key_id):
            raise NotFoundException("there is no such key")
        api.gate.forget()


async def _change(request: ApiRequest, changes: Raw) -> None:
    """Have the fields changed, on whatever others change of the profile meanwhile."""
    api, agent_id = context_of(request), request.user.agent_id
    stream = f"agent-{agent_id}"
    meant = await if_match_version(request, stream, lambda: _me(request))
    for left in reversed(range(TRIES)):
        # First the version: if the profile is newer by then, crm refuses and it is read again.
        version = meant or (await api.views.versions([stream]))[stream]
        profile = (await profile_of(request)).personal.model_dump() | changes
        command = UpdateAgent(
            agent_id=agent_id, personal=AgentProfile.model_validate(profile), if_version=version
        )
        try:
            await api.commands.order(command)
        except Rejected as rejection:
            if meant or not left or rejection.answer.field != IF_VERSION:
                raise
        else:
            return
        await asyncio.sleep(AGAIN_SECONDS)


async def profile_of(request: ApiRequest) -> AgentDocument:
    """Give the calling agent as crm last told. Raises NotFoundException when it has not yet."""
    found = await context_of(request).database["agents"].find_one({"_id": request.user.agent_id})
    if found is None:
        raise NotFoundException("the agent is not registered yet; please try again")
    known: AgentDocument = AgentDocument.model_validate(found)
    return known


async def _me(request: ApiRequest) -> Agent:
    known = await profile_of(request)
    account = await context_of(request).accounts.account(request.user.agent_id)
    return Agent(
        id=request.user.agent_id,
        role=request.user.role,
        login=account.email if account else "",
        **known.personal.model_dump(),
    )
