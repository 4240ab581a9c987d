"""What a language model leaves in a letter: placeholders, refusals, remarks, what it was told."""

from collections.abc import Iterator

from services.composer.guard.letter_text import LetterText, Match, first_matches
from services.composer.guard.pattern_files import load

_IN_ALL = load("leftovers")
_IN_BODY = load("remarks")


def matches(letter: LetterText) -> Iterator[Match]:
    """Yield placeholders, refusals and leaks of the whole letter, and remarks of the body."""
    yield from first_matches(_IN_ALL, letter.all)
    yield from first_matches(_IN_BODY, letter.body)
