"""Languages and time zones, as people type them: a name or code that is known, or none. Pure."""

import re
from typing import Final, get_args
from zoneinfo import available_timezones

from contracts.crm import Review
from services.gateway.leads.words.vocabulary import key

_ZONES: Final = available_timezones()
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_MAX_TAG = 35
_LANGUAGES: Final = {
    key(name): tag
    for tag, names in {
        "ar": ("Arabic", "العربية"),
        "de": ("German", "Deutsch"),
        "en": ("English",),
        "es": ("Spanish", "Español", "Castellano"),
        "fa": ("Persian", "Farsi"),
        "fr": ("French", "Français"),
        "he": ("Hebrew", "עברית"),
        "hi": ("Hindi",),
        "it": ("Italian", "Italiano"),
        "ja": ("Japanese", "日本語"),
        "ko": ("Korean", "한국어"),
        "pl": ("Polish", "Polski"),
        "pt": ("Portuguese", "Português"),
        "ru": ("Russian", "Русский"),
        "tl": ("Tagalog", "Filipino"),
        "uk": ("Ukrainian", "Українська"),
        "vi": ("Vietnamese", "Tiếng Việt"),
        "zh": ("Chinese", "Mandarin", "中文"),
    }.items()
    for name in names
}


def known_zone(name: str) -> str:
    """Return the name of a time zone. Raises ValueError for one that IANA does not list."""
    if name not in _ZONES:
        raise ValueError("is not an IANA time zone")
    return name


def zone_in(cell: str) -> str:
    """Return the IANA name that a cell holds, or nothing."""
    return cell if cell in _ZONES else ""


def language_in(cell: str) -> str:
    """Return the BCP 47 tag that a cell holds or names in words, or nothing."""
    if len(cell) <= _MAX_TAG and _TAG.fullmatch(cell):
        return cell
    return _LANGUAGES.get(key(cell), "")


def review_in(cell: str) -> str:
    """Return `automatic` or `approve`, as an export of ours has it, or nothing."""
    word = cell.strip().casefold()
    return word if word in get_args(Review) else ""
