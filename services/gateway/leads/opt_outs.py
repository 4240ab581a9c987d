"""Who has said no to emails, as other programs' files tell it. Pure."""

import re
from collections.abc import Callable
from typing import Final

from services.gateway.leads.vocabulary import key, keys

# Columns whose "yes" is a no to emails.
_YES_IS_NO: Final = frozenset(
    keys(
        "Unsubscribed, Unsubscribe, Is Unsubscribed, Email Unsubscribed,"
        " Unsubscribed from all email, Unsubscribed from email, Opt Out, Opted Out, Optout,"
        " Email Opt Out, Email Opt-Out, Email Opted Out, Opted Out of Email, Opt Out of Email,"
        " Has Opted Out Of Email, Email Address is Opted-Out, Person Has Opted Out Of Email,"
        " Do Not Email, Do Not Contact, No Email, No Emails, DNC Email, Email DNC, Do Not Mail,"
        " Email Blacklisted, Blacklisted, Blacklist, Is Blacklisted, Email Blocklisted,"
        " Blocklisted, Is Blocklisted, Hard Bounced, Hard Bounce, Email Hard Bounced,"
        " Email Bounced, Bounced, Spam Complaint, Marked as Spam, Abgemeldet, Keine E-Mails,"
        " Keine Werbung, No contactar, No enviar correos, Dado de baja"
    )
)
# Columns whose "no" is one.
_NO_IS_NO: Final = frozenset(
    keys(
        "Email Optin, Email Opt In, Email Opted In, Opt In, Optin, Opted In, Subscribed,"
        " Is Subscribed, Email Subscribed, Email Consent, Email Marketing Consent,"
        " Accepts Marketing, Accepts Email Marketing, Can Email, Email Allowed, Newsletter"
    )
)
# Columns that are filled only if there was one: when, or why.
_FILLED_IS_NO: Final = frozenset(
    keys(
        "UNSUB_TIME, Unsubscribe Time, Unsubscribed At, Unsubscribed On, Unsubscribe Date,"
        " Unsubscribed Date, Date Unsubscribed, Unsub Date, Opt Out Time, Opt Out Date,"
        " Opted Out At, Email Opt Out Date, Email Opt Out Time, Unsubscribed Time,"
        " Unsubscribe Reason, Opt Out Reason, UNSUB_REASON, Email Bounced Reason,"
        " Email Bounced Date, Bounced Reason, Hard Bounce Reason, Email Hard Bounce Reason"
    )
)
# Columns, and lists of tags, whose words may be one.
_WORDS_MAY_BE: Final = re.compile(
    r"(?:e?mail|person|lead|client|contact|deal|lifecycle)?"
    r"(?:(?:permission|marketing|marketingcontact|subscription|subscriber|sending)?(?:status|state)"
    r"|permission|stage|tags?|hashtags?|labels?|groups?|lists?|segments?|categor(?:y|ies)"
    r"|schlagw[oö]rter|etiquetas)"
    r"|emailpermissionstatus"
)
_NO_WORDS: Final = frozenset(
    keys(
        "Unsubscribed, Unsubscribe, Unsub, Opted Out, Opt Out, Optout, Optedout, Email Opt Out,"
        " Do Not Email, Dont Email, Don't Email, No Email, No Emails, Do Not Contact, DNC,"
        " DNC Email, DNE, Do Not Mail, Blocklisted, Blacklisted, Suppressed, Cleaned, Hard Bounced,"
        " Hard Bounce, Bounced, Bounce, Complained, Spam Complaint, Complaint, Spam, Abgemeldet,"
        " Keine E-Mails, Nicht kontaktieren, No contactar, Dado de baja, Baja"
    )
)
_NO: Final = frozenset(keys("no, n, false, f, 0, off, none, null, never, nein, falsch, falso"))
_SEPARATORS = re.compile(r":::|[,;|#*\n]")


Answer = Callable[[str], bool]


def is_yes(cell: str) -> bool:
    """Return whether a cell says yes, or anything but no."""
    word = key(cell)
    return bool(word) and word not in _NO


def has_no_word(cell: str) -> bool:
    """Return whether one of a cell's words says no to emails."""
    return any(key(part) in _NO_WORDS for part in _SEPARATORS.split(cell))


def answer_of(title: str) -> Answer | None:
    """Return what tells whether a cell under this title says no to emails; None: none does."""
    column = key(title)
    if column in _YES_IS_NO or column in _FILLED_IS_NO:
        return is_yes
    if column in _NO_IS_NO:
        return lambda cell: key(cell) in _NO or has_no_word(cell)
    return has_no_word if _WORDS_MAY_BE.fullmatch(column) else None


def is_about_emails_alone(title: str) -> bool:
    """Return whether a column is about nothing else than a yes or no to emails."""
    return answer_of(title) not in (None, has_no_word)
