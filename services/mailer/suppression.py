"""A suppression: whether an agent must no longer write to an address, and since when."""

from datetime import timedelta
from typing import assert_never, get_args
from uuid import UUID

from chassis.domain.errors import Refused
from chassis.domain.state import Given, State
from contracts.addresses import canonical_address
from contracts.mailer import (
    AddressResubscribed,
    AddressSoftBounced,
    AddressSuppressed,
    OptOutReason,
    RecordDelivery,
    ReleaseSuppression,
    SuppressAddress,
    SuppressedAddress,
    SuppressionConfirmed,
    SuppressionEvent,
    SuppressionReason,
    SuppressionReleased,
    suppression_id,
)
from contracts.message import Time

OPT_OUTS: tuple[OptOutReason, ...] = get_args(OptOutReason)
# So many soft bounces within the window are as good as a bounce.
SOFT_BOUNCES, SOFT_BOUNCE_WINDOW = 3, timedelta(days=30)


class Suppression(State):
    """Withholds all emails to the address while it has a `reason`.

    Due until sends started before it are settled. `canonical` is the address; of a suppression of
    0.1.0 only its id is known. `soft_bounces` are those within the window.
    """

    agent_id: UUID
    suppression_id: UUID
    reason: SuppressionReason | None = None
    canonical: str | None = None
    reported_client: UUID | None = None
    opted_out_at: Time | None = None
    resubscribed_at: Time | None = None
    soft_bounces: tuple[Time, ...] | None = None

    @property
    def is_opt_out(self) -> bool:
        """Whether the client said no, which a bounce does not."""
        return self.reason in OPT_OUTS

    def withholds(self, email: str) -> bool:
        """Return whether emails to this address, one of whose ids it has, are withheld."""
        return self.reason is not None and self.canonical in (None, canonical_address(email))


def evolve(suppression: Suppression | None, event: SuppressionEvent) -> Suppression:
    """Fold an event."""
    known = suppression or Suppression(agent_id=event.agent_id, suppression_id=event.suppression_id)
    changes: dict[str, object]
    match event:
        case AddressSuppressed():
            changes = _suppressed_changes(known, event)
        case SuppressionConfirmed():
            if suppression is None:
                raise ValueError("a suppression is confirmed before it exists")
            changes = {"due_at": None}
        case AddressSoftBounced():
            changes = {"soft_bounces": _recent(known, event.bounced_at)}
        case AddressResubscribed():
            lifted = {"reason": None, "due_at": None} if known.is_opt_out else {}
            changes = {"resubscribed_at": event.resubscribed_at, **lifted}
        case SuppressionReleased():
            changes = {"reason": None, "due_at": None, "soft_bounces": None}
        case _:
            assert_never(event)
    return known.model_copy(update=changes)


def suppress(
    suppression: Suppression | None, report: RecordDelivery, given: Given
) -> list[SuppressionEvent]:
    """Suppress the address, or no longer, as the provider's report asks for."""
    match report.kind:
        case "bounced" | "unsubscribed" | "spam_report":
            return _suppressed(
                suppression,
                given,
                agent_id=report.agent_id,
                address=report.personal.email,
                reason=report.kind,
                reported_client=report.client_id,
                reported_at=report.at,
                source="provider",
            )
        case "soft_bounced":
            return _soft_bounced(suppression, report, given)
        case "resubscribed":
            return _resubscribed(suppression, report)
    return []


def opt_out(
    suppression: Suppression | None, command: SuppressAddress, given: Given
) -> list[SuppressionEvent]:
    """Suppress the address, whose client opted out."""
    return _suppressed(
        suppression,
        given,
        agent_id=command.agent_id,
        address=command.personal.email,
        reason=command.reason,
        reported_client=command.reported_client,
        reported_at=command.reported_at or given.now,
        source=command.source,
    )


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


def release(
    suppression: Suppression | None, command: ReleaseSuppression, given: Given
) -> list[SuppressionEvent]:
    """Allow emails to the address again. Refuses to lift an opt-out without a reason."""
    if (
        suppression is None
        or suppression.agent_id != command.agent_id
        or suppression.reason is None
    ):
        raise Refused("suppression not found", kind="not_found")
    if suppression.is_opt_out and not command.reason:
        raise Refused("the client opted out: say why they may be written to again", field="reason")
    return [
        SuppressionReleased(
            agent_id=suppression.agent_id,
            suppression_id=suppression.suppression_id,
            reason=command.reason,
            released_at=given.now,
            reported_client=suppression.reported_client,
        )
    ]


def _suppressed(
    known: Suppression | None,
    given: Given,
    *,
    agent_id: UUID,
    address: str,
    reason: SuppressionReason,
    reported_client: UUID,
    reported_at: Time,
    source: str,
) -> list[SuppressionEvent]:
    if known and not _adds_to(known, reason, reported_client, reported_at):
        return []
    return [
        AddressSuppressed(
            agent_id=agent_id,
            suppression_id=suppression_id(agent_id, address),
            reason=reason,
            suppressed_at=given.now,
            personal=SuppressedAddress(
                email=address.strip().lower(), canonical=canonical_address(address)
            ),
            reported_client=reported_client,
            reported_at=reported_at,
            source=source,
        )
    ]


def _adds_to(
    known: Suppression, reason: SuppressionReason, reported_client: UUID, reported_at: Time
) -> bool:
    """Return whether the report says more than what is known."""
    opts_out = reason in OPT_OUTS
    # SendGrid's times are whole seconds: at the same one, no means no.
    if opts_out and known.resubscribed_at and reported_at < known.resubscribed_at:
        return False
    if known.reason is None:
        return True
    if known.is_opt_out != opts_out:
        return opts_out
    return opts_out and known.reported_client not in (None, reported_client)


def _soft_bounced(
    known: Suppression | None, report: RecordDelivery, given: Given
) -> list[SuppressionEvent]:
    if known and known.reason is not None:
        return []
    address = report.personal.email
    id_ = suppression_id(report.agent_id, address)
    bounced = AddressSoftBounced(agent_id=report.agent_id, suppression_id=id_, bounced_at=report.at)
    after = evolve(known, bounced)
    if len(after.soft_bounces or ()) < SOFT_BOUNCES:
        return [bounced]
    as_bounce = report.model_copy(update={"kind": "bounced"})
    return [bounced, *suppress(after, as_bounce, given)]


def _resubscribed(known: Suppression | None, report: RecordDelivery) -> list[SuppressionEvent]:
    """Record it also where nothing is known to lift: an opt-out from before may be told later."""
    at = report.at
    if known and (
        (known.resubscribed_at and at <= known.resubscribed_at)
        or (known.opted_out_at and at <= known.opted_out_at)
    ):
        return []
    return [
        AddressResubscribed(
            agent_id=report.agent_id,
            suppression_id=suppression_id(report.agent_id, report.personal.email),
            resubscribed_at=at,
            reported_client=report.client_id,
        )
    ]


def _suppressed_changes(known: Suppression, event: AddressSuppressed) -> dict[str, object]:
    changes: dict[str, object] = {
        "reason": event.reason,
        "canonical": event.personal.canonical,
        "reported_client": event.reported_client,
        "due_at": event.suppressed_at,
    }
    if event.reason in OPT_OUTS:
        changes["opted_out_at"] = event.reported_at
    return changes


def _recent(known: Suppression, at: Time) -> tuple[Time, ...]:
    """Return the soft bounces, with this one, that are within the window up to the latest."""
    bounces = sorted((*(known.soft_bounces or ()), at))
    return tuple(each for each in bounces if each > bounces[-1] - SOFT_BOUNCE_WINDOW)
