"""Links, addresses and phone numbers that are not the agent's; numbers of people."""

# ruff: noqa: RUF001 -- dashes as they stand in numbers

import re
from collections.abc import Iterator

from services.composer.guard.letter_text import LetterText, Match

_EMAIL = re.compile(
    r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}|\b\w{1,64}\s?[(\[]\s?at\s?[)\]]\s?\w+",
    re.IGNORECASE,
)
_SPELLED_EMAIL = re.compile(r"\b[\w.-]{1,64} at \w[\w-]{0,60} dot \w+", re.IGNORECASE)
_LINK = re.compile(
    r"\b(?:https?|ftps?|hxxps?|mailto|tel|sms)\s?:\s?/{0,2}\S+|\bwww\s?\.\s?\S+"
    r"|\b\w[\w.-]{0,60}\.(?:com|net|org|info|biz|edu|gov)\b(?:/\S*)?"
    # Where a sentence may end before a word like "it", only small letters make a domain.
    r"|\b\w[\w.-]{0,60}\.(?-i:io|ly|gl|co|us|uk|de|ca|au|eu|fr|es|nl|ru|cn|tv|me|cc|ai|app|dev|xyz"
    r"|top|link|click|site|online|shop|store|homes|realtor|realty|house|estate|properties|page|club"
    r"|live|agency|zip|example|test|invalid|it|to)\b(?:/\S*)?"
    # Any domain with a path.
    r"|\b\w[\w-]{0,60}\.(?-i:[a-z]{2,10})/\w\S*"
    r"|\b\w{1,60}\s?[(\[]\s?dot\s?[)\]]\s?\w+|\b\w{1,60} dot (?:com|net|org|io)\b"
    r"|\bclick (?:here|below|the link|this link|on)\b|\b(?:follow|use|open|visit) (?:this|the) "
    r"link\b"
    r"|\bscan (?:the|this) (?:qr|code)\b",
    re.IGNORECASE,
)
_ABBREVIATIONS = re.compile(r"\b[a-z]\.[a-z]\b", re.IGNORECASE)
_PHONE = re.compile(
    r"(?<![\w$€£,.])(?:"
    r"(?:\+?1[\s.-]*)?\(?[2-9]\d{2}\)?[\s.–/-]*\d{3}[\s.–-]*\d{4}"
    r"|\+\d{1,3}[\s.(-]*\d[\d\s.()/-]{5,20}\d"
    r"|0\d{2,4}[\s/-]\d{3,4}[\s-]?\d{3,4}"
    r"|\d{3}[.-]\d{4}(?!\s*(?:sq|square|ft|feet|acres?|m2|k\b|people|units|dollars))"
    r")(?![\w-])"
)
_PERSONAL_NUMBER = re.compile(r"(?<![\w-])(?:\d{3}-\d{2}-\d{4}|(?:\d{4}[ -]?){3}\d{1,4})(?![\w-])")
_PHONE_TAIL = 7
_SCHEME = re.compile(r"^(?:https?://)?(?:www\.)?", re.IGNORECASE)
_PAGE = re.compile(r"[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:/[^\s<>\"']+)?")


def matches(letter: LetterText) -> Iterator[Match]:
    """Yield contact data that is not the agent's own."""
    agent = letter.recipient.agent
    own = {address.casefold() for address in (agent.email, agent.reply_to) if address}
    for found in _EMAIL.finditer(letter.all):
        if found[0].casefold().rstrip(".") not in own:
            yield "email_address", found[0]
    if spelled := _SPELLED_EMAIL.search(letter.all):
        yield "email_address", spelled[0]
    # A domain within an address has been looked at already.
    text = _ABBREVIATIONS.sub("", _EMAIL.sub("", _without(agent.website, letter.all)))
    if link := _LINK.search(text):
        yield "link", link[0]
    own_digits = _digits(agent.phone or "")
    for found in _PHONE.finditer(letter.prose):
        if not own_digits or not own_digits.endswith(_digits(found[0])[-_PHONE_TAIL:]):
            yield "phone", found[0]
    if number := _PERSONAL_NUMBER.search(letter.prose):
        yield "personal_number", number[0]


def _without(website: str | None, text: str) -> str:
    """Return the text without the agent's website: just this page, not others of the site."""
    page = _SCHEME.sub("", website or "").rstrip("/")
    if not _PAGE.fullmatch(page):
        return text
    same = rf"(?:https?://)?(?:www\.)?{re.escape(page)}/?(?![\w/?#=&%@-]|:[\w/]|\.\w)"
    return re.sub(rf"(?<![\w@:./-]){same}", " ", text, flags=re.IGNORECASE)


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))
