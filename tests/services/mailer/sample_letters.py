"""An outgoing letter as tests need it: plausible, except for what they override."""

from typing import Any
from uuid import uuid4

from contracts.composer import Letter
from services.mailer.transports.transport import OutgoingLetter


def outgoing(attempt: int = 1, **letter: Any) -> OutgoingLetter:
    plain: dict[str, Any] = {
        "to_name": "Maria Lopez",
        "to_email": "maria@mail.example",
        "from_name": "Dana Reed",
        "subject": "Hello",
        "body": "Hi Maria,\n\nhow are you?",
    }
    return OutgoingLetter(
        uuid4(), attempt, Letter(**plain | letter), {"email_id": "e1", "attempt": "1"}
    )
