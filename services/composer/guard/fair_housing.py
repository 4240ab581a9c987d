"""Preference, limitation or steering by a protected class (Fair Housing Act, 42 U.S.C. 3604(c)).

Race, colour, religion, sex, disability, family status, national origin; also source of income,
age, orientation, which states and cities protect; and the words that steer in their place: safe,
good schools, the right kind of people. What describes a building is licensed: "family room",
"walk-in closet", "white kitchen" (HUD's memorandum of 9 January 1995).
"""

import re
from collections.abc import Iterator

from services.composer.guard.letter_text import LetterText, Match
from services.composer.guard.pattern_files import load

# All in small letters: without regard to them a choice of words takes three times as long.
_PATTERNS = dict(load("fair_housing", re.MULTILINE))
_ABBREVIATED = re.compile(r"\b(St|Mt|Dr|Mr|Mrs|Ms)\.")
_SENTENCES = re.compile(r"[^.!?\n]+(?:[.!?](?=\w)[^.!?\n]*)*")


def matches(letter: LetterText) -> Iterator[Match]:
    """Yield what prefers, limits or steers people by what they are."""
    # The patterns are many: most sentences have no word that any of them needs.
    for sentence in _SENTENCES.findall(_ABBREVIATED.sub(r"\1", letter.prose)):
        small = sentence.lower()
        if _PATTERNS["needs"].search(small) and (found := _PATTERNS["fair_housing"].search(small)):
            yield "fair_housing", sentence[slice(*found.span())]
