"""Header fields made of hostile text: lines are sanitized, invalid addresses are refused."""

import re
from email.utils import parseaddr

from chassis.domain.errors import CallFailed
from chassis.domain.plain_text import UNPRINTABLE, single_line
from contracts.addresses import wire_address
from contracts.composer import Letter

MAX_SUBJECT = 150
MAX_NAME = 100
_MAX_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets

_ATOM = rf"[^\s@<>()\[\],;:\\\"{UNPRINTABLE}]+"
_ADDRESS = re.compile(rf"(?!\.){_ATOM}(?<!\.)@(?![.-]){_ATOM}(?<![.-])")


def header_text(text: str, max_length: int) -> str:
    """Return `text` as one printable line of at most `max_length` characters."""
    # "=?" starts an encoded word (RFC 2047), by which anything could be smuggled in.
    return single_line(text[: 4 * max_length]).replace("=?", "= ?")[:max_length].rstrip()


def valid_address(address: str) -> bool:
    """Return whether it is one plain address (RFC 5321): no display name, quotes or comments.

    Both as typed and as it is sent: what looks like a letter may stand for a delimiter (UTS 46).
    """
    sent = wire_address(address)
    if not sent.rpartition("@")[2].isascii() or len(sent) > _MAX_ADDRESS:
        return False
    return all(_ADDRESS.fullmatch(each) and ".." not in each for each in (address, sent))


def sender_address(mail_from: str) -> str:
    """Return the address in MAIL_FROM, which may be `Name <address>`, as it is sent.

    Raises ValueError.
    """
    address = parseaddr(mail_from)[1]
    if not valid_address(address):
        raise ValueError("MAIL_FROM is not an email address")
    return wire_address(address)


def check_addresses(letter: Letter) -> None:
    """Raise a final CallFailed for an invalid one: a corrected one could be another person's."""
    if not valid_address(letter.to_email):
        raise CallFailed("the recipient's email address is not valid", final=True)
    if letter.reply_to is not None and not valid_address(letter.reply_to):
        raise CallFailed("the agent's address for replies is not valid", final=True)
