"""Sentences that the client has read before."""

# ruff: noqa: RUF001 -- the ends of sentences in other scripts

import re
from collections.abc import Iterable, Iterator

from services.composer.guard.letter_text import LetterText, Match

_SENTENCE_ENDS = re.compile(r"[.!?…。！？؟\n]+")
# Shorter ones may well come again: "Hi Maria", "I hope you are well".
_FEWEST_LETTERS = 25


def matches(letter: LetterText) -> Iterator[Match]:
    """Yield the sentences that stand in an earlier letter, too."""
    for sentence in repeated(letter.body, letter.earlier):
        yield "repetition", sentence


def repeated(body: str, earlier: Iterable[str]) -> list[str]:
    """Return the sentences of a letter that stand in one of the earlier ones, too."""
    before = {key for text in earlier for key, _ in _sentences(text)}
    return [sentence for key, sentence in _sentences(body) if key in before]


def _sentences(body: str) -> Iterator[tuple[str, str]]:
    for sentence in _SENTENCE_ENDS.split(body):
        key = "".join(filter(str.isalnum, sentence.casefold()))
        if len(key) >= _FEWEST_LETTERS:
            yield key, sentence
