"""The read model of the switch that stops all emails to clients."""

from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from contracts.mailer import SENDING_ID, SendingPaused, SendingResumed, SendingStopped
from services.gateway.read_models.schemas.commands import SendingPause
from services.gateway.read_models.sending import SENDING, SendingDocument
from tests.services.gateway.client_events import DAY, NOON
from tests.services.gateway.read_models.histories import folded

pytestmark = pytest.mark.usefixtures("declared")
ADA, BEN = uuid4(), uuid4()
PAUSED = SendingPaused(agent_id=ADA, paused_at=NOON, reason="Look first")
STOPPED = SendingStopped(agent_id=ADA, stopped_at=NOON + DAY)
RESUMED = SendingResumed(agent_id=BEN, resumed_at=NOON + 2 * DAY)


@pytest.mark.parametrize(
    ("events", "state", "reason", "since", "by"),
    [
        ((PAUSED,), "pausing", "Look first", NOON, ADA),
        ((PAUSED, STOPPED), "paused", "Look first", NOON, ADA),
        ((PAUSED, STOPPED, RESUMED), "active", None, NOON + 2 * DAY, BEN),
        ((PAUSED, RESUMED), "active", None, NOON + 2 * DAY, BEN),
        ((PAUSED, RESUMED, PAUSED), "pausing", "Look first", NOON, ADA),
    ],
)
def test_the_switch_shows_its_last_order(
    events: Any, state: str, reason: str | None, since: Any, by: Any
) -> None:
    switch: SendingDocument = folded(SENDING, SENDING_ID, events)
    assert (switch.state, switch.reason, switch.since, switch.by) == (state, reason, since, by)


@pytest.mark.parametrize(
    "reason", ["", "  ", "x" * 201, "two\nlines", "two\u2028lines", "a\0b", "\u202eesrever"]
)
def test_a_reason_is_one_line_of_plain_text(reason: str) -> None:
    with pytest.raises(ValidationError, match="reason"):
        SendingPause(reason=reason)


def test_a_reason_may_be_in_any_script() -> None:
    assert SendingPause(reason=" می‌خواهم 👩‍💼 ").reason == "می‌خواهم 👩‍💼"
