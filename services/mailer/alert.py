"""An alert: one email to the admin about a follow-up that needs a person's attention."""

from datetime import timedelta
from typing import Any, Literal, assert_never
from uuid import UUID, uuid5

from chassis.domain.errors import CallFailed, Refused
from chassis.domain.retry import RetryPolicy
from chassis.domain.state import Given, State
from contracts.composer import CompositionFailed
from contracts.mailer import (
    AlertEvent,
    AlertFailed,
    AlertRaised,
    AlertSent,
    AlertStarted,
    EmailFailed,
    EmailHeld,
    Problem,
)
from contracts.message import Time, rfc3339

Failure = CompositionFailed | EmailFailed | EmailHeld


class Alert(State):
    """An alert to the admin. While `started`, it is unknown whether the provider accepted it."""

    agent_id: UUID
    client_id: UUID
    followup_id: UUID
    alert_id: UUID
    problem: Problem
    error: str
    raised_at: Time
    status: Literal["raised", "started", "sent", "failed"] = "raised"
    attempt: int = 0


def alert_id(failure: Failure) -> UUID:
    """Return the id of the alert that this failure raises."""
    return uuid5(failure.followup_id, f"{failure.wire_name} {rfc3339(_at(failure))}")


def evolve(alert: Alert | None, event: AlertEvent) -> Alert:
    """Fold an event."""
    match event:
        case AlertRaised():
            return Alert(**event.model_dump(), due_at=event.raised_at)
        case AlertStarted():
            return _next(alert, status="started", attempt=event.attempt, due_at=None)
        case AlertSent():
            return _next(alert, status="sent")
        case AlertFailed():
            status = "raised" if event.retry_at else "failed"
            return _next(alert, status=status, due_at=event.retry_at)
        case _:
            assert_never(event)


def raise_alert(alert: Alert | None, failure: Failure, given: Given) -> list[AlertEvent]:
    """Raise an alert about a failure."""
    if alert:
        raise Refused("this failure has already raised an alert")
    return [
        AlertRaised.of(
            failure,
            alert_id=alert_id(failure),
            problem=_problem(failure),
            error=failure.error,
            raised_at=given.now,
        )
    ]


def start(alert: Alert, given: Given) -> list[AlertEvent]:
    """Start the next attempt."""
    if alert.status != "raised":
        raise Refused(f"the alert is {alert.status}")
    return [AlertStarted(**_about(alert), attempt=alert.attempt + 1, started_at=given.now)]


def sent(alert: Alert, given: Given) -> list[AlertEvent]:
    """Settle the attempt: the provider accepted the alert."""
    _require_started(alert)
    return [AlertSent(**_about(alert), sent_at=given.now)]


def fail_attempt(
    alert: Alert,
    given: Given,
    *,
    failure: CallFailed,
    policy: RetryPolicy,
    waits: timedelta | None = None,
) -> list[AlertEvent]:
    """Settle the attempt: refused. Retried later, or failed: an alert raises no alert.

    `waits`: as RetryPolicy says.
    """
    _require_started(alert)
    retry_at = policy.next(alert.attempt, failure, given.now, waits=waits)
    return [
        AlertFailed(**_about(alert), error=failure.reason, failed_at=given.now, retry_at=retry_at)
    ]


def _problem(failure: Failure) -> Problem:
    match failure:
        case CompositionFailed():
            return "composition_failed"
        case EmailFailed():
            return "sending_failed"
        case EmailHeld():
            return "outcome_unknown"


def _at(failure: Failure) -> Time:
    return failure.held_at if isinstance(failure, EmailHeld) else failure.failed_at


def _about(alert: Alert) -> dict[str, Any]:
    return alert.model_dump(include={"agent_id", "client_id", "followup_id", "alert_id"})


def _require_started(alert: Alert) -> None:
    if alert.status != "started":
        raise Refused(f"the alert is {alert.status}")


def _next(alert: Alert | None, **changes: object) -> Alert:
    if alert is None:
        raise ValueError("an alert changes before it was raised")
    return alert.model_copy(update=changes)
