"""Header fields made of hostile text: lines are sanitized, invalid addresses are refused."""

import re
from collections.abc import Iterable
from email.utils import parseaddr
from uuid import UUID

from chassis.domain.errors import CallFailed
from chassis.domain.plain_text import UNPRINTABLE, single_line
from contracts.addresses import ascii_domain, wire_address
from contracts.composer import Letter

MAX_SUBJECT = 150
MAX_NAME = 100
_MAX_ADDRESS = 254  # Octets; RFC 5321, 4.5.3.1.3, less the angle brackets
# A letter that answers nothing must not look like an answer, whatever the model has written.
_REPLY = re.compile(r"^(\s*(re|fwd?|aw|wg|sv|tr|rv)\s*:\s*)+", re.IGNORECASE)

_ATOM = rf"[^\s@<>()\[\],;:\\\"{UNPRINTABLE}]+"
_ADDRESS = re.compile(rf"(?!\.){_ATOM}(?<!\.)@(?![.-]){_ATOM}(?<![.-])")


def header_text(text: str, max_length: int) -> str:
    """Return `text` as one printable line of at most `max_length` characters."""
    # "=?" starts an encoded word (RFC 2047), by which anything could be smuggled in.
    return single_line(text[: 4 * max_length]).replace("=?", "= ?")[:max_length].rstrip()


def subject_of(letter: Letter) -> str:
    """Return the subject as one printable line without a "Re:" at its beginning."""
    return _REPLY.sub("", header_text(letter.subject, MAX_SUBJECT), count=1)


def valid_address(address: str) -> bool:
    """Return whether it is one plain address (RFC 5321): no display name, quotes or comments.

    Both as typed and as it is sent: what looks like a letter may stand for a delimiter (UTS 46).
    """
    sent = wire_address(address)
    if not sent.rpartition("@")[2].isascii() or len(sent.encode(errors="replace")) > _MAX_ADDRESS:
        return False
    return all(_ADDRESS.fullmatch(each) and ".." not in each for each in (address, sent))


class Sender:
    """Where letters come from: the agent's own address if its domain is ours, else `mail_from`.

    `mail_from` is an address or `Name <address>`; ours are the `domains`, of MAIL_DOMAINS. Raises
    ValueError when it is no address.
    """

    def __init__(self, mail_from: str, domains: Iterable[str] = ()) -> None:
        address = parseaddr(mail_from)[1]
        if not valid_address(address):
            raise ValueError("MAIL_FROM is not an email address")
        self.address = wire_address(address)
        self.domain = self.address.rpartition("@")[2]
        self._own_domains = frozenset(map(ascii_domain, domains))

    def of(self, letter: Letter) -> str:
        """Return the address in the letter's From."""
        own = wire_address(letter.from_email or "")
        is_ours = ascii_domain(own.rpartition("@")[2]) in self._own_domains
        return own if is_ours and own.isascii() and valid_address(own) else self.address

    def message_id(self, letter_id: UUID) -> str:
        """Return the Message-ID of the letter: the same for every attempt."""
        return f"<{letter_id}@{self.domain}>"


def check_addresses(letter: Letter) -> None:
    """Raise a final CallFailed for an invalid one: a corrected one could be another person's."""
    if not valid_address(letter.to_email):
        raise CallFailed("the recipient's email address is not valid", final=True)
    if letter.reply_to is not None and not valid_address(letter.reply_to):
        raise CallFailed("the agent's address for replies is not valid", final=True)
