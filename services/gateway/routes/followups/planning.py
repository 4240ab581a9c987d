"""Routes of a client's follow-ups, and those that add some to its plan."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from litestar import Controller, Response
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from contracts.scheduler import AddFollowup, FollowupInstructions, RecordReply, StartPlan
from contracts.sequences import NEW_LEAD
from services.gateway.commands.sequences import sequences_of
from services.gateway.http.context import (
    ApiRequest,
    context_of,
    find_visible,
    get_tagged,
    post,
    projection_of,
    visible_to_caller,
)
from services.gateway.http.etags import etag_response
from services.gateway.http.idempotency import command_id_of
from services.gateway.http.pagination import Limit, Page
from services.gateway.markers import MAY_BE_PENDING
from services.gateway.read_models.agent_zones import agent_time_zone
from services.gateway.read_models.schemas.clients import Client, NewReply
from services.gateway.read_models.schemas.followups import ListedTask, NewTask, Task
from services.gateway.read_models.schemas.sequences import Plan, PlanStart
from services.gateway.routes.followups.rules import planned_time, require_writable
from services.gateway.routes.followups.tasks import tasks_of

_NEW_LEAD_TYPES = [step.name for step in NEW_LEAD.steps]


class Planning(Controller):
    """Follow-ups of a client, and those that an agent adds."""

    path = "/api/clients/{client_id:uuid}"
    tags = ["clients"]

    @get_tagged("/tasks", operation_id="listClientTasks")
    async def tasks(
        self, request: ApiRequest, client_id: UUID, page: Page = 1, limit: Limit = 20
    ) -> Response[list[ListedTask]]:
        """List a client's follow-ups, the earliest first."""
        await _client(request, client_id)
        return await tasks_of(request, {"client_id": client_id}, page, limit)

    @get_tagged("/plan", operation_id="getPlan")
    async def show(self, request: ApiRequest, client_id: UUID) -> Response[Plan]:
        """Show which sequence the client has, and which one its stage suggests."""
        client = await _client(request, client_id)
        return etag_response(request, Plan, await _plan(request, client))

    @post("/plan", opt={MAY_BE_PENDING: True})
    async def start(
        self, request: ApiRequest, client_id: UUID, data: PlanStart | None = None
    ) -> Response[list[Task]]:
        """Begin a sequence for a client that has no pending follow-up; return what is planned.

        It is the one that is named, else the one that the client's stage suggests.
        """
        client = await _client(request, client_id)
        api, agent_id = context_of(request), request.user.agent_id
        sequences = await sequences_of(api.database, agent_id)
        sequence = sequences.chosen(data.sequence if data else None, client.stage)
        require_writable(client, sequence.stages if sequence else ())
        zone = client.time_zone or await agent_time_zone(api.database, agent_id)
        command = StartPlan(
            agent_id=agent_id, client_id=client_id, time_zone=zone, sequence=sequence
        )
        await api.commands.execute(command, command_id_of(request))
        where = visible_to_caller(request) | {"client_id": client_id, "status": "pending"}
        documents = context_of(request).database["tasks"]
        pending = documents.find(where, projection_of(Task)).sort("scheduled_for", 1)
        rows = [Task.model_validate(row) async for row in pending]
        return etag_response(request, list[Task], rows, status=HTTP_201_CREATED)

    @post("/tasks", opt={MAY_BE_PENDING: True})
    async def create(self, request: ApiRequest, client_id: UUID, data: NewTask) -> Response[Task]:
        """Add one follow-up: when, unless `send_now`, and what its letter should say.

        It falls due at its date, in the sending hours, but not within a day of another one of the
        client.
        """
        scheduled_for = planned_time(
            data.scheduled_for, send_now=data.send_now, now=datetime.now(UTC)
        )
        require_writable(await _client(request, client_id))
        command_id = command_id_of(request)
        followup_id = uuid5(command_id, "followup")
        command = AddFollowup(
            agent_id=request.user.agent_id,
            client_id=client_id,
            followup_id=followup_id,
            scheduled_for=scheduled_for,
            priority=data.priority,
            personal=FollowupInstructions(instructions=data.instructions),
        )
        await context_of(request).commands.execute(command, command_id)
        task: Task = await find_visible(request, "tasks", {"_id": followup_id}, Task)
        location = {"Location": f"/api/tasks/{followup_id}"}
        return etag_response(request, Task, task, location, status=HTTP_201_CREATED)

    @post("/replied", status_code=HTTP_200_OK, opt={MAY_BE_PENDING: True})
    async def replied(
        self, request: ApiRequest, client_id: UUID, data: NewReply | None = None
    ) -> Response[Client]:
        """Record that the client has answered: follow-ups pause until the plan is resumed.

        An email that is not sent yet is withheld. SendGrid's inbound webhook does the same.
        """
        await _client(request, client_id)
        now = datetime.now(UTC)
        command = RecordReply(
            agent_id=request.user.agent_id,
            client_id=client_id,
            replied_at=data.replied_at if data and data.replied_at else now,
        )
        await context_of(request).commands.execute(command, command_id_of(request))
        return etag_response(request, Client, await _client(request, client_id))


async def _plan(request: ApiRequest, client: Client) -> Plan:
    of_client = visible_to_caller(request) | {"client_id": client.id}
    tasks = context_of(request).database["tasks"]
    # What the agent has added by itself is of no sequence.
    steps = [{"plan.sequence": {"$exists": True}}, {"followup_type": {"$in": _NEW_LEAD_TYPES}}]
    last = await tasks.find_one(of_client | {"$or": steps}, sort=[("created_at", -1)])
    begun = (last["plan"].get("sequence") or NEW_LEAD.name) if last else None
    sequences = await sequences_of(context_of(request).database, client.agent_id)
    offered = sequences.offered(client.stage)
    return Plan(
        sequence=begun,
        pending=await tasks.count_documents(of_client | {"status": "pending"}),
        paused=client.plan_paused,
        offered=offered.name if offered and offered.name != begun else None,
    )


async def _client(request: ApiRequest, client_id: UUID) -> Client:
    where = {"_id": client_id, "stage": {"$exists": True}}
    client: Client = await find_visible(request, "clients", where, Client)
    return client
