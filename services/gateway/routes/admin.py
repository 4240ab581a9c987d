"""What admins see and do: everybody's failed and unknown work, and the agents themselves."""

from functools import partial
from uuid import UUID

from litestar import Controller, Response
from litestar.exceptions import NotFoundException, ValidationException
from litestar.status_codes import HTTP_201_CREATED

from chassis.inbox.quarantine import read_quarantine
from contracts.catalogue import OWNERS
from contracts.crm import AgentProfile
from services.gateway.accounts.authentication import ADMIN_ONLY, SESSION_ONLY
from services.gateway.accounts.documents import AccountDocument
from services.gateway.accounts.schemas import Account, AccountPatch, NewAgent, Quarantined
from services.gateway.http.context import (
    ApiRequest,
    context_of,
    find_visible,
    get,
    get_tagged,
    patch,
    post,
)
from services.gateway.http.pagination import Limit, Page, list_page, sorted_by
from services.gateway.read_models.schemas import CommandStatus
from services.gateway.routes.followups import Emails, Tasks


class AllTasks(Tasks):
    """Follow-ups of all agents, to see to what has failed."""

    path = "/api/admin/tasks"
    tags = ["admin"]
    opt = {ADMIN_ONLY: True}


class AllEmails(Emails):
    """Emails of all agents, to see to what has failed or is unknown."""

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
        by, total = sorted_by("-created_at", indexed=-1), partial(documents.count_documents, {})
        return await list_page(request, documents, {}, by, Account, page, limit, total)

    @post(opt={SESSION_ONLY: True})
    async def create(self, request: ApiRequest, data: NewAgent) -> Response[Account]:
        """Add an agent or another admin, also where registration is closed."""
        accounts = context_of(request).accounts
        profile = AgentProfile.model_validate(data.model_dump(exclude={"password", "role"}))
        agent_id = await accounts.add(data.email, data.password, profile, data.role)
        await accounts.account(agent_id)
        return Response(await _account(request, agent_id), status_code=HTTP_201_CREATED)

    @get("/{agent_id:uuid}")
    async def show(self, request: ApiRequest, agent_id: UUID) -> Account:
        """Show an account."""
        return await _account(request, agent_id)

    @patch("/{agent_id:uuid}", opt={SESSION_ONLY: True})
    async def change(self, request: ApiRequest, agent_id: UUID, data: AccountPatch) -> Account:
        """Change role or password, or take the right to log in away or give it back."""
        if agent_id == request.user.agent_id and (wrong := _not_for_himself(data)):
            field, reason = wrong
            raise ValidationException(extra=[{"key": field, "message": reason}])
        api = context_of(request)
        await api.accounts.govern(
            agent_id, role=data.role, active=data.active, password=data.password
        )
        api.gate.forget()
        return await _account(request, agent_id)


@get("/api/admin/commands/{command_id:uuid}", tags=["admin"], opt={ADMIN_ONLY: True})
async def command_status(request: ApiRequest, command_id: UUID) -> CommandStatus:
    """Show what became of a command, of any agent, that was answered with 202."""
    found: CommandStatus = await find_visible(
        request, "commands", {"_id": command_id}, CommandStatus
    )
    return found


@get("/api/admin/quarantine", tags=["admin"], opt={ADMIN_ONLY: True})
async def quarantine(request: ApiRequest) -> list[Quarantined]:
    """List what no service could handle; `realtoros quarantine` shows, retries and drops it."""
    settings = context_of(request).settings
    kept = await read_quarantine(
        settings.kafka_bootstrap_servers,
        "realtoros-gateway-quarantine",
        settings.kafka_topic_prefix,
        OWNERS,
    )
    return [Quarantined(name=one.name, at=one.at, type=one.type, reason=one.reason) for one in kept]


def _not_for_himself(data: AccountPatch) -> tuple[str, str] | None:
    if data.active is False or data.role == "agent":
        wrong = "active" if data.active is False else "role"
        return wrong, "an admin cannot take this from himself"
    if data.password is not None:
        return "password", "who knows his own changes it at /api/auth/password"
    return None


async def _account(request: ApiRequest, agent_id: UUID) -> Account:
    name = AccountDocument.Settings.name
    found = await context_of(request).database[name].find_one({"_id": agent_id})
    if found is None:
        raise NotFoundException("there is no such agent")
    return Account.model_validate(found)
