"""What an agent has typed about a client, without what identifies or reaches a person. Pure.

The model needs none of it: further email addresses and phones, birthdays, ids and account numbers.
"""

import re
from collections.abc import Mapping
from typing import Any

_MAX_LENGTH = 300
_REMOVED = "…"
# Of a field's name, between capitals, digits and other signs.
_PRIVATE_WORDS = frozenset(
    {"email", "emails", "mail", "gmail", "phone", "phones", "telephone", "tel"}
    | {"mobile", "cell", "cellphone", "fax", "whatsapp", "telegram", "skype", "sms"}
    | {"birthday", "birthdate", "birth", "dob", "bday", "born", "geburtstag", "cumpleaños"}
    | {"ssn", "sin", "itin", "ein", "vat", "nif", "dni", "nie"}
    | {"curp", "cpf", "passport", "licence", "license", "id", "ids", "uuid"}
    | {"guid", "uid", "identifier", "record", "account", "acct", "iban", "bic"}
    | {"swift", "routing", "card", "cvv", "password", "passcode", "pin", "login"}
    | {"username", "userid", "handle"}
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+")
_REACHES = re.compile(
    # Email addresses and phone numbers.
    r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"
    r"|(?<![\w$€£,.])(?:\+?1[\s.-]?)?\(?\d{3}\)?[\s.-]\d{3}[\s.-]?\d{4}(?![\w-])"
    r"|\+\d{1,3}[\s.(-]{0,2}\d[\d\s.()/-]{5,20}\d"
    r"|(?<![\w$€£,.-])(?:0\d{2,4}[\s/-]\d{3,4}[\s-]?\d{3,4}|\d{3}-\d{4})(?![\w-])"
)
_IDENTIFIES = re.compile(
    # Social security numbers, UUIDs, long numbers and keys.
    r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])"
    r"|\b[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}\b"
    r"|(?<![\w$€£,.])\d{9,}(?![\w,.])|(?<![\w-])(?:\d{4}[ -]){2,4}\d{1,7}(?![\w-])"
    r"|\b(?=[a-z]*\d)(?=\d*[a-z])[\da-z]{15,}\b",
    re.IGNORECASE,
)
_MONTHS = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
# The years in which clients were born.
_YEAR = r"(?:19\d\d|200\d)"
_BIRTHDAY = re.compile(
    rf"\b{_YEAR}[-/.]\d{{1,2}}[-/.]\d{{1,2}}\b|\b\d{{1,2}}[-/.]\d{{1,2}}[-/.]{_YEAR}\b"
    rf"|\b{_MONTHS} \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR}\b|\b\d{{1,2}}\.? {_MONTHS} {_YEAR}\b",
    re.IGNORECASE,
)
_PRIVATE_TEXTS = (_REACHES, _IDENTIFIES, _BIRTHDAY)


def shareable_fields(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields whose name and value say nothing private, cut to a length."""
    return {
        name[:_MAX_LENGTH]: str(value)[:_MAX_LENGTH]
        for name, value in fields.items()
        if not _is_private(name, value)
    }


def shareable_text(text: str | None) -> str | None:
    """Return a text with an ellipsis instead of addresses, phones, ids and birthdays."""
    for pattern in _PRIVATE_TEXTS if text else ():
        text = pattern.sub(_REMOVED, text or "")
    return text


def _is_private(name: str, value: Any) -> bool:
    """Return whether a field is private, or anything within it."""
    match value:
        case dict():
            parts = [_is_private(inner, part) for inner, part in value.items()]
        case list():
            parts = [_is_private("", part) for part in value]
        case _:
            text = str(value)
            parts = [bool(pattern.search(text)) for pattern in _PRIVATE_TEXTS]
    words = {word.casefold() for word in _WORDS.findall(name)}
    return any(parts) or not _PRIVATE_WORDS.isdisjoint(words) or _has_private_text(name)


def _has_private_text(name: str) -> bool:
    return any(pattern.search(name) for pattern in _PRIVATE_TEXTS)
