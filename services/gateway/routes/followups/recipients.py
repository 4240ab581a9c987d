"""To whom a letter goes, and in whose name, as the views have both now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from litestar.exceptions import NotFoundException

from contracts.crm import AgentProfile, ClientDetails, PersonalDetails
from contracts.notices import SendNotice, own_letter
from contracts.scheduler import Recipient
from services.gateway.errors import Conflict
from services.gateway.http.context import ApiRequest, context_of, visible_to_caller
from services.gateway.http.problem_details import NOT_FOUND
from services.gateway.read_models.documents import AgentDocument, ClientDocument, TaskDocument
from services.gateway.read_models.schemas.drafts import Draft

_TEST_FOR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Addressee:
    """To whom a letter goes and in whose name, and the client's stage and type of property."""

    recipient: Recipient
    kind: Mapping[str, Any]


async def addressees_of(
    request: ApiRequest, tasks: Sequence[TaskDocument]
) -> dict[UUID, Addressee]:
    """Return each follow-up's addressee by the follow-up's id; none where the client is deleted."""
    agent = (await _agent(request)).personal
    ids = [task.client_id for task in tasks]
    where = visible_to_caller(request) | {"_id": {"$in": ids}, "stage": {"$exists": True}}
    rows = context_of(request).database[ClientDocument.Settings.name].find(where)
    clients = {row["_id"]: ClientDocument.model_validate(row) async for row in rows}
    return {
        task.id: _addressee(task, client, agent)
        for task in tasks
        if (client := clients.get(task.client_id))
    }


async def addressee_of(request: ApiRequest, task: TaskDocument) -> Addressee:
    """Return the follow-up's addressee. Raises NotFoundException when the client was deleted."""
    found = (await addressees_of(request, [task])).get(task.id)
    if found is None:
        raise NotFoundException(NOT_FOUND)
    return found


def _addressee(task: TaskDocument, client: ClientDocument, agent: AgentProfile) -> Addressee:
    fields = client.model_dump(include=set(PersonalDetails.model_fields), exclude_none=True)
    recipient = Recipient(
        client=ClientDetails.of(fields),
        agent=agent,
        instructions=task.instructions,
        goal=task.goal,
    )
    return Addressee(recipient, {"stage": client.stage, "property_type": client.property_type})


async def test_letter_of(request: ApiRequest, draft: Draft, notice_id: UUID) -> SendNotice:
    """Return the order to send the draft's letter to the agent. Raises Conflict without one."""
    if draft.subject is None or draft.body is None:
        raise Conflict("the letter is not written yet")
    agent = (await _agent(request)).personal
    return SendNotice(
        agent_id=request.user.agent_id,
        notice_id=notice_id,
        expires_at=datetime.now(UTC) + _TEST_FOR,
        confidential=True,
        personal=own_letter(agent.email, draft.subject, draft.body),
    )


async def _agent(request: ApiRequest) -> AgentDocument:
    agents = context_of(request).database[AgentDocument.Settings.name]
    row = await agents.find_one({"_id": request.user.agent_id})
    if row is None:
        raise NotFoundException(NOT_FOUND)
    agent: AgentDocument = AgentDocument.model_validate(row)
    return agent
