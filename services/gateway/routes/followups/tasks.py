"""Routes of follow-ups."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, get_args
from uuid import UUID

from litestar import Controller, Response
from litestar.status_codes import HTTP_200_OK

from chassis.mongo.client import Raw
from contracts.scheduler import CancelFollowup, ChangeFollowup, FollowupPatch
from contracts.steps import Priority
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
from services.gateway.http.pagination import (
    Limit,
    Page,
    TaskSort,
    list_page,
    sort_order,
    time_range,
)
from services.gateway.markers import MAY_BE_PENDING
from services.gateway.read_models.documents import TASKS_OF_CLIENT, TaskDocument, TaskStatus
from services.gateway.read_models.index_counts import count_listed
from services.gateway.read_models.list_rows import complete_tasks
from services.gateway.read_models.schemas.followups import (
    FailedTasks,
    ListedTask,
    RetriedTasks,
    TaskDetails,
    TaskPatch,
)
from services.gateway.routes.client_search import Search, hint_of_clients, of_clients
from services.gateway.routes.followups.cancelling import cancel_and_settle
from services.gateway.routes.followups.retrying import retry_failed
from services.gateway.routes.followups.rules import planned_time, require_open, retry_command


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
        priority: Annotated[list[Priority] | None, Several] = None,
        due_after: datetime | None = None,
        due_before: datetime | None = None,
        q: Search = None,
        sort: TaskSort = "scheduled_for",
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[ListedTask]]:
        """List follow-ups, by default the earliest first.

        `due_after` is included, `due_before` is not. `q` finds those of the clients that
        `GET /api/clients` finds by it, at most 1,000.
        """
        where = await matching(request, q, client_id, status, priority, due_after, due_before)
        return await tasks_of(request, where, page, limit, sort)

    @get_tagged("/{task_id:uuid}")
    async def show(self, request: ApiRequest, task_id: UUID) -> Response[TaskDetails]:
        """Show a follow-up, and the letter if it was not fit to send."""
        return etag_response(request, TaskDetails, await _task(request, task_id))

    @patch("/{task_id:uuid}", opt={MAY_BE_PENDING: True})
    async def change(
        self, request: ApiRequest, task_id: UUID, data: TaskPatch, if_match: IfMatch = None
    ) -> Response[TaskDetails]:
        """Change a follow-up's date, priority or notes; with `send_now` it falls due now.

        A past date is refused without `send_now`. In the sending hours, and not within a day of
        another one of the client.
        """
        task, version = await _planned(request, if_match, task_id)
        changes = data.model_dump()
        notes = {"notes": changes.pop("notes")} if "notes" in changes else {}
        send_now, asked = changes.pop("send_now"), changes.get("scheduled_for")
        if asked or send_now:
            now = datetime.now(UTC)
            changes["scheduled_for"] = planned_time(asked, send_now=send_now, now=now)
        command = ChangeFollowup(
            **_about(task), personal=FollowupPatch(**notes), if_version=version, **changes
        )
        await context_of(request).commands.execute(command)
        return etag_response(request, TaskDetails, await _task(request, task_id))

    @post("/{task_id:uuid}/cancel", status_code=HTTP_200_OK, opt={MAY_BE_PENDING: True})
    async def cancel(
        self, request: ApiRequest, task_id: UUID, if_match: IfMatch = None
    ) -> Response[TaskDetails]:
        """Cancel a follow-up that is not sent yet.

        Of one that is due the letter is not written, or the email not sent: 409 when it is too late
        for that. The response waits for what is being sent; 202 when that takes long. The status
        is `sent` if the email was on its way already.
        """
        task, version = await _planned(request, if_match, task_id)
        require_open(task)
        await cancel_and_settle(request, CancelFollowup(**_about(task), if_version=version))
        return etag_response(request, TaskDetails, await _task(request, task_id))

    @post("/{task_id:uuid}/retry", status_code=HTTP_200_OK, opt={MAY_BE_PENDING: True})
    async def retry(
        self, request: ApiRequest, task_id: UUID, if_match: IfMatch = None
    ) -> Response[TaskDetails]:
        """Retry a failed follow-up: compose or send it again, whichever failed."""
        task: TaskDocument = await find_visible(request, "tasks", {"_id": task_id}, TaskDocument)
        command = retry_command(task)
        version = await if_match_version(
            request, if_match, command.stream, lambda: _task(request, task_id)
        )
        await context_of(request).commands.execute(
            command.model_copy(update={"if_version": version}), command_id_of(request)
        )
        return etag_response(request, TaskDetails, await _task(request, task_id))

    @post("/retry", status_code=HTTP_200_OK)
    async def retry_(self, request: ApiRequest, data: FailedTasks) -> RetriedTasks:
        """Retry many failed follow-ups: all, or those that `ids` or the other fields describe.

        At most 1,000 by one request, which failed first; `remaining` says how many are left.
        """
        return await retry_failed(request, data)


async def matching(
    request: ApiRequest,
    q: str | None,
    client_id: UUID | None,
    status: list[TaskStatus] | None,
    priority: list[Priority] | None,
    due_after: datetime | None,
    due_before: datetime | None,
) -> Raw:
    """Return the query for the follow-ups that a list is filtered by; None is no condition.

    Raises ValidationException for a search that finds too many clients.
    """
    where = await of_clients(request, client_id, q)
    if due := time_range(("due_after", due_after), ("due_before", due_before)):
        where["scheduled_for"] = due
    if status:
        where["status"] = {"$in": status}
    if priority:
        where["priority"] = {"$in": priority}
    return where


async def tasks_of(
    request: ApiRequest, where: Raw, page: int, limit: int, sort: TaskSort = "scheduled_for"
) -> Response[list[ListedTask]]:
    """Return a page of the follow-ups that match and the caller may see."""
    documents = context_of(request).database["tasks"]
    # A task without a status is not planned yet.
    shown = visible_to_caller(request) | {"status": {"$in": list(get_args(TaskStatus))}}
    by, total = (
        sort_order(sort, indexed=1),
        partial(count_listed, documents, shown | where, get_args(TaskStatus)),
    )
    return await list_page(
        request,
        documents,
        shown | where,
        by,
        ListedTask,
        page,
        limit,
        total,
        complete=complete_tasks,
        **hint_of_clients(where, TASKS_OF_CLIENT),
    )


async def _task(request: ApiRequest, task_id: UUID) -> TaskDetails:
    where = {"_id": task_id, "status": {"$exists": True}}
    task: TaskDetails = await find_visible(request, "tasks", where, TaskDetails)
    return task


async def _planned(
    request: ApiRequest, if_match: str | None, task_id: UUID
) -> tuple[TaskDocument, int | None]:
    """Return the follow-up, and the version of its plan that a change requires."""
    task: TaskDocument = await find_visible(request, "tasks", {"_id": task_id}, TaskDocument)
    version = await if_match_version(
        request, if_match, f"plan-{task.client_id}", lambda: _task(request, task_id)
    )
    return task, version


def _about(task: TaskDocument) -> Raw:
    return {"agent_id": task.agent_id, "client_id": task.client_id, "followup_id": task.id}
