"""What is wrong with a letter before it is sent: all findings, of all kinds."""

# ruff: noqa: RUF001 -- quotes as models write them

import unicodedata
from collections.abc import Sequence
from itertools import chain

from contracts.composer import Finding
from contracts.scheduler import Recipient
from services.composer.guard import contacts, fair_housing, leftovers, prices, repetition, shape
from services.composer.guard.letter_text import LetterText, Match
from services.composer.writer import Composition

_EXCERPT = 80
_STRAIGHT_QUOTES = str.maketrans("‘’‛“”„", "'''\"\"\"")
_CHECKS = (
    leftovers.matches,
    shape.matches,
    contacts.matches,
    prices.matches,
    fair_housing.matches,
    repetition.matches,
)


def look(composition: Composition, recipient: Recipient, earlier: Sequence[str]) -> list[Finding]:
    """Return what is wrong with the letter, the first of each kind; nothing if it can be sent.

    `earlier`: the bodies of earlier letters to this client.
    """
    letter = LetterText(
        subject=_plain(composition.subject),
        body=_plain(composition.body),
        recipient=recipient,
        earlier=[*map(_plain, earlier)],
    )
    found: dict[str, Match] = {}
    for flag, match in chain.from_iterable(check(letter) for check in _CHECKS):
        found.setdefault(flag, (flag, match))
    return [Finding(flag=flag, excerpt=text.strip()[:_EXCERPT]) for flag, text in found.values()]


def _plain(text: str) -> str:
    """Return the text as it reads: no invisible characters, one form of letters and quotes."""
    normal = unicodedata.normalize("NFKC", text).translate(_STRAIGHT_QUOTES)
    return "".join(char for char in normal if unicodedata.category(char) != "Cf")
