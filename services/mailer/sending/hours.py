"""The sending hours of each agent, and when an email may leave by them."""

from dataclasses import dataclass
from uuid import UUID

from chassis.domain.sending_hours import ALWAYS, Calendar, SendingWindow
from chassis.mongo.batch_loader import BatchLoader
from chassis.mongo.client import UuidDocument
from chassis.projections.views import View
from contracts.crm import AgentRegistered, AgentUpdated
from contracts.sending_hours import SendingHours
from services.mailer.email import Email
from services.mailer.sending.recipients import RecipientDocument


class AgentHoursDocument(UuidDocument):
    """The agent's own sending hours, if there are any, and the zone where a client has none."""

    time_zone: str
    sending_hours: SendingHours | None = None

    class Settings:
        name = "agent_hours"


def _hours(
    known: AgentHoursDocument | None, event: AgentRegistered | AgentUpdated, id_: UUID
) -> AgentHoursDocument:
    return AgentHoursDocument(
        id=event.agent_id,
        time_zone=event.personal.time_zone,
        sending_hours=event.personal.sending_hours,
    )


AGENT_HOURS = View(
    AgentHoursDocument,
    lambda event: (event.agent_id,),
    _hours,
    (AgentRegistered, AgentUpdated),
)


@dataclass(frozen=True)
class EmailHours:
    """Where it is read when an email may leave."""

    calendar: Calendar
    agents: BatchLoader[AgentHoursDocument]
    recipients: BatchLoader[RecipientDocument]

    async def window(self, email: Email) -> SendingWindow:
        """Return when the email may leave: always, if its agent is not known here.

        Then scheduler has kept to the hours.
        """
        if self.calendar.is_compressed or not (agent := await self.agents.get(email.agent_id)):
            return ALWAYS
        client = await self.recipients.get(email.client_id)
        return self.calendar.window(
            agent.sending_hours, client.time_zone if client else None, agent.time_zone
        )
