"""How a client is greeted, from what an agent has typed as the name. Pure.

A name says neither its language nor its order, and may be no person's at all. So whatever is
doubtful is not greeted by name: "Hello," is never wrong. The agent's own word for it comes first.
"""

# ruff: noqa: RUF001 -- quotes and dashes as people type them

import re
import unicodedata
from collections.abc import Sequence

from chassis.domain.plain_text import single_line
from services.composer.writers.name_words import (
    COMPOUND_STARTS,
    FOLDED_TITLES,
    NAMELESS,
    NOT_A_PERSON,
    NOT_A_PERSON_PARTS,
    PARTICLES,
    SHORT_SUFFIXES,
    STREETS,
    SUFFIXES,
)

_LONGEST = 40
_NOT_IN_NAMES = re.compile(
    r"[@{}\[\]<>%=\\$^~]|://|\bwww\.|\.(?:com|net|org|info|biz|io)\b", re.IGNORECASE
)
_ASIDE = re.compile(
    r"\([^()]*\)|\s[-–—|:]\s.*$|\s*\|.*$|\b(?:c/o|attn:?|aka|or current)\b.*$", re.IGNORECASE
)
_ATTENTION = re.compile(r"^(?:(?:attn|attention)\b[\s:.]*|(?:name|to)\s*:\s*)", re.IGNORECASE)
_NICKNAME = re.compile(r"[\"“”«]\s*([^\W\d_]+)\s*[\"“”»]")
_ORDINAL = re.compile(r"\b(?:2nd|3rd|4th)\b|\s#?\d{1,2}$", re.IGNORECASE)
_AND = re.compile(r"\s+(?:and|&|\+)\s+|\s*[&/+]\s*", re.IGNORECASE)
# Other languages' "and" also joins the two surnames of one person: "José Ortega y Gasset".
_OTHER_AND = re.compile(r"^(\S+)\s+(?:y|et|und|и|و)\s+(\S.*)$", re.IGNORECASE)
_HOUSE = re.compile(r"^(?:the\s+)?(.+?)(?<!\band)(?<![&+])\s+(?:family|household)$", re.IGNORECASE)
_HOUSE_FIRST = re.compile(r"^(?:family|familie|famille|familia|famiglia)\s+(\S.*)$", re.IGNORECASE)
_INITIAL = re.compile(r"^(?:[^\W\d_]\.?|(?:[^\W\d_]\.-?){2,3})$")
_ONE_WORD_SCRIPTS = ("CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "HANGUL")
_LETTERS_OF_INITIALS = 2
# How a greeting may begin that is a whole salutation.
_GREETS = re.compile(
    r"(?:dear|hi|hello|hey|hola|bonjour|good (?:day|morning|afternoon|evening)|to whom)\b",
    re.IGNORECASE,
)


def salutation(name: str, greeting: str | None = None) -> str:
    """Return the first line of a letter: "Hi Maria,", "Hello to the Smiths,", or "Hello,".

    `greeting`: the agent's own word for it, which is used as it is: "Dr. Núñez", "Dear Ana".
    """
    found = _own(greeting) or greeting_name(name)
    if found is None:
        return "Hello,"
    if _GREETS.match(found):
        return f"{found},"
    return f"Hello to {found}," if found.lower().startswith("the ") else f"Hi {found},"


def addressed_name(name: str, greeting: str | None = None) -> str:
    """Return the name to address the client with within a sentence, or nothing.

    "The Smiths" greets well, but does not address: "the Smiths, any questions?"
    """
    found = _own(greeting) or greeting_name(name) or ""
    return "" if found.lower().startswith("the ") or _GREETS.match(found) else found


def _own(greeting: str | None) -> str:
    return single_line(greeting or "").rstrip(" ,:!")


def greeting_name(name: str) -> str | None:
    """Return the name to greet with, or None where none is certain to be right.

    That is a first name ("Maria"), initials ("J. R."), a title with a surname ("Dr. Núñez"),
    a couple ("John and Mary"), a household ("the Smiths"), or a whole name that is written without
    spaces ("李雷").
    """
    text = _cleaned(name)
    if not text or _is_no_person(text):
        return None
    if (found := _household(text)) is None and not text.lower().startswith("the "):
        people = _people(text)
        found = _couple(people) if len(people) > 1 else _person(text)
    return found if found and len(found) <= _LONGEST else None


def _cleaned(name: str) -> str | None:
    """Return the name without asides; None when there are signs that no name has."""
    text = single_line(unicodedata.normalize("NFC", name))
    if _NOT_IN_NAMES.search(text):
        return None
    if nickname := _NICKNAME.search(text):
        return nickname[1]
    text = _ASIDE.sub("", _ATTENTION.sub("", text.strip("\"“”«»'’")))
    text = _ORDINAL.sub("", text).strip(" ,;:!?-–—*_\"'’")
    return None if any(map(str.isdigit, text)) else text


def _folded(word: str) -> str:
    return word.casefold().replace(".", "").strip(",;:!?\"“”()'’")


def _is_no_person(text: str) -> bool:
    words = [*filter(None, map(_folded, text.replace("/", " ").split()))]
    return (
        not words
        or not NAMELESS.isdisjoint((text.casefold(), " ".join(words)))
        or NAMELESS.issuperset(words)
        or not NOT_A_PERSON.isdisjoint(words)
        or any(part in text for part in NOT_A_PERSON_PARTS)
        or (words[-1] in STREETS and len(words) > 1)
        or words[0] in {"team", "late"}
        or (words[0] != "the" and bool(re.search(r"['’][sS]\b", text)))
    )


def _household(text: str) -> str | None:
    """Read "The Smiths", "Smith Family", "Familie Müller"."""
    if found := _HOUSE_FIRST.match(text) or _HOUSE.match(text):
        return None if _AND.search(found[1]) else f"the {_cased(found[1].split()[-1], text)} family"
    first, _, rest = text.partition(" ")
    # A frequent way to write the plural.
    name = re.sub(r"['’]s$", "s", rest)
    if first.lower() == "the" and name.lower().endswith("s") and not _AND.search(name):
        return "the " + " ".join(_cased(word, text) for word in name.split())
    return None


def _people(text: str) -> list[str]:
    """Split the names of several people."""
    if other := _OTHER_AND.match(text):
        return [other[1], other[2]]
    return [*filter(None, _AND.split(text))]


def _couple(people: Sequence[str]) -> str | None:
    """Read "John & Mary Smith", "Smith, John and Mary", "Mr. and Mrs. Smith"."""
    if _folded(people[0]) in FOLDED_TITLES:
        return _couple_by_titles(people)
    if "," in people[0] and "," not in people[-1] and len(people[-1].split()) > 1:
        # Two people and a surname first, or three people: it cannot be told.
        return None
    names = ["family" if _folded(one) == "family" else _person(one) for one in people]
    known = [name for name in names if name]
    if len(set(known)) < len(people):
        return None
    return ", ".join(known[:-1]) + f" and {known[-1]}"


def _couple_by_titles(people: Sequence[str]) -> str | None:
    """Read "Mr. and Mrs. [John] Smith"."""
    titles, names = _without_titles(people[-1].split())
    if not titles or not names:
        return None
    first = FOLDED_TITLES[_folded(people[0])]
    return f"{first} and {titles[-1]} {_cased(names[-1], people[-1])}"


def _person(text: str) -> str | None:
    """Read one person's name, first or last name first; None if no part is certain to be right."""
    if "," in text:
        last, _, given = text.partition(",")
        given = ", ".join(p for p in given.split(",") if not _is_suffix_only(p)).strip()
        if given:
            return _last_name_first(last, given, text)
        text = last
    titles, words = _without_titles(text.split())
    given_name: str | None = None
    words = [word for word in words if any(map(str.isalpha, word))]
    while len(words) > 1 and _is_suffix(words[-1]):
        words.pop()
    alone = len(words) == 1
    if not (titles and alone):
        given_name = _given(words, text, surname=not alone)
    if given_name is None and titles and words:
        return f"{' '.join(titles)} {_cased(words[-1], text)}"
    return given_name


def _last_name_first(last: str, given: str, text: str) -> str | None:
    """Read "Lopez, Maria". Not what may be "Maria Lopez, Austin"."""
    words = [word for word in last.split() if not _is_suffix(word)]
    if len(words) > 1 and _folded(words[0]) not in PARTICLES:
        return None
    if "," in given:
        return None
    titles, names = _without_titles(given.split())
    if not names:
        # "Smith, Dr."
        return f"{' '.join(titles)} {_cased(words[0], text)}" if titles and words else None
    return _given([name for name in names if not _is_suffix(name)], text, surname=False)


def _given(words: Sequence[str], text: str, *, surname: bool) -> str | None:
    """Return the given name; `surname`: the last word is one."""
    if not words:
        return None
    if _is_written_without_spaces(words[0]):
        return "".join(word for word in words if _is_written_without_spaces(word))
    initials = []
    for word in words:
        if not _INITIAL.match(word):
            break
        initials.append(word.upper())
    if sum(map(str.isalpha, "".join(initials))) >= _LETTERS_OF_INITIALS:
        return " ".join(initials)
    rest = [word.strip(".,;:!?*_\"“”'’") for word in words[len(initials) :]]
    if not rest or (initials and surname and len(rest) == 1):
        return None
    return _first_of(rest, text)


def _first_of(words: Sequence[str], text: str) -> str | None:
    """Return the first of the words, or the first two where one alone is no name."""
    first = _folded(words[0])
    if first in PARTICLES and words[0].islower() and not text.islower():
        return None
    if first in COMPOUND_STARTS:
        return f"{_cased(words[0], text)} {_cased(words[1], text)}" if len(words) > 1 else None
    return _cased(words[0], text)


def _without_titles(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the titles before a name, as they are written before a surname, and the name."""
    count = 0
    while count < len(words) and _folded(words[count]) in FOLDED_TITLES:
        count += 1
    return [FOLDED_TITLES[_folded(word)] for word in words[:count]], list(words[count:])


def _is_suffix(word: str) -> bool:
    """Return whether it is "Jr." or "MD". "Ma" and "Do" are names, "MA" and "D.O." are not."""
    folded = _folded(word)
    if folded in SHORT_SUFFIXES:
        return word.strip(",").isupper() or "." in word
    return folded in SUFFIXES


def _is_suffix_only(part: str) -> bool:
    return all(map(_is_suffix, part.split()))


def _is_written_without_spaces(word: str) -> bool:
    return all(
        unicodedata.name(char, "").startswith(_ONE_WORD_SCRIPTS) for char in word if char.isalpha()
    ) and any(map(str.isalpha, word))


def _cased(word: str, text: str) -> str:
    """Return a word of the name `text` with a capital, when all of it is in one case."""
    letters = [char for char in word if char.isalpha()]
    shouted = word.isupper() and not _is_short_form(word, text) and len(letters) > 1
    if not (shouted or word.islower()):
        return word
    # Not letters alone: the small form of "İ" has a mark between its letters.
    cased = re.sub(r"[^\W\d_][^\s'’.-]*", _capitalized, word.lower())
    return unicodedata.normalize("NFC", cased)


def _capitalized(part: re.Match[str]) -> str:
    word = part[0]
    if word.startswith("mc") and len(word) > len("mc") + 1:
        return "Mc" + word[2:].capitalize()
    return word.capitalize()


def _is_short_form(word: str, text: str) -> bool:
    """Return whether capitals are right: "TJ", "AJ"; "JR" among words with small letters."""
    if len(word) > _LETTERS_OF_INITIALS:
        return False
    return not text.isupper() or word.endswith("J") or not set(word) & set("AEIOUY")
