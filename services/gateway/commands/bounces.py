"""What a bounce or a drop says of the address, by SendGrid's fields (RFC 3463); pure.

Only what is the address's own fault suppresses it: a mailbox that is full may be emptied, and a
quota, a reputation or a spam filter says nothing of the address.
"""

import re

from contracts.mailer import DeliveryKind

# An enhanced status code (RFC 3463), or a reply code (RFC 5321) at the beginning.
_ENHANCED = re.compile(r"(?<!\d)(?<!\d\.)([245])\.(\d{1,3})\.(\d{1,3})(?!\d|\.\d)")
_REPLY = re.compile(r"\s*([45])\d\d\b")
_FULL = re.compile(
    r"(mail ?box|inbox|account|storage|user)\W+(\w+\W+){0,3}(is |was |has )?(too )?full\b"
    r"|over\W?quota|quota (was |is |has been )?(exceed|full|reached)|exceed\w*\W+(\w+\W+){0,4}quota"
    r"|out of (storage|space)|insufficient (system |mailbox )?(storage|space)|not enough space"
    r"|(mail ?box|storage)\W+(\w+\W+){0,3}(limit|exceed)",
    re.IGNORECASE,
)
# SendGrid's classes of bounces that are about sender, content or network.
_NOT_THE_ADDRESS = ("content", "reputation", "frequency", "technical")
_FULL_SUBJECT, _FULL_DETAIL = "2", "2"
_ADDRESS_STATUS = "1"


def bounce_kind(type_: str, status: str, reason: str, classification: str) -> DeliveryKind:
    """Return what an event `bounce` says: blocked, soft, or that the address takes no email."""
    if type_.strip().lower() == "blocked":
        return "blocked"
    code = _ENHANCED.search(status) or _ENHANCED.search(reason)
    if code is None:
        reply = _REPLY.match(reason) or _REPLY.match(status)
        temporary = reply is not None and reply[1] == "4"
        full = _FULL.search(reason) is not None
    else:
        temporary = code[1] == "4"
        full = (code[2], code[3]) == (_FULL_SUBJECT, _FULL_DETAIL) or (
            code[2] != _ADDRESS_STATUS and _FULL.search(reason) is not None
        )
    if temporary or full:
        return "soft_bounced"
    if classification.strip().lower().startswith(_NOT_THE_ADDRESS):
        return "blocked"
    return "bounced"


def drop_kind(reason: str) -> DeliveryKind:
    """Return what an event `dropped` says: why SendGrid has not sent the email at all."""
    text = reason.lower()
    if "unsubscribe" in text:
        return "unsubscribed"
    if "spam report" in text or "spamreport" in text:
        return "spam_report"
    if "bounced" in text or text.strip() in ("invalid", "invalid address", "invalid email"):
        return "bounced"
    # Quota, content, SendGrid's own trouble, and whatever else it may say one day.
    return "blocked"
