"""A notice: one email to who has an account, or asks for one, with a link that expires."""

from datetime import timedelta
from typing import Any, Literal, assert_never
from uuid import UUID

from chassis.domain.errors import CallFailed, Refused
from chassis.domain.retry import RetryPolicy
from chassis.domain.state import Given, State
from contracts.composer import Letter
from contracts.message import Time
from contracts.notices import (
    NoticeEvent,
    NoticeFailed,
    NoticeQueued,
    NoticeSent,
    NoticeStarted,
    SendNotice,
)


class Notice(State):
    """A notice. The letter is gone once it is settled; that of a `confidential` one is stashed.

    While `started`, it is unknown whether the provider accepted it.
    """

    agent_id: UUID
    notice_id: UUID
    expires_at: Time
    letter: Letter | None = None
    confidential: Literal[True] | None = None
    status: Literal["queued", "started", "sent", "failed"] = "queued"
    attempt: int = 0


def evolve(notice: Notice | None, event: NoticeEvent) -> Notice:
    """Fold an event."""
    match event:
        case NoticeQueued():
            return Notice(
                agent_id=event.agent_id,
                notice_id=event.notice_id,
                expires_at=event.expires_at,
                letter=event.personal,
                confidential=event.confidential,
                due_at=event.queued_at,
            )
        case NoticeStarted():
            return _next(notice, status="started", attempt=event.attempt, due_at=None)
        case NoticeSent():
            return _next(notice, status="sent", letter=None)
        case NoticeFailed() if event.retry_at:
            return _next(notice, status="queued", due_at=event.retry_at)
        case NoticeFailed():
            return _next(notice, status="failed", letter=None, due_at=None)
        case _:
            assert_never(event)


def queue(notice: Notice | None, command: SendNotice, given: Given) -> list[NoticeEvent]:
    """Queue a notice, once."""
    if notice:
        raise Refused("this notice has been queued already")
    letter = command.personal
    if command.confidential:
        letter = letter.model_copy(update={"body": "", "reply_to": None})
    return [
        NoticeQueued(
            agent_id=command.agent_id,
            notice_id=command.notice_id,
            queued_at=given.now,
            expires_at=command.expires_at,
            personal=letter,
            confidential=command.confidential,
        )
    ]


def start(notice: Notice, given: Given) -> list[NoticeEvent]:
    """Start the next attempt; fail where the links of the letter have expired."""
    if notice.status != "queued":
        raise Refused(f"the notice is {notice.status}")
    if given.now >= notice.expires_at:
        return [NoticeFailed(**_about(notice), error="it has expired", failed_at=given.now)]
    return [NoticeStarted(**_about(notice), attempt=notice.attempt + 1, started_at=given.now)]


def sent(notice: Notice, given: Given) -> list[NoticeEvent]:
    """Settle the attempt: the provider accepted the notice."""
    _require_started(notice)
    return [NoticeSent(**_about(notice), sent_at=given.now)]


def fail_attempt(
    notice: Notice,
    given: Given,
    *,
    failure: CallFailed,
    policy: RetryPolicy,
    waits: timedelta | None = None,
) -> list[NoticeEvent]:
    """Settle the attempt: refused. Retried later, or failed: the link can be asked for again.

    `waits`: as RetryPolicy says.
    """
    _require_started(notice)
    retry_at = policy.next(notice.attempt, failure, given.now, waits=waits)
    return [
        NoticeFailed(**_about(notice), error=failure.reason, failed_at=given.now, retry_at=retry_at)
    ]


def _about(notice: Notice) -> dict[str, Any]:
    return {"agent_id": notice.agent_id, "notice_id": notice.notice_id}


def _require_started(notice: Notice) -> None:
    if notice.status != "started":
        raise Refused(f"the notice is {notice.status}")


def _next(notice: Notice | None, **changes: object) -> Notice:
    if notice is None:
        raise ValueError("a notice changes before it was queued")
    return notice.model_copy(update=changes)
