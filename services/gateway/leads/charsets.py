"""Which charset a file is in. Pure."""
# ruff: noqa: RUF001 -- quotes and dashes as people type them

import codecs
import contextlib
import re
from typing import Final

from services.gateway.leads.words.vocabulary import excerpt

# What a sender may name, as Python calls it: tables. Others that it knows, such as punycode, take
# minutes for a megabyte.
CHARSETS: Final = frozenset(
    {"ascii", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"}
    | {"utf-32", "utf-32-le", "utf-32-be", "mac-roman", "mac-latin2", "mac-cyrillic"}
    | {f"cp{number}" for number in (437, 850, 852, 866, 874, 932, 949, 950, *range(1250, 1259))}
    | {f"iso8859-{number}" for number in (*range(1, 12), *range(13, 17))}
    | {"koi8-r", "koi8-u", "shift_jis", "euc_jp", "euc_kr", "big5", "gb2312", "gbk", "gb18030"}
)
ADVICE: Final = (
    "save it as UTF-8 (in Excel: File, Save As, “CSV UTF-8”; in Numbers and LibreOffice: choose"
    " Unicode (UTF-8) when exporting), or name its charset"
)
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Languages that are written in Windows-1252, by their letters beyond ASCII.
_ALPHABETS: Final = tuple(
    map(
        frozenset,
        (
            "àâæçéèêëîïôœùûüÿ",  # French
            "äöüßé",  # German
            "áéíóúüñïç",  # Spanish, Catalan
            "àèéíïòóúüç",
            "ãáàâçéêíõóôúü",  # Portuguese
            "àèéìíîòóùú",  # Italian
            "æøåéèòóôü",  # Danish, Norwegian
            "åäöéšžüà",  # Swedish, Finnish
            "áðéíóúýþæö",  # Icelandic
            "ëïéèöüáóçê",  # Dutch, Albanian
            "äöõüšž",  # Estonian
            "áéíóúýšžäô",  # Czech and Slovak, as far as Windows-1250 has the same
            "áéíóú",  # Irish
        ),
    )
)
# Letters where no language has them: what other charsets make of theirs. Windows-1250 of Czech,
# Polish, Croatian and Hungarian, Windows-1254 of Turkish.
_STRANGE: Final = re.compile(
    r"^ð|^è[aeiouáéíóúì]|^þ[aü]|þ$|õ$|[õû].*(?:sz|cs|gy|ny|zs)|(?:sz|cs|gy|ny|zs).*[õû]"
    r"|ì[^\W\d_]|ñ(?![aeiouáéíóúü])|[aeiouáéíóú]æ$"
)
_RUN: Final = re.compile(r"[A-Za-z\x80-\U0010ffff]+")
_BETWEEN: Final = re.compile(r"[\s’´·•…]|‘(?=\w)|(?<![a-z])[–—]|[–—](?![a-z])")
_QUOTED: Final = re.compile(r"‚([^‚‘\s]*)‘")
_BEFORE: Final = "“„‚«‹–—¿¡€£¥"
_AFTER: Final = "“”»›–—€£¥"
_LOOKED_AT: Final = 4096
_UNIT: Final = re.compile(r"[a-zA-Z]{1,4}[²³]|\w*[®™©ªº°]\w?")
# So many words that no language has may be in a file: one in ten of those beyond ASCII.
_TOLERATED: Final = 0.1


class Unreadable(Exception):
    """The file cannot be read at all; the message says why."""


def decode(content: bytes, charset: str | None = None) -> str:
    """Decode UTF-8, UTF-16, UTF-32, with a mark or without, or Windows-1252.

    Raises Unreadable when it is none of them, or not of the charset that the sender names.
    """
    for encoding in _candidates(content, charset):
        with contextlib.suppress(ValueError):
            text = content.decode(encoding).removeprefix("\ufeff")
            if charset or encoding != "cp1252" or is_plausible(text):
                return text
    if charset and not _known(charset):
        known = ", ".join(sorted(CHARSETS))
        raise Unreadable(f"the charset “{excerpt(charset)}” is not known here; use one of: {known}")
    if charset:
        raise Unreadable(f"is no text in {charset}: {ADVICE}")
    raise Unreadable(f"is neither UTF-8, UTF-16, UTF-32 nor Windows-1252: {ADVICE}")


def is_plausible(text: str) -> bool:
    """Return whether a text reads like one: Windows-1252 gives letters to almost any bytes."""
    text = _QUOTED.sub(r"\1", text)
    parts = (part for run in _RUN.findall(text) for part in _BETWEEN.split(run))
    words = [word for part in parts if not (word := part.lstrip(_BEFORE).rstrip(_AFTER)).isascii()]
    strange = sum(not _is_word(word) for word in words)
    return strange <= len(words) * _TOLERATED


def _is_word(word: str) -> bool:
    """Return whether a word beyond ASCII can be one of a language of Western Europe."""
    if _UNIT.fullmatch(word) or not any(map(str.isalpha, word)):
        return True
    if not word.isalpha():
        return False
    rest = word[1:]
    if any(c.isupper() and not c.isascii() for c in rest) and any(c.islower() for c in rest):
        return False
    small = word.casefold()
    if _STRANGE.search(small):
        return False
    letters = {c for c in small if not c.isascii()}
    return any(letters <= alphabet for alphabet in _ALPHABETS)


def _candidates(content: bytes, charset: str | None) -> list[str]:
    if charset:
        return [charset] if _known(charset) else []
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return [encoding]
    head = content[:_LOOKED_AT]
    # UTF-16 has one zero in two bytes of ASCII, UTF-32 three in four.
    if head.count(0) * 4 < len(head):
        return ["utf-8", "cp1252"]
    first, second, third, _ = (head[at::4].count(0) for at in range(4))
    order = "le" if second > first or not first else "be"
    return [f"utf-32-{order}" if second and third else f"utf-16-{order}"]


def _known(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name in CHARSETS
    except LookupError:
        return False
