"""A parcel as tests need it: plausible, but for what they say."""

from typing import Any
from uuid import uuid4

from contracts.composer import Letter
from services.mailer.transports.transport import Parcel


def parcel(attempt: int = 1, **letter: Any) -> Parcel:
    plain: dict[str, Any] = {
        "to_name": "Maria Lopez",
        "to_email": "maria@mail.example",
        "from_name": "Dana Reed",
        "subject": "Hello",
        "body": "Hi Maria,\n\nhow are you?",
    }
    return Parcel(uuid4(), attempt, Letter(**plain | letter), {"email_id": "e1", "attempt": "1"})
