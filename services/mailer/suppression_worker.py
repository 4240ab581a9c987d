"""The worker for new suppressions: confirms each once no send to its address is in flight."""

from pymongo.asynchronous.collection import AsyncCollection

from chassis.domain.errors import TryLater
from chassis.eventlog.due_loop import Work
from chassis.mongo.client import Raw
from contracts.mailer import SuppressionEvent, suppression_ids
from services.mailer.suppression import Suppression, confirm

POLL_SECONDS = 0.2


async def confirm_suppression(
    work: Work[Suppression, SuppressionEvent], *, emails: AsyncCollection[Raw]
) -> None:
    """Append SuppressionConfirmed once the sends in flight are settled; else raise TryLater.

    A send that starts from now on reads the suppression before it calls.
    """
    suppression = work.state
    ids = {suppression.suppression_id}
    if suppression.canonical is not None:
        # Emails that 0.1.0 has queued have the id of their own spelling.
        ids.update(suppression_ids(suppression.agent_id, suppression.canonical))
    in_flight = {"state.suppression_id": {"$in": list(ids)}, "state.status": "sending"}
    if await emails.find_one(in_flight, {"_id": 1}) or await _is_sent_by_later_agent(
        suppression, emails
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
