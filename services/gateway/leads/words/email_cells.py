"""The email addresses in a cell, however people write them. Pure."""

import re
import unicodedata
from typing import Final

from email_validator import EmailNotValidError, validate_email

from services.gateway.leads.words.vocabulary import LONGEST, excerpt

# RFC 5321, 4.5.3.1.3: a path has 256 characters, two of which are brackets.
MAX_EMAIL: Final = 254
_AROUND_AT: Final = re.compile(r"\s*@\s*")
_INVISIBLE: Final = re.compile(r"[\u200b-\u200f\u2060\ufeff\u00ad]")
_MORE_SEPARATORS: Final = re.compile(r"[/&]")
_EMAIL: Final = re.compile(r"[^\s<>()\[\],;:\"\u201c\u201d|]+@[^\s<>()\[\],;:\"\u201c\u201d|]+")
# What may stand around an address, and is not part of it.
_AROUND: Final = "'\u2018\u2019`\u00b4*."


def emails_in(cell: str) -> tuple[list[str], str]:
    """Return the addresses in a cell as the API would store them; else why there is none.

    `Ann <a@x.example>`, `a@x.example; b@x.example` and `mailto:` are understood.
    """
    plain = unicodedata.normalize("NFKC", cell) if len(cell) <= LONGEST else cell
    plain = _AROUND_AT.sub("@", _INVISIBLE.sub("", plain))
    reason = f"“{excerpt(cell)}” is no email address"
    # A whole cell may have signs in it that separate addresses in others.
    for texts in ([plain], _EMAIL.findall(plain), _EMAIL.findall(_MORE_SEPARATORS.sub(" ", plain))):
        found = dict[str, None]()
        for text in texts:
            address, why_not = _address(text)
            if address:
                found[address] = None
            elif "@" in text and len(text) <= MAX_EMAIL:
                reason = f"“{text}” is no email address: {why_not}"
        if found:
            return list(found), ""
    return [], reason


def _address(text: str) -> tuple[str, str]:
    """Return the address that a text is, without what stands around it, or why it is none."""
    why_not = ""
    # A quote may also be the first sign of an address.
    for one in (text, text.strip(_AROUND)):
        try:
            if len(one) <= MAX_EMAIL:
                return validate_email(one, check_deliverability=False).normalized, ""
        except EmailNotValidError as error:
            why_not = why_not or str(error)
    return "", why_not
