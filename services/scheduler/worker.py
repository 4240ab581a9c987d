"""The worker for due plans: lets the next follow-up fall due."""

from functools import partial
from uuid import UUID

from chassis.domain.errors import OnHold, TryLater
from chassis.domain.sending_hours import Calendar
from chassis.eventlog.work import Work
from chassis.mongo.batch_loader import BatchLoader
from chassis.service import Service
from contracts.scheduler import FollowupEvent, Recipient
from services.scheduler.documents import AGENTS, CLIENTS, PLANS, AgentDocument, ClientDocument
from services.scheduler.plan import KnownClient, Plan, ends_at, fall_due
from services.scheduler.plan_cancellations import cancel_added


def register_due_plans(service: Service, calendar: Calendar) -> None:
    """Let follow-ups of due plans fall due; the plans of deactivated agents are on hold."""
    agents = service.loader(AGENTS)
    service.when_due(
        PLANS,
        let_fall_due,
        slots=200,
        holds=partial(is_deactivated, agents=agents),
        clients=service.loader(CLIENTS),
        agents=agents,
        calendar=calendar,
    )


async def let_fall_due(
    work: Work[Plan, FollowupEvent],
    *,
    clients: BatchLoader[ClientDocument],
    agents: BatchLoader[AgentDocument],
    calendar: Calendar,
) -> None:
    """Append FollowupDue with client and agent.

    Or cancels what was added while the client became closed or lost, or was deleted. Raises
    TryLater until both are known, and while ClientUpdated may still cancel the plan; OnHold while
    the agent is deactivated.
    """
    client = await clients.get(work.state.client_id)
    agent = await agents.get(work.state.agent_id)
    if agent is None:
        raise TryLater("the agent is not known yet")
    if agent.deactivated_at:
        raise OnHold("the agent is deactivated", holder=work.state.agent_id)
    if client is None:
        raise TryLater("the client is not known yet")
    if not (client.personal and client.stage and client.property_type):
        await work.append(cancel_added, stage=None)
        return
    if ends_at(client.stage, work.state.sequence):
        await work.append(cancel_added, stage=client.stage)
        return
    known = KnownClient(
        stage=client.stage,
        property_type=client.property_type,
        recipient=Recipient(client=client.personal, agent=agent.personal),
    )
    window = calendar.window(
        agent.personal.sending_hours, client.personal.time_zone, agent.personal.time_zone
    )
    await work.append(fall_due, client=known, calendar=calendar, window=window)


async def is_deactivated(agent_id: UUID, *, agents: BatchLoader[AgentDocument]) -> bool:
    """Return whether the agent's plans are on hold."""
    agent = await agents.get(agent_id)
    return agent is not None and agent.deactivated_at is not None
