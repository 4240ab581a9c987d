"""The language of a letter: the client's, else the agent's, else English. Never guessed. Pure."""

import re
from collections.abc import Iterable

ENGLISH = "en"
# BCP 47: language, script, region. Other subtags say nothing that a letter could follow.
_TAG = re.compile(
    r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|\d{3}))?(?:-[a-z0-9]{1,8})*", re.IGNORECASE
)
_NAMES = {
    "af": "Afrikaans",
    "am": "Amharic",
    "ar": "Arabic",
    "bg": "Bulgarian",
    "bn": "Bengali",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "eu": "Basque",
    "fa": "Persian",
    "fi": "Finnish",
    "fil": "Filipino",
    "fr": "French",
    "gl": "Galician",
    "gu": "Gujarati",
    "he": "Hebrew",
    "hi": "Hindi",
    "hmn": "Hmong",
    "hr": "Croatian",
    "ht": "Haitian Creole",
    "hu": "Hungarian",
    "hy": "Armenian",
    "id": "Indonesian",
    "is": "Icelandic",
    "it": "Italian",
    "ja": "Japanese",
    "ka": "Georgian",
    "km": "Khmer",
    "ko": "Korean",
    "lo": "Lao",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "ms": "Malay",
    "nb": "Norwegian Bokmål",
    "ne": "Nepali",
    "nl": "Dutch",
    "no": "Norwegian",
    "pa": "Punjabi",
    "pl": "Polish",
    "ps": "Pashto",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "so": "Somali",
    "sq": "Albanian",
    "sr": "Serbian",
    "sv": "Swedish",
    "sw": "Swahili",
    "ta": "Tamil",
    "te": "Telugu",
    "th": "Thai",
    "tl": "Tagalog",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "uz": "Uzbek",
    "vi": "Vietnamese",
    "yi": "Yiddish",
    "yue": "Cantonese",
    "zh": "Chinese",
}


def first_language(wanted: Iterable[str | None]) -> str:
    """Return the first tag that is one, as language, script and region; else English."""
    for tag in wanted:
        if found := _TAG.fullmatch(tag or ""):
            language, script, region = (part or "" for part in found.groups())
            parts = (language.lower(), script.title(), region.upper())
            return "-".join(filter(None, parts))
    return ENGLISH


def is_english(tag: str) -> bool:
    """Return whether a tag is one of English, such as `en-GB`."""
    return tag.partition("-")[0] == ENGLISH


def language_name(tag: str) -> str:
    """Return a language's name and tag, "Spanish (es-US)", or only the tag where none is known."""
    name = _NAMES.get(tag.partition("-")[0])
    return f"{name} ({tag})" if name else f"the language with the BCP 47 tag {tag}"
