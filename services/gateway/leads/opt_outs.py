"""Who has said no to emails, as other programs' files tell it. Pure."""

import re
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
    r"(?:e?mail)?(?:permission|marketing|subscription|subscriber|sending)?(?:status|state)"
    r"|(?:person)?marketing(?:status|contactstatus)|emailpermissionstatus|permission"
    r"|(?:person|contact|lead)?(?:tags?|hashtags?|labels?|groups?|lists?|segments?|categor(?:y|ies))"
    r"|(?:lead|client|contact|deal|lifecycle)?(?:stage|status)|schlagw[oö]rter|etiquetas"
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


def is_column(title: str) -> bool:
    """Return whether a column is about nothing else than a yes or no to emails."""
    return key(title) in _YES_IS_NO | _NO_IS_NO | _FILLED_IS_NO


def says_no(title: str, cell: str) -> bool:
    """Return whether a filled cell under this title says that no emails are wanted."""
    column, word = key(title), key(cell)
    if column in _YES_IS_NO:
        return bool(word) and word not in _NO
    if column in _NO_IS_NO:
        return word in _NO or word in _NO_WORDS
    if column in _FILLED_IS_NO:
        return bool(word) and word not in _NO
    if _WORDS_MAY_BE.fullmatch(column):
        return any(key(part) in _NO_WORDS for part in _SEPARATORS.split(cell))
    return False
