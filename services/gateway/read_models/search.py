"""What clients are found by: words without case and accents, and digits of phones.

A term is what an index entry holds and a query gives the beginning of. So that the middle of a word
is found, too, a word is stored from each of its parts on: `mary-jane` as `mary-jane` and `jane`,
`pat@mail.example` also as `mail.example`; digits of a phone from each of them on.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from contracts.addresses import canonical_address

# Letters that Unicode does not decompose into one of the alphabet and a mark.
_LETTERS: Final = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "\u0131": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
_APOSTROPHES: Final = re.compile("['\u2018\u2019\u201b\u02bb\u02bc\u02b9\u2032\u00b4`\uff07]")
_WORD: Final = re.compile(r"[^\s,;]+")
_PART: Final = re.compile(r"[^\W_]+")
# What separates words in a query, which need not be written as the stored text is.
_GAP: Final = re.compile(r"[\s,;/()\-\u2010-\u2015\u2212]+")
# Digits as phones are written, and an extension; few of them are words, such as a house number.
_PHONE: Final = re.compile(
    r"(?<![\w@.])([+(]?\d[\d\s().\-/\u2010-\u2015]*\d)"
    r"(?:\s*(?:x|ext\.?|#)\s*\d+)?(?![\w@])",
    re.IGNORECASE,
)
LEAST_PHONE_DIGITS: Final = 7
# Without codes of countries and trunks, which one writes and another leaves out.
SIGNIFICANT_DIGITS: Final = 9
LONGEST_CODE: Final = 3
LEAST_DIGITS: Final = 4
MOST_DIGITS: Final = 20
LONGEST_QUERY: Final = 200
# MongoDB refuses NUL in a pattern.
NO_NUL: Final = r"^[^\x00]*$"
# So many parts of one word are found by themselves.
MOST_PARTS: Final = 8


def client_terms(
    name: str | None, email: str | None, address: str | None, phone: str | None
) -> list[str]:
    """Return the terms by which a client is found, without what another of them begins with.

    An email address is always one of them, by which duplicates are found.
    """
    texts = [name, address]
    emails = [email, canonical_address(email)] if email else []
    if email:
        texts += [*emails, email.rpartition("@")[2]]
    words = (term for text in texts if text for term in _terms(text))
    whole = {search_key(one) for one in emails}
    terms = sorted({*words, *_phone_terms(phone or "")})
    return [
        term
        for term, following in pairwise([*terms, ""])
        if term in whole or not following.startswith(term)
    ]


def search_key(word: str) -> str:
    """Return the term of a whole word, such as an email address."""
    return next(_terms(word), "")


def query_terms(text: str) -> list[tuple[str, ...]]:
    """Return for each word of a query the terms that it may give the beginning of; one is enough.

    Digits may be a phone, in another spelling, or a word as it stands, such as a postal code.
    """
    phones = []

    def take(found: re.Match[str]) -> str:
        written = found.group(1)
        if len(_digits(written)) < LEAST_PHONE_DIGITS:
            return found.group()
        as_word = [] if _GAP.search(written.replace("-", "")) else [search_key(written)]
        phones.append(tuple(dict.fromkeys([*_numbers(written), *as_word])))
        return " "

    rest = _PHONE.sub(take, text)
    return phones + [(key,) for word in _GAP.split(rest) if (key := search_key(word))]


def _numbers(written: str) -> Iterator[str]:
    """Yield the digits without what others may leave out: a country's code, or a trunk's zero."""
    digits = _digits(written)
    yield digits[-SIGNIFICANT_DIGITS:]
    international = digits.removeprefix("00")
    if written.startswith("+") or len(international) < len(digits):
        # Longer ones are found by their last digits.
        yield from (
            national
            for code in range(1, LONGEST_CODE + 1)
            if LEAST_PHONE_DIGITS <= len(national := international[code:]) < SIGNIFICANT_DIGITS
        )
    elif digits.startswith("0"):
        yield digits.lstrip("0")


def _terms(text: str) -> Iterator[str]:
    """Yield each word of the text from each of its parts on, the whole word first."""
    for word in _WORD.findall(_folded(text)):
        parts = list(_PART.finditer(word))
        for part in parts[:MOST_PARTS]:
            yield word[part.start() : parts[-1].end()].replace("'", "")


def _phone_terms(text: str) -> Iterable[str]:
    digits = _digits(text)[:MOST_DIGITS]
    return (digits[start:] for start in range(max(0, len(digits) - LEAST_DIGITS + 1)))


def _digits(text: str) -> str:
    return "".join(str(int(one)) for one in text if one.isdecimal())


def _folded(text: str) -> str:
    """Return the text without case, accents and ligatures, and with one kind of apostrophe."""
    text = _APOSTROPHES.sub("'", text)
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(one for one in decomposed if not unicodedata.combining(one))
    return bare.translate(_LETTERS)
