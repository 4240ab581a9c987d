"""An alert: the admin is told, by email and once, of a follow-up that a person has to see to."""

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
    """What the admin is told. While `started`, nobody knows whether the provider took it."""

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
    """Give the id of the alert that this failure raises."""
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
    """Tell the admin of a failure."""
    if alert:
        raise Refused("this failure has raised an alert already")
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
    """Begin the next attempt."""
    if alert.status != "raised":
        raise Refused(f"the alert is {alert.status}")
    return [AlertStarted(**_about(alert), attempt=alert.attempt + 1, started_at=given.now)]


def sent(alert: Alert, given: Given) -> list[AlertEvent]:
    """The provider took it."""
    _require_started(alert)
    return [AlertSent(**_about(alert), sent_at=given.now)]


def fail_attempt(
    alert: Alert, given: Given, *, failure: CallFailed, policy: RetryPolicy
) -> list[AlertEvent]:
    """The provider refused it. Another attempt later, or none: no alert is about an alert."""
    _require_started(alert)
    retry_at = policy.next(alert.attempt, failure, given.now)
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
