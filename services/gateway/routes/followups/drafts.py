"""Routes of drafts: letters are read, changed and approved before they are sent."""

from functools import partial
from typing import Any
from uuid import UUID, uuid5

from litestar import Controller, Response
from litestar.exceptions import NotFoundException
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_204_NO_CONTENT

from contracts.composer import (
    ApproveDraft,
    DiscardDraft,
    PrepareDraft,
    ReviseDraft,
    RewriteDraft,
)
from contracts.message import Command
from contracts.replies import CommandRejected
from services.gateway.commands.replies import Reply
from services.gateway.errors import Conflict, PreconditionRequired
from services.gateway.http.context import (
    WRITTEN,
    ApiRequest,
    context_of,
    find_visible,
    get_tagged,
    patch,
    post,
    responses_of,
    visible_to_caller,
)
from services.gateway.http.etags import IfMatch, etag_response, if_match_version
from services.gateway.http.idempotency import command_id_of
from services.gateway.http.pagination import Limit, Page, read_page, sort_order
from services.gateway.http.problem_details import NOT_FOUND
from services.gateway.markers import MAY_BE_PENDING
from services.gateway.read_models.dashboard.attention import client_names
from services.gateway.read_models.documents import TaskDocument
from services.gateway.read_models.schemas.drafts import (
    ApprovedDraft,
    ApprovedDrafts,
    Draft,
    DraftPatch,
    DraftsToApprove,
    ListedDraft,
    NewDraft,
    draft_of,
)
from services.gateway.routes.followups.recipients import (
    Addressee,
    addressee_of,
    addressees_of,
    test_letter_of,
)
from services.gateway.routes.followups.rules import require_own

_APPROVING = WRITTEN | responses_of(428)


class Drafts(Controller):
    """Letters that wait: for the date of their follow-up, for the agent, or for both."""

    path = "/api"
    tags = ["drafts"]

    @get_tagged("/drafts", operation_id="listDrafts")
    async def list_(
        self, request: ApiRequest, page: Page = 1, limit: Limit = 20
    ) -> Response[list[ListedDraft]]:
        """List the drafts that wait for the agent, the longest waiting first."""
        documents = context_of(request).database[TaskDocument.Settings.name]
        where = visible_to_caller(request) | {"undecided_since": {"$exists": True}}
        by = sort_order("undecided_since", indexed=1)

        total = partial(documents.count_documents, where)
        rows, headers = await read_page(request, documents, where, by, None, page, limit, total)
        drafts = await _drafts_of(request, [TaskDocument.model_validate(row) for row in rows])
        names = await client_names(
            context_of(request).database, {draft.client_id for draft in drafts}
        )
        listed = [
            draft.model_dump(by_alias=True) | {"client_name": names.get(draft.client_id)}
            for draft in drafts
        ]
        return etag_response(request, list[ListedDraft], listed, headers)

    @post("/drafts/approve", operation_id="approveDrafts", status_code=HTTP_200_OK)
    async def approve_all(self, request: ApiRequest, data: DraftsToApprove) -> ApprovedDrafts:
        """Approve several drafts, each as it was read; one that has changed since is refused."""
        wanted = {one.task_id: one.version for one in data.drafts}
        documents = context_of(request).database[TaskDocument.Settings.name]
        where = visible_to_caller(request) | {"_id": {"$in": list(wanted)}}
        found = [TaskDocument.model_validate(row) async for row in documents.find(where)]
        base = command_id_of(request)
        commands: dict[UUID, tuple[UUID, ApproveDraft]] = {}
        outcomes = {id_: _refused(id_, NOT_FOUND) for id_ in wanted}
        addressees = await addressees_of(request, found)
        for task in (task for task in found if task.id in addressees):
            try:
                require_own(task)
            except Conflict as conflict:
                outcomes[task.id] = _refused(task.id, str(conflict))
            else:
                command = _approval(task, addressees[task.id], wanted[task.id])
                commands[task.id] = (uuid5(base, str(task.id)), command)
        replies = await context_of(request).commands.execute_all(commands.values())
        for id_, (command_id, _) in commands.items():
            outcomes[id_] = _outcome(id_, command_id, replies.get(command_id))
        count = [outcome.outcome for outcome in outcomes.values()].count
        return ApprovedDrafts(
            approved=count("approved"),
            refused=count("refused"),
            pending=count("pending"),
            drafts=list(outcomes.values()),
        )

    @get_tagged("/tasks/{task_id:uuid}/draft", operation_id="getDraft")
    async def show(self, request: ApiRequest, task_id: UUID) -> Response[Draft]:
        """Show the letter of a follow-up that is not on its way."""
        return etag_response(request, Draft, await _draft(request, task_id))

    @post("/tasks/{task_id:uuid}/draft", operation_id="writeDraft", opt={MAY_BE_PENDING: True})
    async def write(
        self, request: ApiRequest, task_id: UUID, data: NewDraft | None = None
    ) -> Response[Draft]:
        """Have the letter of a pending follow-up written now, or a letter that waits once more.

        Another one follows the `instructions`, and waits for approval.
        """
        task = await _task(request, task_id)
        require_own(task)
        addressee = await addressee_of(request, task)
        recipient = addressee.recipient
        if data and data.instructions:
            recipient = recipient.model_copy(update={"instructions": data.instructions})
        known = await _draft_or_none(request, task)
        command: Command
        if known and known.status in ("waiting", "flagged", "approved"):
            command = RewriteDraft(**_about(task), **addressee.kind, personal=recipient)
        elif task.status == "pending":
            command = PrepareDraft(
                **_about(task),
                **addressee.kind,
                followup_type=task.followup_type,
                scheduled_for=task.scheduled_for,
                personal=recipient,
            )
        else:
            raise Conflict(f"the follow-up is {task.status}: there is no letter to write")
        await context_of(request).commands.execute(command, command_id_of(request))
        draft = await _draft(request, task_id)
        return etag_response(request, Draft, draft, status=HTTP_201_CREATED)

    @patch("/tasks/{task_id:uuid}/draft", operation_id="updateDraft", opt={MAY_BE_PENDING: True})
    async def revise(
        self, request: ApiRequest, task_id: UUID, data: DraftPatch, if_match: IfMatch = None
    ) -> Response[Draft]:
        """Change the letter; it is not approved any more if it was."""
        command = ReviseDraft(**_about(await _task(request, task_id)), personal=data.text())
        await self._carry_out(request, command, task_id, if_match)
        return etag_response(request, Draft, await _draft(request, task_id))

    @post(
        "/tasks/{task_id:uuid}/draft/approve",
        operation_id="approveDraft",
        status_code=HTTP_204_NO_CONTENT,
        opt={MAY_BE_PENDING: True},
        responses=_APPROVING,
    )
    async def approve(self, request: ApiRequest, task_id: UUID, if_match: IfMatch = None) -> None:
        """Let just the letter that was read be sent, to the client's present address, once due.

        `If-Match` is required (428).
        """
        if if_match is None or if_match.strip() == "*":
            raise PreconditionRequired
        task = await _task(request, task_id)
        require_own(task)
        command = _approval(task, await addressee_of(request, task))
        await self._carry_out(request, command, task_id, if_match)

    @post(
        "/tasks/{task_id:uuid}/draft/discard",
        operation_id="discardDraft",
        status_code=HTTP_204_NO_CONTENT,
        opt={MAY_BE_PENDING: True},
    )
    async def discard(self, request: ApiRequest, task_id: UUID, if_match: IfMatch = None) -> None:
        """Throw the letter away: a follow-up that is due is not sent; another gets a new one."""
        command = DiscardDraft(**_about(await _task(request, task_id)))
        await self._carry_out(request, command, task_id, if_match)

    @post(
        "/tasks/{task_id:uuid}/draft/test",
        operation_id="testDraft",
        status_code=HTTP_204_NO_CONTENT,
        opt={MAY_BE_PENDING: True},
    )
    async def test(self, request: ApiRequest, task_id: UUID) -> None:
        """Send the letter to the agent alone; it is counted nowhere."""
        draft = await _draft(request, task_id)
        command_id = command_id_of(request)
        notice = await test_letter_of(request, draft, uuid5(command_id, "test"))
        await context_of(request).commands.send(notice, command_id)

    async def _carry_out(
        self, request: ApiRequest, command: Command, task_id: UUID, if_match: str | None
    ) -> None:
        version = await if_match_version(
            request, if_match, command.stream, lambda: _draft(request, task_id)
        )
        await context_of(request).commands.execute(
            command.model_copy(update={"if_version": version}), command_id_of(request)
        )


