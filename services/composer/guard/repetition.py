"""Sentences that the client has read before."""

# ruff: noqa: RUF001 -- the ends of sentences in other scripts

import re
from collections.abc import Iterator

from services.composer.guard.letter_text import LetterText, Match

_SENTENCE_ENDS = re.compile(r"[.!?…。！？؟\n]+")
# Shorter ones may well come again: "Hi Maria", "I hope you are well".
_FEWEST_LETTERS = 25


def matches(letter: LetterText) -> Iterator[Match]:
    """Yield the sentences that stand in an earlier letter, too."""
    before = {key for body in letter.earlier for key, _ in _sentences(body)}
    for key, sentence in _sentences(letter.body):
        if key in before:
            yield "repetition", sentence


def _sentences(body: str) -> Iterator[tuple[str, str]]:
    for sentence in _SENTENCE_ENDS.split(body):
        key = "".join(filter(str.isalnum, sentence.casefold()))
        if len(key) >= _FEWEST_LETTERS:
            yield key, sentence
