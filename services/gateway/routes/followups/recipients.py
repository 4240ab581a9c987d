"""To whom a letter goes, and in whose name, as the views have both now."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from litestar.exceptions import NotFoundException

from contracts.crm import ClientDetails, PersonalDetails
from contracts.notices import SendNotice, own_letter
from contracts.scheduler import Recipient
from services.gateway.errors import Conflict
from services.gateway.http.context import ApiRequest, context_of, find_visible
from services.gateway.http.problem_details import NOT_FOUND
from services.gateway.read_models.documents import AgentDocument, ClientDocument, TaskDocument
from services.gateway.read_models.schemas.drafts import Draft

_TEST_FOR: Final = timedelta(hours=1)


async def recipient_of(
    request: ApiRequest, task: TaskDocument, instructions: str | None
) -> tuple[Recipient, dict[str, Any]]:
    """Return the client and the agent, and the client's stage and type of property.

    Raises NotFoundException when the client was deleted.
    """
    where = {"_id": task.client_id, "stage": {"$exists": True}}
    client: ClientDocument = await find_visible(request, "clients", where, ClientDocument)
    fields = client.model_dump(include=set(PersonalDetails.model_fields), exclude_none=True)
    recipient = Recipient(
        client=ClientDetails.of(fields),
        agent=(await _agent(request)).personal,
        instructions=instructions or task.instructions,
        goal=task.goal,
    )
    return recipient, {"stage": client.stage, "property_type": client.property_type}


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