async def _task(request: ApiRequest, task_id: UUID) -> TaskDocument:
    where = {"_id": task_id, "status": {"$exists": True}}
    task: TaskDocument = await find_visible(request, "tasks", where, TaskDocument)
    return task


async def _draft(request: ApiRequest, task_id: UUID) -> Draft:
    """Return the draft. Raises NotFoundException without one."""
    draft = await _draft_or_none(request, await _task(request, task_id))
    if draft is None:
        raise NotFoundException(NOT_FOUND)
    return draft


async def _draft_or_none(request: ApiRequest, task: TaskDocument) -> Draft | None:
    return next(iter(await _drafts_of(request, [task])), None)


async def _drafts_of(request: ApiRequest, tasks: list[TaskDocument]) -> list[Draft]:
    streams = {task.id: f"draft-{task.id}" for task in tasks}
    versions = await context_of(request).views.versions(streams.values())
    drafts = (draft_of(task, versions[streams[task.id]]) for task in tasks)
    return [draft for draft in drafts if draft]


def _approval(task: TaskDocument, addressee: Addressee, version: int | None = None) -> ApproveDraft:
    return ApproveDraft(**_about(task), personal=addressee.recipient, if_version=version)


def _about(task: TaskDocument) -> dict[str, Any]:
    return {"agent_id": task.agent_id, "client_id": task.client_id, "followup_id": task.id}


def _refused(task_id: UUID, reason: str) -> ApprovedDraft:
    return ApprovedDraft(task_id=task_id, outcome="refused", reason=reason)


def _outcome(task_id: UUID, command_id: UUID, reply: Reply | None) -> ApprovedDraft:
    if reply is None:
        return ApprovedDraft(task_id=task_id, outcome="pending", command_id=command_id)
    if isinstance(reply, CommandRejected):
        return _refused(task_id, reply.reason)
    return ApprovedDraft(task_id=task_id, outcome="approved")
