"""The calling agent's profile and API keys."""

import asyncio
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Controller, Response
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.status_codes import HTTP_201_CREATED

from chassis.mongo.client import Raw
from contracts.addresses import display_address
from contracts.crm import AgentProfile, UpdateAgent
from services.gateway.accounts.documents import ApiKeyDocument
from services.gateway.accounts.schemas import Agent, AgentPatch, CreatedKey, Key, NewKey
from services.gateway.errors import Rejected
from services.gateway.http.context import ApiRequest, context_of, delete, get_tagged, patch, post
from services.gateway.http.etags import IfMatch, etag_response, if_match_version
from services.gateway.http.pagination import Limit, Page, list_page, sort_order
from services.gateway.http.problem_details import IF_VERSION, NOT_FOUND
from services.gateway.markers import MAY_BE_PENDING, NO_STORE, SESSION_ONLY
from services.gateway.read_models.documents import AgentDocument
from services.gateway.routes.auth import confirmed_account

# For a change of the profile that conflicts with another one.
ATTEMPTS, RETRY_SECONDS = 5, 0.1


class Me(Controller):
    """The calling agent's profile."""

    path = "/api/agents/me"
    tags = ["agents"]

    @get_tagged(operation_id="getMe")
    async def show(self, request: ApiRequest) -> Response[Agent]:
        """Show the calling agent."""
        return etag_response(request, Agent, await _me(request))

    @patch(operation_id="updateMe", opt={MAY_BE_PENDING: True})
    async def change(
        self, request: ApiRequest, data: AgentPatch, if_match: IfMatch = None
    ) -> Response[Agent]:
        """Change the profile; emails composed from now on are signed with it."""
        await _change(request, data.model_dump(), if_match)
        return etag_response(request, Agent, await _me(request))


class Keys(Controller):
    """API keys for integrators."""

    path = "/api/keys"
    tags = ["keys"]
    opt = {SESSION_ONLY: True}

    @post(opt={NO_STORE: True})
    async def create(self, request: ApiRequest, data: NewKey) -> Response[CreatedKey]:
        """Create a key, shown only in this response; send it as `Authorization: Bearer KEY`.

        An agent has 50 at most.
        """
        if "admin" in data.scopes and not request.user.is_admin:
            raise PermissionDeniedException("only admins may create keys with the scope admin")
        account = await confirmed_account(request, data.current_password)
        secret, document = await context_of(request).keys.add(
            account, data.name, data.scopes, data.expires_at
        )
        hidden = {"secret", "agent_id", "version", "slot"}
        fields: dict[str, Any] = document.model_dump(by_alias=True, exclude=hidden)
        created = CreatedKey.model_validate(fields | {"key": str(secret)})
        return Response(created, status_code=HTTP_201_CREATED)

    @get_tagged()
    async def list_(
        self, request: ApiRequest, page: Page = 1, limit: Limit = 20
    ) -> Response[list[Key]]:
        """List the valid keys, the newest first."""
        documents = context_of(request).database[ApiKeyDocument.Settings.name]
        where, by = {"agent_id": request.user.agent_id}, sort_order("-created_at", indexed=-1)
        total = partial(documents.count_documents, where)
        return await list_page(request, documents, where, by, Key, page, limit, total)

    @delete("/{key_id:uuid}")
    async def remove(self, request: ApiRequest, key_id: UUID) -> None:
        """Revoke a key: within seconds it is no longer accepted."""
        api = context_of(request)
        if not await api.keys.revoke(request.user.agent_id, key_id):
            raise NotFoundException(NOT_FOUND)
        api.authentication.clear_cache()


async def _change(request: ApiRequest, changes: Raw, if_match: str | None) -> None:
    """Change the fields; without `if_match`, also if others change the profile at the same time."""
    api, agent_id = context_of(request), request.user.agent_id
    stream = f"agent-{agent_id}"
    required = await if_match_version(request, if_match, stream, lambda: _me(request))
    for left in reversed(range(ATTEMPTS)):
        # First the version: if the profile read next is newer, crm rejects and it is read again.
        version = required or (await api.views.versions([stream]))[stream]
        profile = (await profile_of(request)).personal.model_dump() | changes
        command = UpdateAgent(
            agent_id=agent_id, personal=AgentProfile.model_validate(profile), if_version=version
        )
        try:
            await api.commands.execute(command)
        except Rejected as rejection:
            if required or not left or rejection.reply.field != IF_VERSION:
                raise
        else:
            return
        await asyncio.sleep(RETRY_SECONDS)


async def profile_of(request: ApiRequest) -> AgentDocument:
    """Return the calling agent's profile. Raises NotFoundException before crm has published it."""
    found = await context_of(request).database["agents"].find_one({"_id": request.user.agent_id})
    if found is None:
        raise NotFoundException("the agent is not registered yet: try again in a few seconds")
    document: AgentDocument = AgentDocument.model_validate(found)
    return document


async def _me(request: ApiRequest) -> Agent:
    profile = await profile_of(request)
    account = await context_of(request).accounts.active_account(request.user.agent_id)
    return Agent(
        id=request.user.agent_id,
        role=request.user.role,
        login=display_address(account.email) if account else "",
        second_factor=bool(account and account.second_factor),
        **profile.personal.model_dump(),
    )
