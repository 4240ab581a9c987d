"""The read model of suppressions: the addresses that an agent must not write to."""

from collections.abc import Iterable
from typing import ClassVar, get_args
from uuid import UUID

from pymongo import IndexModel

from chassis.mongo.client import UuidDocument
from chassis.projections.views import View
from contracts.mailer import (
    AddressResubscribed,
    AddressSuppressed,
    OptOutReason,
    SuppressionConfirmed,
    SuppressionReason,
    SuppressionReleased,
)
from contracts.message import Time

SuppressionSource = (
    AddressSuppressed | SuppressionConfirmed | AddressResubscribed | SuppressionReleased
)
OPT_OUTS: tuple[OptOutReason, ...] = get_args(OptOutReason)


class SuppressionDocument(UuidDocument):
    """A suppression. One that does not hold any more has no reason, and no list shows it."""

    agent_id: UUID
    client_id: UUID | None = None
    email: str | None = None
    reason: SuppressionReason | None = None
    source: str | None = None
    suppressed_at: Time | None = None
    confirmed_at: Time | None = None

    class Settings:
        name = "suppressions"
        indexes: ClassVar = [
            IndexModel([("agent_id", 1), ("reason", 1), ("suppressed_at", -1), ("_id", 1)]),
        ]


def project_suppression(
    previous: SuppressionDocument | None, event: SuppressionSource, id_: UUID
) -> SuppressionDocument:
    """Fold a suppression's event."""
    known = previous or SuppressionDocument(id=id_, agent_id=event.agent_id)
    match event:
        case AddressSuppressed():
            return SuppressionDocument(
                id=id_,
                agent_id=event.agent_id,
                client_id=event.reported_client,
                email=event.personal.email,
                reason=event.reason,
                source=event.source,
                suppressed_at=event.suppressed_at,
            )
        case SuppressionConfirmed():
            confirmed: SuppressionDocument = known.model_copy(
                update={"confirmed_at": event.confirmed_at}
            )
            return confirmed
        case AddressResubscribed() if known.reason not in OPT_OUTS:
            return known
    return SuppressionDocument(id=id_, agent_id=event.agent_id)


def _of_address(event: SuppressionSource) -> Iterable[UUID]:
    return (event.suppression_id,)


SUPPRESSIONS = View(
    SuppressionDocument, _of_address, project_suppression, get_args(SuppressionSource)
)
