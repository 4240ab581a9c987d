"""An outgoing letter as tests need it: plausible, except for what they override."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from contracts.composer import Letter
from contracts.links.opt_out import OptOutTokens
from services.mailer.letters.endings import Endings
from services.mailer.transports.headers import Sender
from services.mailer.transports.transport import Ending, OutgoingLetter

SENDER = "noreply@realtoros.example"
SENT_FROM = Sender(f"RealtorOS <{SENDER}>")
TOKENS = OptOutTokens({"1": "only-for-tests-only-for-tests-only"})
ENDINGS = Endings(TOKENS, "https://realtoros.example/", "RealtorOS, 1 Main Street")
ENDING = Ending(
    opt_out_url=f"https://realtoros.example/u/{'aB-_9' * 50}",
    postal_address="Reed & Co\n1 Main Street\nSpringfield, IL 62701",
    disclosure="Licensed in Illinois, no. 471.000000",
)


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


def to_client(*follows: UUID, ending: Ending = ENDING, **letter: Any) -> OutgoingLetter:
    """Return a letter as it goes to a client: with its ending, after the letters before it."""
    return replace(outgoing(**letter), ending=ending, follows=follows)
