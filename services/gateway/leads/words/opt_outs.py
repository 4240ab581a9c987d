"""Who has said no to emails, as other programs' files tell it. Pure.

Titles and cells are compared as `words` writes them: without case, accents and signs.
"""
# ruff: noqa: RUF001 -- dashes and marks as people type them

import re
from collections.abc import Callable
from typing import Final

from services.gateway.leads.words.vocabulary import words

# A no to emails, in a title or a cell; but not its opposite, nor what became of an email.
_NO_TO_EMAILS: Final = re.compile(
    r"(?<!not )(?<!never )(?<!isn t )\b"
    r"(?:un ?sub(?:scri(?:be[drs]?|ption))?|opt(?:ed|ing)? ?outs?|blo?a?ck ?list(?:ed)?"
    r"|hard ?bounced?|(?:do ?not|don ?t|does not|never|no)"
    r" (?:(?!repl|respon|answer|open|read|click|got)\w+ ){0,2}?(?:e ?)?mails?"
    r"|do ?not (?:contact|market|solicit|disturb)|donot(?:bulk)?emails?|donotcontact|dn[ce]"
    r"|(?:not|non|never|un) ?subscribed"
    r"|suppress(?:ed|ion)?|spam (?:complaint|report(?:ed)?)|(?:marked as|reported) spam"
    r"|abgemeldet|abmeldung|ausgetragen|werbesperre|(?:keine|nicht) (?:\w+ )?(?:emails?|werbung"
    r"|newsletter|mails?)|nicht (?:kontaktieren|anschreiben)|no (?:contactar|enviar|escribir)"
    r"|no (?:\w+ )?correos?|(?:dado|dada|fecha) de baja)\b"
)
# The same where it is all that a title or a cell says.
_NO_ALONE: Final = re.compile(
    r"(?:is |has |was |email |e ?mail )*(?:bounced?(?: emails?| (?:reason|date|at|on|time))?"
    r"|(?:email )?(?:bounced?) (?:reason|date)|complain(?:ed|t)|spam|cleaned"
    r"|clean (?:time|date|campaign (?:title|id))|baja|undeliverable|invalid email)"
)
# A yes to emails, so that a "no" below it is one.
_YES_TO_EMAILS: Final = re.compile(
    r"\b(?:opt(?:ed)? ?ins?|(?:is |email )?subscri(?:bed|ber|ption)|(?:email |marketing |gdpr )*"
    r"consent(?:ed)?|newsletter|suscrit[oa]|angemeldet|einwilligung|consentimiento"
    r"|(?:accepts?|receives?|wants?|can|may|allows?|gets?|send) (?:\w+ )?(?:emails?|marketing)"
    r"|emails? (?:allowed|ok|permitted|enabled)|accepts marketing)\b"
)
# What columns of the kinds above are about that say no yes and no no, such as an opt-in's time.
_ABOUT_IT: Final = re.compile(
    r"\b(?:links?|urls?|pages?|tokens?|hash|keys?|score|rates?|count|no of|number)\b"
)
_WHEN: Final = re.compile(
    r"\b(?:time|date|at|on|ip|source|method|medium|reason|fecha|am|datum|by)\b"
)
# Other ways to reach a person.
_OTHER_WAYS: Final = re.compile(
    r"\b(?:calls?|calling|phones?|telephone|sms|texts?|texting|mms|fax|voicemail|whatsapp|robocalls?"
    r"|anruf\w*|telefon\w*|llam\w+|post|postal|briefe?|direct mail|letters?|push)\b"
)
_EMAIL: Final = re.compile(r"\b(?:e ?mails?|correos?)\b")
# Columns, and lists of tags, whose words may be a no.
_MAY_HOLD_ONE: Final = re.compile(
    r"(?:^|.* )(?:status|state|permission|stage|hashtags?|tags?|labels?|groups?|lists?|segments?"
    r"|memberships?|categor(?:y|ies)|schlagw[o]rter|etiquetas?)(?: \d)?"
)
_NO: Final = re.compile(
    r"no?|false|f|0[0 ]*|off|none|null|never|nein|falsch|falso|n a|na|unknown|allow(?:ed)?|active"
    r"|opt(?:ed)? ?in|subscribed|not set|not opted out|permitted|enabled"
)
_EMPTY_MARKS: Final = frozenset("-–—−.·☐✗✘×❌")
_SEPARATORS = re.compile(r":::|[,;|#*\n/():\[\]]| [-–—] ")

Answer = Callable[[str], bool]


def is_yes(cell: str) -> bool:
    """Return whether a cell says yes, or anything but no: a check mark, a date, a reason."""
    if not (said := words(cell)):
        return bool(set(cell) - _EMPTY_MARKS - {" "})
    return not _NO.fullmatch(said)


def is_no(cell: str) -> bool:
    """Return whether a cell below a yes to emails says no to them."""
    return words(cell) in ("n", "no", "false", "f", "0", "off", "never", "nein", "falsch", "falso")


def has_no_word(cell: str) -> bool:
    """Return whether one of a cell's parts says no to emails."""
    return any(_says_no(words(part)) for part in (*_SEPARATORS.split(cell), cell))


def answer_of(title: str) -> Answer | None:
    """Return what tells whether a cell under this title says no to emails; None: none does."""
    said = words(title)
    if _ABOUT_IT.search(said):
        return None
    if _says_no(said):
        return is_yes
    if _YES_TO_EMAILS.search(said) and not _WHEN.search(said) and _is_of_emails(said):
        return lambda cell: is_no(cell) or has_no_word(cell)
    return has_no_word if _MAY_HOLD_ONE.fullmatch(said) else None


def is_about_emails_alone(title: str) -> bool:
    """Return whether a column is about nothing else than a yes or no to emails."""
    return answer_of(title) not in (None, has_no_word)


def _says_no(said: str) -> bool:
    found = _NO_TO_EMAILS.search(said) or _NO_ALONE.fullmatch(said)
    return bool(found) and _is_of_emails(said)


def _is_of_emails(said: str) -> bool:
    return bool(_EMAIL.search(said)) or not _OTHER_WAYS.search(said)
