"""A letter as an Internet message (RFC 5322), with text and HTML as alternatives (RFC 2046)."""

import re
from datetime import UTC, datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime

from contracts.addresses import wire_address
from services.mailer.transports.bodies import html_of, text_of
from services.mailer.transports.envelope import fields_of
from services.mailer.transports.headers import (
    MAX_NAME,
    Sender,
    check_addresses,
    header_text,
    subject_of,
)
from services.mailer.transports.transport import OutgoingLetter

_ATOMS = re.compile(r"[A-Za-z0-9]+( [A-Za-z0-9]+)*")


class _Verbatim(EmailPolicy):
    """Writes header fields as given: already encoded and folded.

    The standard library's policies parse a field and write it again, which loses the quotes of a
    long name and decodes encoded words into line breaks (seen with Python 3.11.7).
    """

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        return name, value


# Bodies are encoded for servers that take 7 bits only.
_POLICY = _Verbatim(linesep="\r\n", refold_source="none", cte_type="7bit")
# RFC 6532, for the rare address whose local part is not ASCII; names and subjects can be encoded.
_POLICY_UTF8 = _POLICY.clone(utf8=True)


def message_of(outgoing: OutgoingLetter, sender: Sender) -> EmailMessage:
    """Return the message. Raises a final CallFailed for a letter that cannot be sent."""
    letter = outgoing.letter
    check_addresses(letter)
    from_, to = sender.of(letter), wire_address(letter.to_email)
    reply_to = ", ".join(outgoing.reply_to)
    ascii_only = all(map(str.isascii, (from_, to, reply_to)))
    message = EmailMessage(_POLICY if ascii_only else _POLICY_UTF8)
    message["From"] = _address("From", letter.from_name, from_)
    message["To"] = _address("To", letter.to_name, to)
    if reply_to:
        message["Reply-To"] = reply_to
    message["Subject"] = _encoded("Subject", subject_of(letter))
    message["Date"] = format_datetime(datetime.now(UTC))
    message["X-RealtorOS-Email"] = str(outgoing.id)
    for name, value in fields_of(outgoing, sender).items():
        message[name] = value
    text = text_of(outgoing)
    message.set_content(text)
    message.add_alternative(html_of(text, letter.language, outgoing.ending), subtype="html")
    return message


def _address(field: str, name: str, address: str) -> str:
    name = header_text(name, MAX_NAME)
    if not name:
        return address
    # All but plain ASCII words is encoded (RFC 2047), so nothing needs quotes.
    phrase = name if _ATOMS.fullmatch(name) else Header(name, "utf-8", header_name=field).encode()
    return f"{phrase} <{address}>"


def _encoded(field: str, text: str) -> str:
    return Header(text, "us-ascii" if text.isascii() else "utf-8", header_name=field).encode()
