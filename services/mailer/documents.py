"""What mailer stores: its aggregates, and views of clients, recipients and agents."""

from typing import ClassVar
from uuid import UUID

from pymongo import IndexModel

from chassis.eventlog.aggregate import DUE, Aggregate, StateDocument
from chassis.eventlog.waiting import waiting_index
from chassis.inbox.stash import StashDocument
from chassis.mongo.client import UuidDocument
from chassis.mongo.daily_limit import DailyPlacesDocument
from chassis.projections.views import View
from chassis.recovery.persistence import Store
from contracts.crm import AgentDeactivated, AgentReactivated, ClientDeleted, ClientReassigned
from contracts.mailer import AlertEvent, EmailEvent, SendingEvent, SuppressionEvent
from contracts.message import Time
from contracts.notices import NoticeEvent
from services.mailer import alert, email, notice, suppression
from services.mailer.sending import switch
from services.mailer.sending.hours import AGENT_HOURS
from services.mailer.sending.recipients import RECIPIENTS


class EmailDocument(StateDocument[email.Email]):
    """An email's state."""

    class Settings:
        name = "emails"
        indexes: ClassVar = [
            DUE,
            IndexModel(
                [("state.suppression_id", 1)],
                name="sending",
                partialFilterExpression={"state.status": "sending"},
            ),
            IndexModel(
                [("state.former_agents", 1)],
                name="sending_after_reassignment",
                partialFilterExpression={
                    "state.status": "sending",
                    "state.former_agents": {"$exists": True},
                },
            ),
            waiting_index("queued", "sending"),
            IndexModel(
                [("state.client_id", 1)],
                name="sent_letters",
                partialFilterExpression={
                    "state.status": "sent",
                    "state.started_at": {"$exists": True},
                },
            ),
        ]


class SuppressionDocument(StateDocument[suppression.Suppression]):
    """A suppression's state; its id follows from the agent and the address."""

    class Settings:
        name = "suppressions"
        indexes: ClassVar = [
            DUE,
            IndexModel(
                [("state.canonical", 1)],
                name="by_address",
                partialFilterExpression={"state.canonical": {"$exists": True}},
            ),
        ]


class AlertDocument(StateDocument[alert.Alert]):
    """An alert's state."""

    class Settings:
        name = "alerts"
        indexes: ClassVar = [DUE]


class NoticeDocument(StateDocument[notice.Notice]):
    """A notice's state."""

    class Settings:
        name = "notices"
        indexes: ClassVar = [DUE]


class SwitchDocument(StateDocument[switch.Switch]):
    """The state of the one switch of all sending."""

    class Settings:
        name = "switches"
        indexes: ClassVar = [DUE]


class ClientDocument(UuidDocument):
    """A client that was deleted or reassigned; nothing may be sent to it, or in another's name.

    `agent_id`: whose it is since it was reassigned.
    """

    deleted_at: Time | None = None
    agent_id: UUID | None = None

    class Settings:
        # Up to 0.1.0 it held deletions only.
        name = "deleted_clients"


class InactiveAgentDocument(UuidDocument):
    """An agent who is deactivated while `deactivated_at` is set, and was once otherwise."""

    deactivated_at: Time | None = None

    class Settings:
        name = "inactive_agents"


EMAILS = Aggregate[email.Email, EmailEvent]("email", EmailDocument, email.evolve)
SUPPRESSIONS = Aggregate[suppression.Suppression, SuppressionEvent](
    "suppression", SuppressionDocument, suppression.evolve
)
ALERTS = Aggregate[alert.Alert, AlertEvent]("alert", AlertDocument, alert.evolve)
NOTICES = Aggregate[notice.Notice, NoticeEvent]("notice", NoticeDocument, notice.evolve)
SWITCHES = Aggregate[switch.Switch, SendingEvent]("sending", SwitchDocument, switch.evolve)


def _client(
    known: ClientDocument | None, event: ClientDeleted | ClientReassigned, id_: UUID
) -> ClientDocument:
    client = known or ClientDocument(id=event.client_id)
    change: dict[str, object] = (
        {"deleted_at": event.deleted_at}
        if isinstance(event, ClientDeleted)
        else {"agent_id": event.agent_id}
    )
    changed: ClientDocument = client.model_copy(update=change)
    return changed


CLIENTS = View(
    ClientDocument,
    lambda event: (event.client_id,),
    _client,
    (ClientDeleted, ClientReassigned),
)


def _activity(
    known: InactiveAgentDocument | None, event: AgentDeactivated | AgentReactivated, id_: UUID
) -> InactiveAgentDocument:
    since = event.deactivated_at if isinstance(event, AgentDeactivated) else None
    return InactiveAgentDocument(id=event.agent_id, deactivated_at=since)


INACTIVE_AGENTS = View(
    InactiveAgentDocument,
    lambda event: (event.agent_id,),
    _activity,
    (AgentDeactivated, AgentReactivated),
)

STORE = Store(
    aggregates=(EMAILS, SUPPRESSIONS, ALERTS, NOTICES, SWITCHES),
    views=(CLIENTS, RECIPIENTS, INACTIVE_AGENTS, AGENT_HOURS),
    others=(DailyPlacesDocument, StashDocument),
)
