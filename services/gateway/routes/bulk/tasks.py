"""The same change to many follow-ups."""

from collections.abc import Mapping
from typing import get_args
from uuid import UUID

from litestar import Controller
from litestar.status_codes import HTTP_200_OK

from contracts.message import Command
from contracts.scheduler import CancelFollowup, ChangeFollowup, FollowupPatch
from services.gateway.errors import Conflict
from services.gateway.http.context import ApiRequest, context_of, post, visible_to_caller
from services.gateway.read_models.documents import TaskDocument, TaskStatus
from services.gateway.read_models.schemas.bulk import (
    MOST_CHANGED,
    BulkOutcome,
    BulkReport,
    TaskAction,
    TasksChange,
)
from services.gateway.routes.bulk.changes import (
    Accepted,
    change_each,
    refused,
    report,
    require_expected,
    require_reader,
    unchanged,
)
from services.gateway.routes.followups.cancelling import UNSETTLED, settled
from services.gateway.routes.followups.rules import require_open
from services.gateway.routes.followups.tasks import matching


class BulkTasks(Controller):
    """Many follow-ups at once."""

    path = "/api/tasks/bulk"
    tags = ["tasks"]

    @post(status_code=HTTP_200_OK, operation_id="changeTasks")
    async def change(self, request: ApiRequest, data: TasksChange) -> BulkReport:
        """Cancel many follow-ups, or change their priority.

        Those that are named, at most 1,000, or all that a filter of the list finds, at most 5,000.
        409 and nothing is done when they are not `expected_count`. Of what is due the response
        waits until it is not sent any more, or was sent: as with `/api/tasks/{task_id}/cancel`.
        """
        tasks = await _selected(request, data)
        ids = dict.fromkeys(data.selection.ids or tasks)
        decisions = {
            id_: _decide(tasks[id_], data.action) if id_ in tasks else refused(id_) for id_ in ids
        }
        outcomes, accepted = await change_each(request, decisions)
        if data.action.kind == "cancel":
            outcomes |= await _too_late(request, accepted)
        return report(outcomes)


async def _selected(request: ApiRequest, data: TasksChange) -> dict[UUID, TaskDocument]:
    """Return the follow-ups. Raises Conflict when they are not as many as expected."""
    documents = context_of(request).database[TaskDocument.Settings.name]
    ids, filter_ = data.selection.ids, data.selection.filter
    if filter_ is not None:
        require_reader(request)
    shown = {**visible_to_caller(request), "status": {"$in": list(get_args(TaskStatus))}}
    if filter_ is None:
        require_expected(len(set(ids or ())), data.expected_count)
        where = {**shown, "_id": {"$in": ids}}
    else:
        where = shown | await matching(request, **dict(filter_))
    found = documents.find(where).limit(MOST_CHANGED + 1)
    tasks = [TaskDocument.model_validate(row) async for row in found]
    if filter_ is not None:
        require_expected(len(tasks), data.expected_count)
    return {task.id: task for task in tasks}


def _decide(task: TaskDocument, action: TaskAction) -> Command | BulkOutcome:
    about = {"agent_id": task.agent_id, "client_id": task.client_id, "followup_id": task.id}
    if action.kind == "priority":
        if task.priority == action.priority:
            return unchanged(task.id)
        return ChangeFollowup(**about, personal=FollowupPatch(), priority=action.priority)
    if task.status == "cancelled":
        return unchanged(task.id)
    try:
        require_open(task)
    except Conflict as reason:
        return refused(task.id, str(reason))
    return CancelFollowup(**about)


async def _too_late(
    request: ApiRequest, accepted: Mapping[UUID, Accepted]
) -> dict[UUID, BulkOutcome]:
    """Return what became of those that were cancelled when due, and sent all the same.

    Those that are still on their way when a command's time is over are pending.
    """
    api, these = context_of(request), {"_id": {"$in": list(accepted)}}
    await settled(api, these)
    tasks = api.database[TaskDocument.Settings.name]
    outcomes = {}
    for row in await tasks.find(these | UNSETTLED, ["_id"]).to_list():
        command, command_id, reply = accepted[row["_id"]]
        await api.commands.store_accepted(command, command_id, reply)
        outcomes[row["_id"]] = BulkOutcome(id=row["_id"], outcome="pending", command_id=command_id)
    for row in await tasks.find(these | {"status": "sent"}, ["_id"]).to_list():
        outcomes[row["_id"]] = refused(row["_id"], "the follow-up was sent all the same")
    return outcomes
