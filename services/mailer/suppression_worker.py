"""What mailer does for a new suppression: say that it holds, once nothing is under way any more."""

from pymongo.asynchronous.collection import AsyncCollection

from chassis.domain.errors import TryLater
from chassis.eventlog.due_loop import Work
from chassis.mongo.client import Raw
from contracts.mailer import SuppressionEvent
from services.mailer.suppression import Suppression, confirm

LOOK_SECONDS = 0.2


async def confirm_suppression(
    work: Work[Suppression, SuppressionEvent], *, emails: AsyncCollection[Raw]
) -> None:
    """Wait for the answers to what was begun before, then append SuppressionConfirmed.

    What is begun from now on reads the suppression before it calls.
    """
    under_way = {"state.suppression_id": work.state.suppression_id, "state.status": "sending"}
    if await emails.find_one(under_way, {"_id": 1}):
        raise TryLater("an email to the address is under way", after=LOOK_SECONDS)
    await work.append(confirm)
