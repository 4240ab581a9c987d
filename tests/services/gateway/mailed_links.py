"""Letters in the mailbox on disk, and the tokens of the links in them."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from tests.chassis.waiting import until

LINK = re.compile(r"http://localhost:8000/(confirm|reset)\?token=(\S+)")


def letters_to(mail: Path, email: str) -> list[EmailMessage]:
    """Return the letters to the address, the oldest first."""
    files = sorted(mail.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    letters = (message_from_bytes(file.read_bytes(), policy=policy.default) for file in files)
    return [one for one in letters if email in str(one["to"])]


async def new_letter(mail: Path, email: str, after: int = 0) -> EmailMessage:
    """Wait for a letter more than so many to the address, and return it."""

    async def there() -> bool:
        return len(letters_to(mail, email)) > after

    await until(there)
    return letters_to(mail, email)[-1]


def text_of(letter: EmailMessage) -> str:
    """Return the letter's plain text."""
    part = letter.get_body(("plain",))
    assert part
    return str(part.get_content())


def token_of(letter: EmailMessage, purpose: str) -> str:
    """Return the token of the only link in the letter."""
    [(found, token)] = LINK.findall(text_of(letter))
    assert found == purpose
    return str(token)
