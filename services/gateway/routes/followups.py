"""Routes of follow-ups and emails."""

from datetime import datetime
from functools import partial
from typing import Annotated, Literal, get_args
from uuid import UUID

from litestar import Controller, Response
from litestar.exceptions import HTTPException
from litestar.status_codes import HTTP_200_OK, HTTP_409_CONFLICT
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo.client import Raw
from contracts.composer import RetryDraft
from contracts.mailer import ResolveEmail
from contracts.scheduler import CancelFollowup, ChangeFollowup, FollowupPatch
from services.gateway.http.context import (
    ApiRequest,
    Several,
    context_of,
    find_visible,
    get_tagged,
    patch,
    post,
    visible_to_caller,
)
from services.gateway.http.etags import IfMatch, etag_response, if_match_version
from services.gateway.http.idempotency import command_id_of
from services.gateway.http.pagination import Limit, Page, list_page, sort_order, stored_time
from services.gateway.markers import MAY_BE_PENDING
from services.gateway.read_models.documents import (
    EmailLogDocument,
    EmailStatus,
    TaskDocument,
    TaskStatus,
)
from services.gateway.read_models.index_counts import count_in
from services.gateway.read_models.schemas import Email, EmailResolution, Task, TaskPatch

TaskSort = Literal["scheduled_for", "-scheduled_for"]
EmailSort = Literal["-created_at", "created_at"]


class Tasks(Controller):
    """Follow-ups."""

    path = "/api/tasks"
    tags = ["tasks"]

    @get_tagged()
    async def list_(
        self,
        request: ApiRequest,
        status: Annotated[list[TaskStatus] | None, Several] = None,
        client_id: UUID | None = None,
        due_before: datetime | None = None,
        sort: TaskSort = "scheduled_for",
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[Task]]:
        """List follow-ups, by default the earliest first."""
        where: Raw = {}
        if client_id:
            where["client_id"] = client_id
        if due_before:
            where["scheduled_for"] = {"$lt": stored_time("due_before", due_before)}
        if status:
            where["status"] = {"$in": status}
        return await tasks_of(request, where, page, limit, sort)

    @get_tagged("/{task_id:uuid}")
    async def show(self, request: ApiRequest, task_id: UUID) -> Response[Task]:
        """Show a follow-up."""
        return etag_response(request, Task, await _task(request, task_id))

    @patch("/{task_id:uuid}", opt={MAY_BE_PENDING: True})
    async def change(
        self, request: ApiRequest, task_id: UUID, data: TaskPatch, if_match: IfMatch = None
    ) -> Response[Task]:
        """Change a follow-up's date (with a past one it falls due at once), priority, notes."""
        about, version = await _plan(request, if_match, task_id)
        changes = data.model_dump()
        notes = {"notes": changes.pop("notes")} if "notes" in changes else {}
        if "scheduled_for" in changes:
            changes["scheduled_for"] = stored_time("scheduled_for", changes["scheduled_for"])
        command = ChangeFollowup(
            **about, personal=FollowupPatch(**notes), if_version=version, **changes
        )
        await context_of(request).commands.execute(command)
        return etag_response(request, Task, await _task(request, task_id))

    @post("/{task_id:uuid}/cancel", status_code=HTTP_200_OK, opt={MAY_BE_PENDING: True})
    async def cancel(
        self, request: ApiRequest, task_id: UUID, if_match: IfMatch = None
    ) -> Response[Task]:
        """Cancel a pending follow-up: it will not be sent."""
        about, version = await _plan(request, if_match, task_id)
        command = CancelFollowup(**about, if_version=version)
        await context_of(request).commands.execute(command, command_id_of(request))
        return etag_response(request, Task, await _task(request, task_id))

    @post("/{task_id:uuid}/retry", status_code=HTTP_200_OK, opt={MAY_BE_PENDING: True})
    async def retry(
        self, request: ApiRequest, task_id: UUID, if_match: IfMatch = None
    ) -> Response[Task]:
        """Retry a failed follow-up: compose or send it again, whichever failed."""
        task: TaskDocument = await find_visible(request, "tasks", {"_id": task_id}, TaskDocument)
        command = _retry_command(task)
        version = await if_match_version(
            request, if_match, command.stream, lambda: _task(request, task_id)
        )
        await context_of(request).commands.execute(
            command.model_copy(update={"if_version": version}), command_id_of(request)
        )
        return etag_response(request, Task, await _task(request, task_id))


