"""The worker for the switch: confirms that sending has stopped once nothing is in flight."""

from pymongo.asynchronous.collection import AsyncCollection

from chassis.domain.errors import TryLater
from chassis.eventlog.work import Work
from chassis.mongo.client import Raw
from chassis.service import Service
from contracts.mailer import PauseSending, ResumeSending, SendingEvent
from services.mailer import reactions
from services.mailer.documents import EMAILS, SWITCHES
from services.mailer.sending.switch import Switch, confirm_stopped

POLL_SECONDS = 0.2


def register_switch(service: Service) -> None:
    """Pause and resume all sending as commands ask for."""
    service.react(PauseSending, reactions.pause_sending)
    service.react(ResumeSending, reactions.resume_sending)
    service.when_due(SWITCHES, confirm_stop, slots=1, emails=service.database[EMAILS.collection])


async def confirm_stop(work: Work[Switch, SendingEvent], *, emails: AsyncCollection[Raw]) -> None:
    """Append SendingStopped once the sends in flight are settled; else raise TryLater.

    A send that starts from now on reads the switch before it calls.
    """
    # The index is partial, and holds just these.
    if await emails.find_one({"state.status": "sending"}, {"_id": 1}, hint="sending"):
        raise TryLater("an email is in flight", after=POLL_SECONDS)
    await work.append(confirm_stopped)
