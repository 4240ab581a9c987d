"""Which passwords are accepted: long ones, not common ones, not one's own address.

As NIST SP 800-63B, 3.1.1.2 advises: a length and a list of what is guessed first, and no rules
about kinds of characters.
"""

from typing import Annotated, Final
from unicodedata import normalize

from pydantic import AfterValidator, Field
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from services.gateway.errors import InvalidField

_MIN_DISTINCT: Final = 5
_COMMON: Final = frozenset(FREQUENCY_LISTS["passwords"][:10_000])
# Letters that look like the digits and signs that are put in their place.
_LOOKALIKES: Final = (
    str.maketrans("", ""),
    str.maketrans("@4831!0$57+", "aabeiiosstt"),
    str.maketrans("@4831!0$57+", "aabellosstt"),
)
_CHOOSE: Final = "choose several unrelated words, or let a password manager choose"


def not_common(password: str) -> str:
    """Return the password. Raises ValueError when it is, undecorated, one that many people have."""
    if len(set(password)) < _MIN_DISTINCT:
        raise ValueError(f"repeats few characters: {_CHOOSE}")
    if _COMMON & _undecorated(password):
        raise ValueError(f"is one of the most common passwords, hardly changed: {_CHOOSE}")
    return password


def not_of(email: str, password: str) -> str:
    """Return the password. Raises ValueError when it is, undecorated, the address or a part."""
    parts = {_letters_and_digits(part) for part in (email, *email.split("@"))}
    if (parts | set(map(_letters_within, parts))) & _undecorated(password):
        raise ValueError(f"is the email address, hardly changed: {_CHOOSE}")
    return password


def require_not_of(email: str, password: str, field: str) -> None:
    """Raise InvalidField that names the field when the password is the email address."""
    try:
        not_of(email, password)
    except ValueError as error:
        raise InvalidField(field, str(error)) from error


Password = Annotated[
    str,
    Field(min_length=12, max_length=200, examples=["correct horse battery"]),
    AfterValidator(not_common),
]


def _undecorated(password: str) -> set[str]:
    """Return the forms without case, repetition, look-alikes, signs, and the digits around."""
    whole = normalize("NFKC", password).casefold()
    forms = {whole, _letters_within(whole), _letters_within(_letters_and_digits(whole))}
    plain = {form.translate(lookalikes) for form in forms for lookalikes in _LOOKALIKES}
    plain |= set(map(_letters_and_digits, plain))
    return (plain | set(map(_repeated, plain))) - {""}


def _letters_and_digits(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _letters_within(text: str) -> str:
    """Return the text from its first letter to its last."""
    places = [place for place, character in enumerate(text) if character.isalpha()]
    return text[places[0] : places[-1] + 1] if places else ""


def _repeated(text: str) -> str:
    """Return what the text repeats, the last time perhaps not to its end; else the text."""
    return next((text[:n] for n in range(1, len(text)) if text[n:] == text[:-n]), text)