class Emails(Controller):
    """Emails."""

    path = "/api/emails"
    tags = ["emails"]

    @get_tagged()
    async def list_(
        self,
        request: ApiRequest,
        status: Annotated[list[EmailStatus] | None, Several] = None,
        client_id: UUID | None = None,
        sort: EmailSort = "-created_at",
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[Email]]:
        """List emails, by default the newest first."""
        documents = context_of(request).database["email_logs"]
        statuses = status or list(get_args(EmailStatus))
        where = visible_to_caller(request) | {"status": {"$in": statuses}}
        if client_id:
            where["client_id"] = client_id
        by, total = sort_order(sort, indexed=-1), partial(_count, documents, where)
        return await list_page(request, documents, where, by, Email, page, limit, total)

    @get_tagged("/{email_id:uuid}")
    async def show(self, request: ApiRequest, email_id: UUID) -> Response[Email]:
        """Show an email."""
        return etag_response(request, Email, await _email(request, email_id))

    @post("/{email_id:uuid}/resolve", status_code=HTTP_200_OK, opt={MAY_BE_PENDING: True})
    async def resolve(
        self, request: ApiRequest, email_id: UUID, data: EmailResolution, if_match: IfMatch = None
    ) -> Response[Email]:
        """Settle an email that failed or whose outcome is unknown by a person's decision."""
        where = {"_id": email_id, "status": {"$exists": True}}
        email = await find_visible(request, "email_logs", where, EmailLogDocument)
        if data.resolution == "resend":
            _require_own(email)
        version = await if_match_version(
            request, if_match, f"email-{email_id}", partial(_email, request, email_id)
        )
        await context_of(request).commands.execute(
            ResolveEmail(
                agent_id=email.sender_id or email.agent_id,
                client_id=email.client_id,
                followup_id=email.task_id,
                email_id=email_id,
                resolution=data.resolution,
                if_version=version,
            ),
            command_id_of(request),
        )
        return etag_response(request, Email, await _email(request, email_id))


async def tasks_of(
    request: ApiRequest, where: Raw, page: int, limit: int, sort: TaskSort = "scheduled_for"
) -> Response[list[Task]]:
    """Return a page of the follow-ups that match and the caller may see."""
    documents = context_of(request).database["tasks"]
    # A task without a status is not planned yet.
    shown = visible_to_caller(request) | {"status": {"$in": list(get_args(TaskStatus))}}
    by, total = sort_order(sort, indexed=1), partial(_count, documents, shown | where)
    return await list_page(request, documents, shown | where, by, Task, page, limit, total)


async def _count(documents: AsyncCollection[Raw], where: Raw) -> int:
    # A client has few, and its index is not in the order of statuses.
    if "client_id" in where:
        return await documents.count_documents(where)
    return await count_in(documents, where, "status", get_args(TaskStatus))


async def _task(request: ApiRequest, task_id: UUID) -> Task:
    where = {"_id": task_id, "status": {"$exists": True}}
    task: Task = await find_visible(request, "tasks", where, Task)
    return task


async def _plan(request: ApiRequest, if_match: str | None, task_id: UUID) -> tuple[Raw, int | None]:
    """Return a command's ids of the follow-up, and the plan's version that a change requires."""
    task: TaskDocument = await find_visible(request, "tasks", {"_id": task_id}, TaskDocument)
    version = await if_match_version(
        request, if_match, f"plan-{task.client_id}", lambda: _task(request, task_id)
    )
    about = {"agent_id": task.agent_id, "client_id": task.client_id, "followup_id": task_id}
    return about, version


async def _email(request: ApiRequest, email_id: UUID) -> Email:
    where = {"_id": email_id, "status": {"$exists": True}}
    email: Email = await find_visible(request, "email_logs", where, Email)
    return email


def _require_own(written: TaskDocument | EmailLogDocument) -> None:
    """Raise an HTTPException when it was written in the name of a former agent of the client."""
    if written.sender_id:
        raise HTTPException(
            "written in the name of the client's former agent: it is not sent again",
            status_code=HTTP_409_CONFLICT,
        )


def _retry_command(task: TaskDocument) -> RetryDraft | ResolveEmail:
    _require_own(task)
    about = {"agent_id": task.agent_id, "client_id": task.client_id, "followup_id": task.id}
    if task.email and task.email.status == "failed":
        return ResolveEmail(**about, email_id=task.email.email_id, resolution="resend")
    if task.draft and task.draft.status == "failed" and not task.email:
        return RetryDraft(**about)
    raise HTTPException(
        f"the follow-up is {task.status}: only a failed one can be retried",
        status_code=HTTP_409_CONFLICT,
    )
