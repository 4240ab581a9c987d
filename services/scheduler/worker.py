"""The worker for due plans: lets the next follow-up fall due."""

from datetime import timedelta

from chassis.domain.errors import TryLater
from chassis.eventlog.due_loop import Work
from chassis.mongo.batch_loader import BatchLoader
from contracts.scheduler import FollowupEvent, Recipient
from services.scheduler.documents import AgentDocument, ClientDocument
from services.scheduler.plan import CANCEL_REASONS, KnownClient, Plan, fall_due


async def let_fall_due(
    work: Work[Plan, FollowupEvent],
    *,
    clients: BatchLoader[ClientDocument],
    agents: BatchLoader[AgentDocument],
    day: timedelta,
) -> None:
    """Append FollowupDue with client and agent. Raises TryLater until both are known."""
    client = await clients.get(work.state.client_id)
    agent = await agents.get(work.state.agent_id)
    if agent is None:
        raise TryLater("the agent is not known yet")
    if client is None or not (client.personal and client.stage and client.property_type):
        raise TryLater("the client's deletion is about to cancel the plan")
    if client.stage in CANCEL_REASONS:
        raise TryLater("the client's stage is about to cancel the plan")
    known = KnownClient(
        stage=client.stage,
        property_type=client.property_type,
        recipient=Recipient(client=client.personal, agent=agent.personal),
    )
    await work.append(fall_due, client=known, day=day)
