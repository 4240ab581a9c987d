"""What a cell holds of addresses and telephone numbers, however it is written. Pure."""

import re
from typing import Final

from email_validator import EmailNotValidError, validate_email

from services.gateway.leads.vocabulary import excerpt

# RFC 5321, 4.5.3.1.3: a path has 256 characters, two of which are brackets.
MAX_EMAIL = 254
# Google writes several values into one cell this way.
_SEVERAL: Final = ":::"
_EMAIL = re.compile(r"[^\s<>()\[\],;:\"“”|]+@[^\s<>()\[\],;:\"“”|]+")


def emails_in(cell: str) -> tuple[list[str], str]:
    """Return the addresses in a cell as the API would store them; else why there is none.

    `Ann <a@x.example>`, `a@x.example; b@x.example` and `mailto:` are understood.
    """
    found, reason = [], f"“{excerpt(cell)}” is no email address"
    for text in (cell, *_EMAIL.findall(cell)):
        if len(text) > MAX_EMAIL:
            continue
        try:
            found.append(validate_email(text.rstrip("."), check_deliverability=False).normalized)
        except EmailNotValidError as error:
            if "@" in text:
                reason = f"“{text}” is no email address: {error}"
        if text is cell and found:
            break
    return found, reason


def split(cell: str) -> list[str]:
    """Return the values of a cell: several only where its writer says so."""
    return [part for value in cell.split(_SEVERAL) if (part := value.strip())]
