"""Routes of admins: all agents' follow-ups and emails, accounts, the quarantine."""

from functools import partial
from uuid import UUID

from litestar import Controller, Response
from litestar.exceptions import NotFoundException, ValidationException
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from chassis.inbox.quarantine import read_quarantine
from chassis.kafka.servers import KafkaServers
from contracts.crm import AgentProfile
from contracts.services import SERVICES
from services.gateway.accounts.documents import AccountDocument
from services.gateway.accounts.schemas import (
    Account,
    AccountPatch,
    NewAgent,
    Quarantined,
    Reassignment,
)
from services.gateway.commands.reassignment import Reassigned, reassign_clients
from services.gateway.errors import InvalidField
from services.gateway.http.context import ApiRequest, context_of, get, get_tagged, patch, post
from services.gateway.http.idempotency import command_id_of
from services.gateway.http.pagination import Limit, Page, list_page, sort_order
from services.gateway.http.problem_details import NOT_FOUND
from services.gateway.markers import ADMIN_ONLY, MAY_BE_PENDING, NO_STORE, SESSION_ONLY
from services.gateway.read_models.token_counts import AllTokens, tokens_by_agent
from services.gateway.routes.followups.emails import Emails
from services.gateway.routes.followups.tasks import Tasks


class AllTasks(Tasks):
    """Follow-ups of all agents."""

    path = "/api/admin/tasks"
    tags = ["admin"]
    opt = {ADMIN_ONLY: True}


class AllEmails(Emails):
    """Emails of all agents."""

    path = "/api/admin/emails"
    tags = ["admin"]
    opt = {ADMIN_ONLY: True}


class Agents(Controller):
    """The agents' accounts."""

    path = "/api/admin/agents"
    tags = ["admin"]
    opt = {ADMIN_ONLY: True}

    @get_tagged()
    async def list_(
        self, request: ApiRequest, page: Page = 1, limit: Limit = 20
    ) -> Response[list[Account]]:
        """List all accounts, the newest first."""
        documents = context_of(request).database[AccountDocument.Settings.name]
        by, total = sort_order("-created_at", indexed=-1), partial(documents.count_documents, {})
        return await list_page(request, documents, {}, by, Account, page, limit, total)

    @post(opt={SESSION_ONLY: True, NO_STORE: True})
    async def create(self, request: ApiRequest, data: NewAgent) -> Response[Account]:
        """Add an agent or an admin, even if registration is closed."""
        accounts = context_of(request).accounts
        profile = AgentProfile.model_validate(data.model_dump(exclude={"password", "role"}))
        agent_id = await accounts.add(data.email, data.password, profile, data.role)
        await accounts.active_account(agent_id)
        return Response(await _account(request, agent_id), status_code=HTTP_201_CREATED)

    @get("/{agent_id:uuid}")
    async def show(self, request: ApiRequest, agent_id: UUID) -> Account:
        """Show an account."""
        return await _account(request, agent_id)

    @patch("/{agent_id:uuid}", opt={SESSION_ONLY: True, MAY_BE_PENDING: True})
    async def change(self, request: ApiRequest, agent_id: UUID, data: AccountPatch) -> Account:
        """Change the role or password, or deactivate or reactivate the account.

        Nothing is sent in the name of a deactivated agent; what is due meanwhile is sent when the
        agent is reactivated, one follow-up of a client a day.
        """
        if agent_id == request.user.agent_id:
            _require_other_admin(data)
        api = context_of(request)
        await api.accounts.update_by_admin(agent_id, role=data.role, password=data.password)
        try:
            if data.active is not None:
                await api.activation.change(agent_id, data.active)
        finally:
            api.authentication.clear_cache()
        return await _account(request, agent_id)

    @post(
        "/{agent_id:uuid}/reassign",
        operation_id="reassignClients",
        status_code=HTTP_200_OK,
        opt={SESSION_ONLY: True},
    )
    async def reassign(self, request: ApiRequest, agent_id: UUID, data: Reassignment) -> Reassigned:
        """Move all clients of an agent to another one, with plans, history and opt-outs.

        Follow-ups and emails are the other agent's within moments. An email that is not sent yet is
        not sent in the former agent's name; the next follow-up goes on. A client whose email
        address the other agent has already stays and is told. Clients that are added meanwhile
        stay: deactivate the agent first. After 503, or for what is pending, send it again.
        """
        await _account(request, agent_id)
        await _require_successor(request, agent_id, data.to_agent_id)
        api = context_of(request)
        return await reassign_clients(
            api.commands, api.database, agent_id, data.to_agent_id, base=command_id_of(request)
        )


@get(
    "/api/admin/tokens",
    operation_id="getTokenCounts",
    tags=["admin"],
    opt={ADMIN_ONLY: True},
)
async def tokens(request: ApiRequest) -> AllTokens:
    """Show the tokens of all letters so far, and which agents have used most."""
    return await tokens_by_agent(context_of(request).database)


@get(
    "/api/admin/quarantine",
    operation_id="listQuarantine",
    tags=["admin"],
    opt={ADMIN_ONLY: True},
)
async def quarantine(request: ApiRequest) -> list[Quarantined]:
    """List records that no service could handle; `realtoros quarantine` retries or drops them."""
    settings = context_of(request).settings
    records = await read_quarantine(
        KafkaServers.of(settings),
        "realtoros-gateway-quarantine",
        settings.kafka_topic_prefix,
        SERVICES,
    )
    return [Quarantined(name=r.name, at=r.at, type=r.type, reason=r.reason) for r in records]


def _require_other_admin(data: AccountPatch) -> None:
    """Raise ValidationException for changes that admins may not make to their own account."""
    if data.active is False:
        field, reason = "active", "admins cannot deactivate themselves: ask another admin"
    elif data.role == "agent":
        field, reason = "role", "admins cannot revoke their own role: ask another admin"
    elif data.password is not None:
        field, reason = "password", "change your own password at /api/auth/password"
    else:
        return
    raise ValidationException(extra=[{"key": field, "message": reason}])


async def _require_successor(request: ApiRequest, agent_id: UUID, to: UUID) -> None:
    """Raise InvalidField when the agent cannot take the other's clients."""
    where = {"_id": to, "active": True}
    accounts = context_of(request).database[AccountDocument.Settings.name]
    if to == agent_id or not await accounts.find_one(where, {"_id": 1}):
        raise InvalidField("to_agent_id", "is not another agent with an active account")


async def _account(request: ApiRequest, agent_id: UUID) -> Account:
    name = AccountDocument.Settings.name
    found = await context_of(request).database[name].find_one({"_id": agent_id})
    if found is None:
        raise NotFoundException(NOT_FOUND)
    return Account.model_validate(found)
