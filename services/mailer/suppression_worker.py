"""The worker for new suppressions: confirms each once no send to its address is in flight."""

from pymongo.asynchronous.collection import AsyncCollection

from chassis.domain.errors import TryLater
from chassis.eventlog.work import Work
from chassis.mongo.client import Raw
from chassis.service import Service
from contracts.addresses import canonical_address
from contracts.mailer import (
    RecordDelivery,
    ReleaseSuppression,
    SuppressAddress,
    SuppressionEvent,
    suppression_ids,
)
from services.mailer import reactions
from services.mailer.documents import EMAILS, SUPPRESSIONS
from services.mailer.settings import MailerSettings
from services.mailer.suppression import Suppression, confirm

POLL_SECONDS = 0.2


def register_suppressions(service: Service, settings: MailerSettings) -> None:
    """Suppress addresses as reports and commands ask for, and confirm each suppression."""
    service.react(RecordDelivery, reactions.suppress_address)
    service.react(SuppressAddress, reactions.opt_out)
    service.react(ReleaseSuppression, reactions.release)
    service.when_due(
        SUPPRESSIONS,
        confirm_suppression,
        slots=8,
        emails=service.database[EMAILS.collection],
        across_agents=settings.suppress_across_agents,
    )


async def confirm_suppression(
    work: Work[Suppression, SuppressionEvent],
    *,
    emails: AsyncCollection[Raw],
    across_agents: bool = False,
) -> None:
    """Append SuppressionConfirmed once the sends in flight are settled; else raise TryLater.

    A send that starts from now on reads the suppression before it calls. With `across_agents` an
    opt-out waits for the sends of all agents.
    """
    suppression = work.state
    ids = {suppression.suppression_id}
    if suppression.canonical is not None:
        # Emails that 0.1.0 has queued have the id of their own spelling.
        ids.update(suppression_ids(suppression.agent_id, suppression.canonical))
    in_flight = {"state.suppression_id": {"$in": list(ids)}, "state.status": "sending"}
    if (
        await emails.find_one(in_flight, {"_id": 1})
        or await _is_sent_by_later_agent(suppression, emails)
        or (
            across_agents
            and suppression.is_opt_out
            and await _is_sent_by_anyone(suppression, emails)
        )
    ):
        raise TryLater("an email to the address is in flight", after=POLL_SECONDS)
    await work.append(confirm)


async def _is_sent_by_later_agent(suppression: Suppression, emails: AsyncCollection[Raw]) -> bool:
    """Return whether another agent, who has the client now, is sending to the address."""
    sending = {"state.former_agents": suppression.agent_id, "state.status": "sending"}
    async for raw in emails.find(sending, {"state.personal.to_email": 1}):
        ids = suppression_ids(suppression.agent_id, raw["state"]["personal"]["to_email"])
        if suppression.suppression_id in ids:
            return True
    return False


async def _is_sent_by_anyone(suppression: Suppression, emails: AsyncCollection[Raw]) -> bool:
    """Return whether any agent is sending to the address."""
    sending = emails.find({"state.status": "sending"}, {"state.personal.to_email": 1})
    # The index is partial, and holds just these.
    async for raw in sending.hint("sending"):
        if canonical_address(raw["state"]["personal"]["to_email"]) == suppression.canonical:
            return True
    return False
