"""A suppression: an address that an agent must no longer write to."""

from typing import assert_never
from uuid import UUID

from chassis.domain.errors import Refused
from chassis.domain.state import Given, State
from contracts.addresses import canonical_address
from contracts.mailer import (
    AddressSuppressed,
    DeliveryKind,
    RecordDelivery,
    SuppressedAddress,
    SuppressionConfirmed,
    SuppressionEvent,
    SuppressionReason,
    suppression_id,
)

SUPPRESSION_REASONS: dict[DeliveryKind, SuppressionReason] = {
    "bounced": "bounced",
    "unsubscribed": "unsubscribed",
    "spam_report": "spam_report",
}


class Suppression(State):
    """Withholds all emails to the address. Due until sends started before it are settled.

    `canonical` is the address; of a suppression of 0.1.0 only its id is known.
    """

    agent_id: UUID
    suppression_id: UUID
    reason: SuppressionReason
    canonical: str | None = None

    def is_about(self, email: str) -> bool:
        """Return whether it withholds emails to this address, one of whose ids it has."""
        return self.canonical in (None, canonical_address(email))


def evolve(suppression: Suppression | None, event: SuppressionEvent) -> Suppression:
    """Fold an event."""
    match event:
        case AddressSuppressed():
            return Suppression(
                agent_id=event.agent_id,
                suppression_id=event.suppression_id,
                reason=event.reason,
                canonical=event.personal.canonical,
                due_at=event.suppressed_at,
            )
        case SuppressionConfirmed():
            if suppression is None:
                raise ValueError("a suppression is confirmed before it exists")
            return suppression.model_copy(update={"due_at": None})
        case _:
            assert_never(event)


def suppress(
    suppression: Suppression | None, report: RecordDelivery, given: Given
) -> list[SuppressionEvent]:
    """Suppress the address when the report asks for it and it is not suppressed yet."""
    reason = SUPPRESSION_REASONS.get(report.kind)
    if suppression or reason is None:
        return []
    address = report.personal.email
    return [
        AddressSuppressed(
            agent_id=report.agent_id,
            suppression_id=suppression_id(report.agent_id, address),
            reason=reason,
            suppressed_at=given.now,
            personal=SuppressedAddress(
                email=address.strip().lower(), canonical=canonical_address(address)
            ),
        )
    ]


def confirm(suppression: Suppression, given: Given) -> list[SuppressionEvent]:
    """Confirm that nothing is sent to the address any more. Refuses to confirm twice."""
    if suppression.due_at is None:
        raise Refused("the suppression is already confirmed")
    return [
        SuppressionConfirmed(
            agent_id=suppression.agent_id,
            suppression_id=suppression.suppression_id,
            confirmed_at=given.now,
        )
    ]
