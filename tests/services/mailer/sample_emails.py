"""Sample data: the events of Maria's email, from queued to settled."""

from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any
from uuid import uuid4

from chassis.domain.state import Given
from contracts.composer import Letter
from contracts.mailer import (
    DeliveryKind,
    EmailEvent,
    EmailFailed,
    EmailHeld,
    EmailQueued,
    EmailSent,
    EmailWithheld,
    RecordDelivery,
    RecordedAddress,
    SendAttemptFailed,
    SendOutcomeUnknown,
    SendStarted,
    email_id,
)
from services.mailer.email import Email, evolve

AGENT, CLIENT, FOLLOWUP = uuid4(), uuid4(), uuid4()
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
GIVEN = Given(NOON + timedelta(seconds=10), uuid4())
ABOUT: dict[str, Any] = {
    "agent_id": AGENT,
    "client_id": CLIENT,
    "followup_id": FOLLOWUP,
    "email_id": email_id(FOLLOWUP),
}
LETTER = Letter(
    to_name="Maria Lopez",
    to_email="Maria@mail.example",
    from_name="Dana Reed",
    subject="Hello",
    body="Hi Maria",
)
QUEUED = EmailQueued(**ABOUT, written_by="templates", queued_at=NOON, personal=LETTER)
STARTED = SendStarted(
    **ABOUT, attempt=1, started_at=NOON, give_up_at=NOON + timedelta(seconds=50), follows=()
)
REFUSED = SendAttemptFailed(
    **ABOUT, attempt=1, error="503", failed_at=NOON, retry_at=NOON + timedelta(seconds=60)
)
STARTED_AGAIN = STARTED.model_copy(update={"attempt": 2})
SENT = EmailSent(**ABOUT, attempt=1, provider_message_id="m1", sent_at=NOON)
FAILED = EmailFailed(**ABOUT, attempts=3, error="400", failed_at=NOON)
WITHHELD = EmailWithheld(**ABOUT, reason="client_deleted", withheld_at=NOON)
UNKNOWN = SendOutcomeUnknown(
    **ABOUT,
    attempt=1,
    error="timeout",
    unknown_at=NOON,
    reconcile_at=NOON + timedelta(minutes=15),
)
HELD = EmailHeld(**ABOUT, attempt=1, error="timeout", held_at=NOON + timedelta(minutes=15))
AGAIN = QUEUED.model_copy(update={"queued_at": NOON + timedelta(minutes=20)})


def folded(*events: EmailEvent) -> Email:
    """Fold the events."""
    email = reduce(evolve, events, None)
    assert email
    return email


def report(kind: DeliveryKind, **fields: Any) -> RecordDelivery:
    """Return the provider's report of a minute after noon."""
    plain = {
        "at": NOON + timedelta(minutes=1),
        "personal": RecordedAddress(email=" MARIA@mail.example "),
    }
    return RecordDelivery(**ABOUT | plain | {"kind": kind} | fields)
