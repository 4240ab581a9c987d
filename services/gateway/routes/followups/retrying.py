"""Retrying many failed follow-ups at once: those that are named, or all that match."""

from collections.abc import Sequence
from uuid import UUID, uuid5

from chassis.mongo.client import Raw
from contracts.composer import RetryDraft
from contracts.mailer import ResolveEmail
from contracts.replies import CommandRejected
from services.gateway.commands.replies import Reply
from services.gateway.errors import Conflict
from services.gateway.http.context import ApiRequest, context_of, visible_to_caller
from services.gateway.http.idempotency import command_id_of
from services.gateway.http.pagination import stored_time
from services.gateway.http.problem_details import NOT_FOUND
from services.gateway.read_models.documents import TaskDocument
from services.gateway.read_models.schemas.followups import (
    MOST_RETRIED,
    FailedTasks,
    RetriedTask,
    RetriedTasks,
)
from services.gateway.routes.followups.rules import retry_command


async def retry_failed(request: ApiRequest, which: FailedTasks) -> RetriedTasks:
    """Retry follow-ups, those first that failed first. Raises Unavailable without Kafka."""
    api, base = context_of(request), command_id_of(request)
    documents = api.database[TaskDocument.Settings.name]
    where = visible_to_caller(request) | _matching(which)
    found = documents.find(where).sort("updated_at", 1).limit(MOST_RETRIED)
    tasks = [TaskDocument.model_validate(row) async for row in found]
    remaining = await documents.count_documents(where) - len(tasks)
    refused, commands = _commands(tasks, base)
    replies = await api.commands.execute_all(commands.items())
    done = [_outcome(id_, command, replies.get(id_)) for id_, command in commands.items()]
    known = {task.id for task in tasks}
    unknown = [
        _refused(id_, NOT_FOUND) for id_ in dict.fromkeys(which.ids or ()) if id_ not in known
    ]
    outcomes = [*done, *refused, *unknown]
    count = [outcome.outcome for outcome in outcomes].count
    return RetriedTasks(
        retried=count("retried"),
        refused=count("refused"),
        pending=count("pending"),
        remaining=remaining,
        tasks=outcomes,
    )


def _matching(which: FailedTasks) -> Raw:
    """Return the condition; who names follow-ups is told of those that have not failed."""
    where: Raw = {"_id": {"$in": which.ids}} if which.ids else {"status": "failed"}
    if which.client_id:
        where["client_id"] = which.client_id
    if which.failed_since:
        where["updated_at"] = {"$gte": stored_time("failed_since", which.failed_since)}
    if not which.ids:
        # In the name of a former agent: nothing can be retried.
        where["sender_id"] = None
    return where


def _commands(
    tasks: Sequence[TaskDocument], base: UUID
) -> tuple[list[RetriedTask], dict[UUID, RetryDraft | ResolveEmail]]:
    """Return what is refused, and the commands for the others by their ids."""
    refused: list[RetriedTask] = []
    commands: dict[UUID, RetryDraft | ResolveEmail] = {}
    for task in tasks:
        try:
            commands[uuid5(base, str(task.id))] = retry_command(task)
        except Conflict as conflict:
            refused.append(_refused(task.id, str(conflict)))
    return refused, commands


def _refused(task_id: UUID, reason: str) -> RetriedTask:
    return RetriedTask(task_id=task_id, outcome="refused", reason=reason)


def _outcome(
    command_id: UUID, command: RetryDraft | ResolveEmail, reply: Reply | None
) -> RetriedTask:
    task_id = command.followup_id
    if reply is None:
        return RetriedTask(task_id=task_id, outcome="pending", command_id=command_id)
    if isinstance(reply, CommandRejected):
        return _refused(task_id, reply.reason)
    return RetriedTask(task_id=task_id, outcome="retried")
