"""The REST API. Everything is the calling agent's; what is not his does not exist."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, get_args
from uuid import UUID, uuid4

from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.exceptions import NotFoundException
from litestar.params import Parameter

from chassis.health import Health, answer
from chassis.mongo import Database, Raw
from contracts.crm import (
    ClientDetailsPatch,
    CreateClient,
    DeleteClient,
    NewClientDetails,
    Stage,
    UpdateClient,
)
from services.gateway.commands import Commands
from services.gateway.documents import EmailStatus, TaskStatus
from services.gateway.paging import Limit, Page, listed, moment, projection_of
from services.gateway.shapes import (
    Client,
    ClientPatch,
    CommandStatus,
    Created,
    Email,
    NewClient,
    Task,
)
from services.gateway.views import words

Several = Parameter(description="may be given several times")
MAX_WORDS = 5


Asked = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Api:
    """What the routes stand on.

    Kept in the application's state and not injected by name: Litestar would answer a body that has
    a field of an injected name with 500.
    """

    agent_id: UUID
    commands: Commands
    database: Database
    checks: Health


def _api(request: Asked) -> Api:
    api: Api = request.app.state.api
    return api


async def _found(request: Asked, collection: str, where: Raw, model: type[Any]) -> Any:
    api = _api(request)
    where = {"agent_id": api.agent_id} | where
    row = await api.database[collection].find_one(where, projection_of(model))
    if row is None:
        raise NotFoundException("there is no such thing here")
    return model.model_validate(row)


async def _client(request: Asked, client_id: UUID) -> Client:
    where = {"_id": client_id, "stage": {"$exists": True}}
    client: Client = await _found(request, "clients", where, Client)
    return client


class Clients(Controller):
    """Clients of the agent."""

    path = "/api/clients"
    tags = ["clients"]

    @post()
    async def create(self, request: Asked, data: NewClient) -> Response[Created]:
        """Add a client; five follow-ups are planned for it."""
        api, client_id = _api(request), uuid4()
        await api.commands.order(
            CreateClient(
                agent_id=api.agent_id,
                client_id=client_id,
                stage=data.stage,
                property_type=data.property_type,
                personal=NewClientDetails.model_validate(data.model_dump()),
            )
        )
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
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[Client]]:
        """List clients, the newest first; `q` finds the beginnings of words."""
        api = _api(request)
        where: Raw = {"agent_id": api.agent_id, "stage": {"$in": stage or list(get_args(Stage))}}
        if wanted := words(q)[:MAX_WORDS]:
            where["$and"] = [{"search": {"$regex": f"^{re.escape(word)}"}} for word in wanted]
        sort = [("created_at", -1), ("_id", 1)]
        return await listed(request, api.database, "clients", where, sort, Client, page, limit)

    @get("/{client_id:uuid}")
    async def show(self, request: Asked, client_id: UUID) -> Client:
        """Show a client."""
        return await _client(request, client_id)

    @patch("/{client_id:uuid}")
    async def change(self, request: Asked, client_id: UUID, data: ClientPatch) -> Client:
        """Change a client. One that becomes closed or lost gets no more follow-ups."""
        api = _api(request)
        changes = data.model_dump(exclude_unset=True)
        own = {name: changes.pop(name) for name in ("stage", "property_type") if name in changes}
        await api.commands.order(
            UpdateClient(
                agent_id=api.agent_id,
                client_id=client_id,
                personal=ClientDetailsPatch(**changes),
                **own,
            )
        )
        return await _client(request, client_id)

    @delete("/{client_id:uuid}")
    async def remove(self, request: Asked, client_id: UUID) -> None:
        """Delete a client and cancel what is pending for it."""
        api = _api(request)
        await api.commands.order(DeleteClient(agent_id=api.agent_id, client_id=client_id))

    @get("/{client_id:uuid}/tasks")
    async def tasks(
        self, request: Asked, client_id: UUID, page: Page = 1, limit: Limit = 20
    ) -> Response[list[Task]]:
        """List a client's follow-ups, the earliest first."""
        await _client(request, client_id)
        return await _tasks(request, {"client_id": client_id}, page, limit)


class Tasks(Controller):
    """Follow-ups."""

    path = "/api/tasks"
    tags = ["tasks"]

    @get()
    async def list_(
        self,
        request: Asked,
        status: Annotated[list[TaskStatus] | None, Several] = None,
        client_id: UUID | None = None,
        due_before: datetime | None = None,
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[Task]]:
        """List follow-ups, the earliest first."""
        where: Raw = {}
        if client_id:
            where["client_id"] = client_id
        if due_before:
            where["scheduled_for"] = {"$lt": moment("due_before", due_before)}
        if status:
            where["status"] = {"$in": status}
        return await _tasks(request, where, page, limit)

    @get("/{task_id:uuid}")
    async def show(self, request: Asked, task_id: UUID) -> Task:
        """Show a follow-up."""
        where = {"_id": task_id, "status": {"$exists": True}}
        task: Task = await _found(request, "tasks", where, Task)
        return task


class Emails(Controller):
    """Emails."""

    path = "/api/emails"
    tags = ["emails"]

    @get()
    async def list_(
        self,
        request: Asked,
        status: Annotated[list[EmailStatus] | None, Several] = None,
        client_id: UUID | None = None,
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[Email]]:
        """List emails, the newest first."""
        api = _api(request)
        statuses = status or list(get_args(EmailStatus))
        where: Raw = {"agent_id": api.agent_id, "status": {"$in": statuses}}
        if client_id:
            where["client_id"] = client_id
        sort = [("created_at", -1), ("_id", 1)]
        return await listed(request, api.database, "email_logs", where, sort, Email, page, limit)

    @get("/{email_id:uuid}")
    async def show(self, request: Asked, email_id: UUID) -> Email:
        """Show an email."""
        email: Email = await _found(request, "email_logs", {"_id": email_id}, Email)
        return email


@get("/api/commands/{command_id:uuid}", tags=["commands"])
async def command_status(request: Asked, command_id: UUID) -> CommandStatus:
    """Show what became of a command that was answered with 202."""
    found: CommandStatus = await _found(request, "commands", {"_id": command_id}, CommandStatus)
    return found


@get(["/health/live", "/health/ready"], include_in_schema=False)
async def health(request: Asked) -> Response[dict[str, Any]]:
    """Tell whether the process lives, and whether it can work."""
    status, body = await answer(_api(request).checks, request.url.path)
    return Response(body, status_code=status)


async def _tasks(request: Asked, where: Raw, page: int, limit: int) -> Response[list[Task]]:
    api = _api(request)
    every = {"agent_id": api.agent_id, "status": {"$in": list(get_args(TaskStatus))}}
    sort = [("scheduled_for", 1), ("_id", 1)]
    return await listed(request, api.database, "tasks", every | where, sort, Task, page, limit)
