"""What a letter's language (BCP 47) decides: the direction of its text, and a word of our own."""

import re

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_SCRIPT = re.compile(r"[A-Za-z]{4}")
# Written from right to left, where the tag does not name another script.
_RTL_LANGUAGES = frozenset(
    ["ar", "arc", "ckb", "dv", "fa", "he", "iw", "ji", "ps", "sd", "ug", "ur", "yi"]
)
_RTL_SCRIPTS = frozenset(["adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"])
_UNSUBSCRIBE = {
    "de": "Keine weiteren E-Mails",
    "en": "Unsubscribe",
    "es": "Darse de baja",
    "fr": "Se désabonner",
    "it": "Annulla l'iscrizione",
    "pt": "Cancelar inscrição",
}


def html_attributes(language: str | None) -> str:
    """Return `lang` and `dir`; a letter of unknown language shows its direction by its letters."""
    if language is None or not _TAG.fullmatch(language):
        return 'lang="en" dir="auto"'
    return f'lang="{language}" dir="{_direction(language)}"'


def unsubscribe(language: str | None) -> str:
    """Return what the link to opt out is called; in English where the language has no word here."""
    return _UNSUBSCRIBE.get((language or "en").lower().partition("-")[0], _UNSUBSCRIBE["en"])


def _direction(language: str) -> str:
    primary, *subtags = language.lower().split("-")
    script = next((tag for tag in subtags[:1] if _SCRIPT.fullmatch(tag)), None)
    from_right = script in _RTL_SCRIPTS if script else primary in _RTL_LANGUAGES
    return "rtl" if from_right else "ltr"
