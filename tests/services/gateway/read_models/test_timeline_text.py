"""Words: every event of a client in a sentence that a person understands."""

from typing import Any
from uuid import uuid4

import pytest

from contracts.mailer import EmailBounced, EmailHeld, SendAttemptFailed
from contracts.message import Message
from services.gateway.read_models.timeline import TIMELINE
from services.gateway.read_models.timeline_text import SENTENCES, describe
from tests.contracts.samples import SAMPLES
from tests.services.gateway.client_events import DAY, NOON, Story

STORY = Story(uuid4(), uuid4())
MAIL: dict[str, Any] = STORY._mail(0)


def said(event: Message, followup: str | None = "Day 1") -> str:
    return describe(type(event).__name__, event.model_dump(exclude={"personal"}), followup)


@pytest.mark.parametrize("type_", TIMELINE.types, ids=lambda type_: type_.__name__)
def test_there_are_words_for_every_event_of_a_client(type_: type[Message]) -> None:
    assert type_.__name__ in SENTENCES, (
        f"say in timeline_text.py what {type_.__name__} means to an agent"
    )
    [sample] = [sample for sample in SAMPLES if type(sample) is type_]
    assert said(sample)


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (STORY.planned(), "5 follow-ups were planned"),
        (STORY.due(0, 1), "Follow-up Day 1 is due"),
        (STORY.moved(0, 2), "Follow-up Day 1 was moved to Mon 2 Feb 2026, 12:00 UTC"),
        (STORY.cancelled(0, 1), "Follow-up Day 1 was cancelled: you decided so"),
        (
            STORY.cancelled_when_due(0, 1, "unsubscribed"),
            "Follow-up Day 1 is not to be sent any more: the client opted out",
        ),
        (
            STORY.draft_postponed(0, 1, until=2),
            (
                "Follow-up Day 1 waits to be written until Mon 2 Feb 2026, 12:00 UTC: "
                "the day's limit is reached"
            ),
        ),
        (
            STORY.withdrawn(0, 1, "plan_paused"),
            "Email was withdrawn: the follow-ups are paused",
        ),
        (STORY.not_composed(0, 1), "Follow-up Day 1 was not written: no text"),
        (STORY.opened(0, 3), "Email was opened"),
        (STORY.failed(0, 3), "Email was not sent: refused"),
        (
            STORY.withheld(0, 3),
            "Email was held back: this address must not be written to any more",
        ),
        (EmailBounced(**MAIL, at=NOON), "Email bounced: no reason was given"),
        (
            EmailHeld(**MAIL, attempt=1, error="no {answer}", held_at=NOON),
            "Whether the email was sent is for you to settle: no {answer}",
        ),
        (
            SendAttemptFailed(
                **MAIL, attempt=1, error="busy", failed_at=NOON, retry_at=NOON + DAY / 24
            ),
            "Email could not be sent, next try Sat 31 Jan 2026, 13:00 UTC: busy",
        ),
    ],
)
def test_a_sentence_tells_what_the_event_does(event: Message, sentence: str) -> None:
    assert said(event) == sentence


def test_a_follow_up_that_is_not_known_has_no_name() -> None:
    assert said(STORY.due(0, 1), None) == "A follow-up is due"


def test_a_type_without_words_gives_its_name() -> None:
    assert describe("PlanSomehowChanged", {"why": None}, None) == "Plan somehow changed"
