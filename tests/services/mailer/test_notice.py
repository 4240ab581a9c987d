"""A notice is sent once, until it expires; what is settled no longer holds its letter."""

from datetime import timedelta
from functools import reduce
from uuid import uuid4

import pytest

from chassis.domain.errors import CallFailed, Refused
from chassis.domain.retry import RetryPolicy
from chassis.domain.state import Given
from contracts.notices import NoticeEvent, NoticeFailed, NoticeQueued, NoticeSent, SendNotice
from services.mailer.notice import Notice, evolve, fail_attempt, queue, sent, start
from tests.services.mailer.sample_emails import AGENT, GIVEN, LETTER

POLICY = RetryPolicy(timedelta(seconds=60), 2)
SEND = SendNotice(
    agent_id=AGENT,
    notice_id=uuid4(),
    expires_at=GIVEN.now + timedelta(hours=1),
    personal=LETTER,
)
LATE = Given(SEND.expires_at, uuid4())


def folded(*events: NoticeEvent) -> Notice:
    notice = reduce(evolve, events, None)
    assert notice
    return notice


def queued() -> NoticeEvent:
    [event] = queue(None, SEND, GIVEN)
    assert isinstance(event, NoticeQueued)
    return event


def test_a_notice_is_queued_once_and_due_at_once() -> None:
    notice = folded(queued())
    assert (notice.letter, notice.due_at) == (LETTER, GIVEN.now)
    with pytest.raises(Refused, match="already"):
        queue(notice, SEND, GIVEN)


def test_a_notice_without_an_answer_is_not_sent_again() -> None:
    notice = folded(queued(), *start(folded(queued()), GIVEN))
    assert (notice.status, notice.due_at) == ("started", None)
    with pytest.raises(Refused, match="started"):
        start(notice, GIVEN)


def test_a_notice_is_sent_once_and_then_holds_no_letter() -> None:
    story = [queued(), *start(folded(queued()), GIVEN)]
    [event] = sent(folded(*story), GIVEN)
    assert isinstance(event, NoticeSent)
    assert folded(*story, event).letter is None
    with pytest.raises(Refused, match="sent"):
        sent(folded(*story, event), GIVEN)


def test_a_refused_notice_is_tried_again_and_then_given_up() -> None:
    story: list[NoticeEvent] = [queued()]
    for retry_at in (GIVEN.now + timedelta(seconds=60), None):
        story += start(folded(*story), GIVEN)
        [failed] = fail_attempt(folded(*story), GIVEN, failure=CallFailed("503"), policy=POLICY)
        assert isinstance(failed, NoticeFailed)
        story.append(failed)
        assert folded(*story).due_at == failed.retry_at == retry_at
    assert (folded(*story).status, folded(*story).letter) == ("failed", None)


def test_a_notice_whose_links_have_expired_is_not_sent() -> None:
    [failed] = start(folded(queued()), LATE)
    assert isinstance(failed, NoticeFailed)
    assert (folded(queued(), failed).status, folded(queued(), failed).due_at) == ("failed", None)
