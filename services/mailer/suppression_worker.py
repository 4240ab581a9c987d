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
    if await emails.find_one(in_flight, {"_id": 1}):
        raise TryLater("an email to the address is in flight", after=POLL_SECONDS)
    await work.append(confirm)
