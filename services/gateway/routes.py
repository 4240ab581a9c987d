"""The REST API. Everything is the calling agent's; what is not his does not exist."""

import re
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


async def _found(database: Database, collection: str, where: Raw, model: type[Any]) -> Any:
    row = await database[collection].find_one(where, projection_of(model))
    if row is None:
        raise NotFoundException("there is no such thing here")
    return model.model_validate(row)


class Clients(Controller):
    """Clients of the agent."""

    path = "/api/clients"
    tags = ["clients"]

    @post()
    async def create(
        self, data: NewClient, calling_agent: UUID, commands: Commands
    ) -> Response[Created]:
        """Add a client; five follow-ups are planned for it."""
        client_id = uuid4()
        await commands.order(
            CreateClient(
                agent_id=calling_agent,
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
        request: Request[Any, Any, Any],
        calling_agent: UUID,
        database: Database,
        stage: Annotated[list[Stage] | None, Several] = None,
        q: Annotated[str | None, Parameter(max_length=200)] = None,
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[Client]]:
        """List clients, the newest first; `q` finds the beginnings of words."""
        where: Raw = {"agent_id": calling_agent, "stage": {"$in": stage or list(get_args(Stage))}}
        if wanted := words(q)[:MAX_WORDS]:
            where["$and"] = [{"search": {"$regex": f"^{re.escape(word)}"}} for word in wanted]
        sort = [("created_at", -1), ("_id", 1)]
        return await listed(request, database, "clients", where, sort, Client, page, limit)

    @get("/{client_id:uuid}")
    async def show(self, client_id: UUID, calling_agent: UUID, database: Database) -> Client:
        """Show a client."""
        where = {"_id": client_id, "agent_id": calling_agent, "stage": {"$exists": True}}
        client: Client = await _found(database, "clients", where, Client)
        return client

    @patch("/{client_id:uuid}")
    async def change(
        self,
        client_id: UUID,
        data: ClientPatch,
        calling_agent: UUID,
        database: Database,
        commands: Commands,
    ) -> Client:
        """Change a client. One that becomes closed or lost gets no more follow-ups."""
        changes = data.model_dump(exclude_unset=True)
        own = {name: changes.pop(name) for name in ("stage", "property_type") if name in changes}
        await commands.order(
            UpdateClient(
                agent_id=calling_agent,
                client_id=client_id,
                personal=ClientDetailsPatch(**changes),
                **own,
            )
        )
        where = {"_id": client_id, "agent_id": calling_agent, "stage": {"$exists": True}}
        client: Client = await _found(database, "clients", where, Client)
        return client

    @delete("/{client_id:uuid}")
    async def remove(self, client_id: UUID, calling_agent: UUID, commands: Commands) -> None:
        """Delete a client and cancel what is pending for it."""
        await commands.order(DeleteClient(agent_id=calling_agent, client_id=client_id))

    @get("/{client_id:uuid}/tasks")
    async def tasks(
        self,
        request: Request[Any, Any, Any],
        client_id: UUID,
        calling_agent: UUID,
        database: Database,
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[Task]]:
        """List a client's follow-ups, the earliest first."""
        where = {"_id": client_id, "agent_id": calling_agent, "stage": {"$exists": True}}
        await _found(database, "clients", where, Client)
        return await _tasks(
            request, database, {"client_id": client_id, "agent_id": calling_agent}, page, limit
        )


class Tasks(Controller):
    """Follow-ups."""

    path = "/api/tasks"
    tags = ["tasks"]

    @get()
    async def list_(
        self,
        request: Request[Any, Any, Any],
        calling_agent: UUID,
        database: Database,
        status: Annotated[list[TaskStatus] | None, Several] = None,
        client_id: UUID | None = None,
        due_before: datetime | None = None,
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[Task]]:
        """List follow-ups, the earliest first."""
        where: Raw = {"agent_id": calling_agent}
        if client_id:
            where["client_id"] = client_id
        if due_before:
            where["scheduled_for"] = {"$lt": moment("due_before", due_before)}
        if status:
            where["status"] = {"$in": status}
        return await _tasks(request, database, where, page, limit)

    @get("/{task_id:uuid}")
    async def show(self, task_id: UUID, calling_agent: UUID, database: Database) -> Task:
        """Show a follow-up."""
        where = {"_id": task_id, "agent_id": calling_agent, "status": {"$exists": True}}
        task: Task = await _found(database, "tasks", where, Task)
        return task


class Emails(Controller):
    """Emails."""

    path = "/api/emails"
    tags = ["emails"]

    @get()
    async def list_(
        self,
        request: Request[Any, Any, Any],
        calling_agent: UUID,
        database: Database,
        status: Annotated[list[EmailStatus] | None, Several] = None,
        client_id: UUID | None = None,
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[Email]]:
        """List emails, the newest first."""
        where: Raw = {
            "agent_id": calling_agent,
            "status": {"$in": status or list(get_args(EmailStatus))},
        }
        if client_id:
            where["client_id"] = client_id
        sort = [("created_at", -1), ("_id", 1)]
        return await listed(request, database, "email_logs", where, sort, Email, page, limit)

    @get("/{email_id:uuid}")
    async def show(self, email_id: UUID, calling_agent: UUID, database: Database) -> Email:
        """Show an email."""
        email: Email = await _found(
            database, "email_logs", {"_id": email_id, "agent_id": calling_agent}, Email
        )
        return email


@get("/api/commands/{command_id:uuid}", tags=["commands"])
async def command_status(
    command_id: UUID, calling_agent: UUID, database: Database
) -> CommandStatus:
    """Show what became of a command that was answered with 202."""
    found: CommandStatus = await _found(
        database, "commands", {"_id": command_id, "agent_id": calling_agent}, CommandStatus
    )
    return found


@get(["/health/live", "/health/ready"], include_in_schema=False)
async def health(request: Request[Any, Any, Any], checks: Health) -> Response[dict[str, Any]]:
    """Tell whether the process lives, and whether it can work."""
    status, body = await answer(checks, request.url.path)
    return Response(body, status_code=status)


async def _tasks(
    request: Request[Any, Any, Any], database: Database, where: Raw, page: int, limit: int
) -> Response[list[Task]]:
    where = {"status": {"$in": list(get_args(TaskStatus))}} | where
    sort = [("scheduled_for", 1), ("_id", 1)]
    return await listed(request, database, "tasks", where, sort, Task, page, limit)
