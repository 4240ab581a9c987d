"""The projections of agents, their sequences and clients: pure folds of their events."""

from collections.abc import Iterable
from typing import get_args
from uuid import UUID

from chassis.projections.views import View
from contracts.crm import (
    AgentRegistered,
    AgentUpdated,
    ClientDeleted,
    ClientEvent,
    ClientReassigned,
    ClientUpdated,
)
from contracts.mailer import (
    AddressResubscribed,
    AddressSuppressed,
    EmailSent,
    SuppressionReleased,
    suppression_id,
)
from contracts.scheduler import (
    ClientReplied,
    PlanPaused,
    PlanResumed,
)
from contracts.sequences import SequenceDefined, SequenceEvent
from services.gateway.read_models.documents import (
    AgentDocument,
    ClientDocument,
    ClientSuppression,
    SequenceDocument,
)
from services.gateway.read_models.search import client_terms

AgentSource = AgentRegistered | AgentUpdated
ClientSuppressionSource = AddressSuppressed | AddressResubscribed | SuppressionReleased
PlanSource = PlanPaused | PlanResumed | ClientReplied
ClientSource = ClientEvent | EmailSent | PlanSource | ClientSuppressionSource


def project_agent(previous: AgentDocument | None, event: AgentSource, id_: UUID) -> AgentDocument:
    """Return the agent."""
    return AgentDocument(id=event.agent_id, personal=event.personal)


def project_sequence(
    previous: SequenceDocument | None, event: SequenceEvent, id_: UUID
) -> SequenceDocument:
    """Return the sequence; a retired one is empty."""
    if isinstance(event, SequenceDefined):
        return SequenceDocument(
            id=id_, agent_id=event.agent_id, sequence=event.sequence, updated_at=event.defined_at
        )
    return SequenceDocument(id=id_, agent_id=event.agent_id)


def project_client(
    previous: ClientDocument | None, event: ClientSource, id_: UUID
) -> ClientDocument:
    """Fold a client's event, the latest email's or reply's time, its plan's pause, its opt-out."""
    client = previous or ClientDocument(id=id_, agent_id=event.agent_id)
    match event:
        case AddressSuppressed() | AddressResubscribed() | SuppressionReleased():
            return _with_email_status(client, _client_suppression(client.suppression, event))
        case EmailSent():
            latest = max(filter(None, (client.last_contacted, event.sent_at)))
            return _updated(client, last_contacted=latest)
        case ClientReplied():
            latest = max(filter(None, (client.replied_at, event.replied_at)))
            return _updated(client, replied_at=latest)
        case PlanPaused():
            return _updated(client, plan_paused=True)
        case PlanResumed():
            return _updated(client, plan_paused=None)
        case ClientReassigned():
            return _updated(client, agent_id=event.agent_id)
    # These fields outlive a deletion: their streams may come before the client's own or after.
    from_others = client.model_dump(
        include={"id", "agent_id", "last_contacted", "plan_paused", "replied_at", "suppression"}
    )
    if isinstance(event, ClientDeleted):
        return ClientDocument(**from_others)
    details, fields = event.personal, event.personal.fields()
    changed = ClientDocument(
        **from_others,
        **fields,
        search=client_terms(details.name, details.email, details.property_address, fields["phone"]),
        stage=event.stage,
        property_type=event.property_type,
        created_at=event.created_at,
        updated_at=event.updated_at if isinstance(event, ClientUpdated) else event.created_at,
    )
    return _with_email_status(changed, changed.suppression)


def _client_suppression(
    known: ClientSuppression | None, event: ClientSuppressionSource
) -> ClientSuppression | None:
    """Return what is known of the client's address after the event."""
    match event:
        case AddressSuppressed():
            return ClientSuppression(
                suppression_id=event.suppression_id,
                told_to=event.agent_id,
                reason=event.reason,
                at=event.reported_at or event.suppressed_at,
            )
        case AddressResubscribed() if known and known.reason == "bounced":
            return known
    lifts = known and known.suppression_id == event.suppression_id
    return None if lifts else known


def _with_email_status(
    client: ClientDocument, suppression: ClientSuppression | None
) -> ClientDocument:
    """Derive what is shown: a suppression of another address than the client's present one is not.

    An address that is not known yet comes with the client's own events.
    """
    status, at = None, None
    if suppression and client.email and _is_of(suppression, client.email):
        status = suppression.reason
        at = suppression.at if status != "bounced" else None
    return _updated(client, suppression=suppression, email_status=status, unsubscribed_at=at)


def _is_of(suppression: ClientSuppression, email: str) -> bool:
    told_to = suppression.told_to
    if told_to is None:
        return False
    return suppression.suppression_id == suppression_id(told_to, email)


def _updated(client: ClientDocument, **changes: object) -> ClientDocument:
    changed: ClientDocument = client.model_copy(update=changes)
    return changed


def _of_agent(event: AgentSource) -> Iterable[UUID]:
    return (event.agent_id,)


def _of_sequence(event: SequenceEvent) -> Iterable[UUID]:
    return (event.sequence_id,)


def _of_client(event: ClientSource) -> Iterable[UUID]:
    if isinstance(event, AddressSuppressed | AddressResubscribed | SuppressionReleased):
        return (event.reported_client,) if event.reported_client else ()
    return (event.client_id,)


AGENTS = View(AgentDocument, _of_agent, project_agent, get_args(AgentSource))
SEQUENCES = View(SequenceDocument, _of_sequence, project_sequence, get_args(SequenceEvent))
CLIENTS = View(ClientDocument, _of_client, project_client, get_args(ClientSource))
