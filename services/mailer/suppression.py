"""A suppression: an address that an agent must not write to any more."""

from uuid import UUID

from chassis.state import Given, State
from contracts.mailer import (
    AddressSuppressed,
    DeliveryKind,
    RecordDelivery,
    SuppressedAddress,
    SuppressionReason,
    suppression_id,
)

REASONS: dict[DeliveryKind, SuppressionReason] = {
    "bounced": "bounced",
    "unsubscribed": "unsubscribed",
    "spam_report": "spam_report",
}


class Suppression(State):
    """That it exists is all that matters."""

    agent_id: UUID
    reason: SuppressionReason


def evolve(suppression: Suppression | None, event: AddressSuppressed) -> Suppression:
    """Fold an event."""
    return Suppression(agent_id=event.agent_id, reason=event.reason)


def suppress(
    suppression: Suppression | None, report: RecordDelivery, given: Given
) -> list[AddressSuppressed]:
    """Suppress the address when the report means no; nothing to do when it is already."""
    reason = REASONS.get(report.kind)
    if suppression or reason is None:
        return []
    address = report.personal.email.strip().casefold()
    return [
        AddressSuppressed(
            agent_id=report.agent_id,
            suppression_id=suppression_id(report.agent_id, address),
            reason=reason,
            suppressed_at=given.now,
            personal=SuppressedAddress(email=address),
        )
    ]
