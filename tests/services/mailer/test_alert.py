"""Each failure raises one alert; an alert raises none."""

from datetime import timedelta
from functools import reduce

import pytest

from chassis.domain.errors import CallFailed, Refused
from chassis.domain.retry import RetryPolicy
from contracts.composer import CompositionFailed
from contracts.mailer import AlertEvent, AlertFailed, AlertRaised, AlertSent, AlertStarted
from services.mailer.alert import (
    Alert,
    Failure,
    alert_id,
    evolve,
    fail_attempt,
    raise_alert,
    sent,
    start,
)
from services.mailer.alert_worker import _outgoing
from services.mailer.transports.envelope import fields_of
from services.mailer.transports.transport import OutgoingLetter
from tests.services.mailer.sample_emails import AGENT, CLIENT, FAILED, FOLLOWUP, GIVEN, HELD, NOON
from tests.services.mailer.sample_letters import SENT_FROM

POLICY = RetryPolicy(timedelta(seconds=60), 2)
UNWRITTEN = CompositionFailed(
    agent_id=AGENT,
    client_id=CLIENT,
    followup_id=FOLLOWUP,
    attempts=3,
    error="the model refused",
    failed_at=NOON,
)


def folded(*events: AlertEvent) -> Alert:
    alert = reduce(evolve, events, None)
    assert alert
    return alert


def raised(failure: Failure = FAILED) -> AlertRaised:
    [event] = raise_alert(None, failure, GIVEN)
    assert isinstance(event, AlertRaised)
    return event


@pytest.mark.parametrize(
    ("failure", "problem"),
    [
        (UNWRITTEN, "composition_failed"),
        (FAILED, "sending_failed"),
        (HELD, "outcome_unknown"),
    ],
)
def test_each_kind_of_failure_raises_an_alert_of_its_own(failure: Failure, problem: str) -> None:
    event = raised(failure)
    assert (event.problem, event.error, event.followup_id) == (problem, failure.error, FOLLOWUP)
    assert event.alert_id == alert_id(failure)
    assert folded(event).due_at == GIVEN.now
    later = failure.model_copy(update={"failed_at": GIVEN.now, "held_at": GIVEN.now})
    assert alert_id(later) != alert_id(failure)


def test_a_failure_raises_one_alert() -> None:
    with pytest.raises(Refused, match="already"):
        raise_alert(folded(raised()), FAILED, GIVEN)


def test_an_alert_without_an_answer_is_not_sent_again() -> None:
    [started] = start(folded(raised()), GIVEN)
    assert isinstance(started, AlertStarted)
    alert = folded(raised(), started)
    assert (alert.status, alert.due_at) == ("started", None)
    with pytest.raises(Refused, match="started"):
        start(alert, GIVEN)


def test_a_refused_alert_is_tried_again_and_then_given_up() -> None:
    story: list[AlertEvent] = [raised()]
    for retry_at in (GIVEN.now + timedelta(seconds=60), None):
        story += start(folded(*story), GIVEN)
        [failed] = fail_attempt(folded(*story), GIVEN, failure=CallFailed("503"), policy=POLICY)
        assert isinstance(failed, AlertFailed)
        assert failed.retry_at == retry_at
        story.append(failed)
        assert folded(*story).due_at == retry_at
    assert folded(*story).status == "failed"


def test_an_alert_is_sent_once() -> None:
    story = [raised(), *start(folded(raised()), GIVEN)]
    [event] = sent(folded(*story), GIVEN)
    assert isinstance(event, AlertSent)
    with pytest.raises(Refused, match="sent"):
        sent(folded(*story, event), GIVEN)


def test_an_alert_is_automatic_and_has_no_way_to_opt_out() -> None:
    letter = to_the_admin("Maria Alvarez")
    assert letter.automatic
    assert letter.ending is None
    assert fields_of(letter, SENT_FROM) == {
        "Message-ID": f"<{letter.id}@realtoros.example>",
        "Auto-Submitted": "auto-generated",
    }


def test_an_alert_names_the_client_unless_they_were_deleted() -> None:
    assert f"Client: Maria Alvarez ({CLIENT})\n" in to_the_admin("Maria Alvarez").letter.body
    assert f"Client: {CLIENT}\n" in to_the_admin(None).letter.body


def to_the_admin(client_name: str | None) -> OutgoingLetter:
    return _outgoing(
        folded(raised()), client_name, "admin@realtoros.example", "https://realtoros.example"
    )
