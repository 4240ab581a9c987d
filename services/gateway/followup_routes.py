"""The follow-ups and emails of the REST API."""

from datetime import datetime
from typing import Annotated, Literal, get_args
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.exceptions import HTTPException
from litestar.status_codes import HTTP_200_OK, HTTP_409_CONFLICT
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo import Raw
from contracts.composer import RetryDraft
from contracts.mailer import ResolveEmail
from services.gateway.api import Asked, Several, api_of, found_by
from services.gateway.counting import count_among
from services.gateway.documents import EmailStatus, TaskDocument, TaskStatus
from services.gateway.paging import Limit, Page, listed, moment, sorted_by
from services.gateway.shapes import Email, EmailResolution, Task

TaskSort = Literal["scheduled_for", "-scheduled_for"]
EmailSort = Literal["-created_at", "created_at"]


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
        sort: TaskSort = "scheduled_for",
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[Task]]:
        """List follow-ups, unless asked otherwise the earliest first."""
        where: Raw = {}
        if client_id:
            where["client_id"] = client_id
        if due_before:
            where["scheduled_for"] = {"$lt": moment("due_before", due_before)}
        if status:
            where["status"] = {"$in": status}
        return await tasks_of(request, where, page, limit, sort)

    @get("/{task_id:uuid}")
    async def show(self, request: Asked, task_id: UUID) -> Task:
        """Show a follow-up."""
        return await _task(request, task_id)

    @post("/{task_id:uuid}/retry", status_code=HTTP_200_OK)
    async def retry(self, request: Asked, task_id: UUID) -> Task:
        """Have a failed follow-up written or sent again, whichever of the two failed."""
        found: TaskDocument = await found_by(request, "tasks", {"_id": task_id}, TaskDocument)
        await api_of(request).commands.order(_again(found))
        return await _task(request, task_id)


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
        sort: EmailSort = "-created_at",
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[Email]]:
        """List emails, unless asked otherwise the newest first."""
        documents = api_of(request).database["email_logs"]
        statuses = status or list(get_args(EmailStatus))
        where: Raw = {"agent_id": request.user.agent_id, "status": {"$in": statuses}}
        if client_id:
            where["client_id"] = client_id
        by, counting = sorted_by(sort, indexed=-1), _count(documents, where)
        return await listed(request, documents, where, by, Email, page, limit, counting)

    @get("/{email_id:uuid}")
    async def show(self, request: Asked, email_id: UUID) -> Email:
        """Show an email."""
        return await _email(request, email_id)

    @post("/{email_id:uuid}/resolve", status_code=HTTP_200_OK)
    async def resolve(self, request: Asked, email_id: UUID, data: EmailResolution) -> Email:
        """Settle an email that failed or whose outcome is unknown, as a person decides."""
        email = await _email(request, email_id)
        await api_of(request).commands.order(
            ResolveEmail(
                agent_id=email.agent_id,
                client_id=email.client_id,
                followup_id=email.task_id,
                email_id=email_id,
                resolution=data.resolution,
            )
        )
        return await _email(request, email_id)


async def tasks_of(
    request: Asked, where: Raw, page: int, limit: int, sort: TaskSort = "scheduled_for"
) -> Response[list[Task]]:
    """Answer a page of the agent's follow-ups that match."""
    documents = api_of(request).database["tasks"]
    every = {"agent_id": request.user.agent_id, "status": {"$in": list(get_args(TaskStatus))}}
    by, counting = sorted_by(sort, indexed=1), _count(documents, every | where)
    return await listed(request, documents, every | where, by, Task, page, limit, counting)


async def _count(documents: AsyncCollection[Raw], where: Raw) -> int:
    # A client's are few, and not in the order of their statuses.
    if "client_id" in where:
        return await documents.count_documents(where)
    return await count_among(documents, where, "status")


async def _task(request: Asked, task_id: UUID) -> Task:
    where = {"_id": task_id, "status": {"$exists": True}}
    task: Task = await found_by(request, "tasks", where, Task)
    return task


async def _email(request: Asked, email_id: UUID) -> Email:
    email: Email = await found_by(request, "email_logs", {"_id": email_id}, Email)
    return email


def _again(task: TaskDocument) -> RetryDraft | ResolveEmail:
    about = {"agent_id": task.agent_id, "client_id": task.client_id, "followup_id": task.id}
    if task.email and task.email.status == "failed":
        return ResolveEmail(**about, email_id=task.email.email_id, resolution="resend")
    if task.draft and task.draft.status == "failed" and not task.email:
        return RetryDraft(**about)
    raise HTTPException(
        f"the follow-up is {task.status}: only a failed one can be tried again",
        status_code=HTTP_409_CONFLICT,
    )
