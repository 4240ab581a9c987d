"""An email as it came in, read within bounds: hostile MIME costs no more than any other."""

import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import EmailPolicy
from email.utils import getaddresses
from html.parser import HTMLParser
from typing import Any, Final

from contracts.addresses import canonical_address

# The text comes first, and attachments are not looked at.
READ_BYTES: Final = 1_000_000
LONGEST_TEXT: Final = 20_000
# Each part that is nested in another costs every line of it once more.
_MOST_BOUNDARIES: Final = 40
_BOUNDARY: Final = re.compile(rb"boundary\s*=", re.IGNORECASE)
_MESSAGE_ID: Final = re.compile(r"<([^<>\s]{3,250})>")
_MOST_IDS: Final = 50
_LONGEST_HEADER: Final = 2_000
_LONGEST_ADDRESSES: Final = 50_000


class _BoundedPolicy(EmailPolicy):
    """Reads the beginning of each header: that of structured ones takes quadratic time."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        return super().header_fetch_parse(name, value[:_LONGEST_HEADER])


_POLICY: Final = _BoundedPolicy()


class Unreadable(Exception):
    """The mail is no email that can be read."""


@dataclass(frozen=True)
class Mail:
    """What is looked at of an email. Addresses are canonical; `text` is at most 20,000 long."""

    message: EmailMessage
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str

    def header(self, name: str) -> str:
        """Return a header's text, in lower case; empty without one."""
        return _text_of(self.message, name).strip().lower()

    @property
    def content_type(self) -> str:
        """The content type of the whole, such as `multipart/report`."""
        return self.message.get_content_type()

    @property
    def answers(self) -> tuple[str, ...]:
        """The ids of the messages that it answers, without angle brackets, the nearest first."""
        nearest = _MESSAGE_ID.findall(_text_of(self.message, "In-Reply-To"))
        before = _MESSAGE_ID.findall(_text_of(self.message, "References"))
        return tuple(dict.fromkeys([*nearest, *reversed(before)]))[:_MOST_IDS]


def read_mail(raw: bytes) -> Mail:
    """Read an email (RFC 5322, MIME). Raises Unreadable."""
    raw = raw[:READ_BYTES]
    if len(_BOUNDARY.findall(raw)) > _MOST_BOUNDARIES:
        raise Unreadable("has too many parts")
    try:
        parsed = BytesParser(policy=_POLICY).parsebytes(raw)
        message = parsed if isinstance(parsed, EmailMessage) else None
        if message is None or not message.keys():
            raise Unreadable("has no headers")
        return Mail(
            message,
            sender=next(iter(_addresses(message, "From")), ""),
            recipients=_addresses(message, "To", "Cc", "Delivered-To", "X-Original-To"),
            subject=_text_of(message, "Subject"),
            text=_text(message)[:LONGEST_TEXT],
        )
    except RecursionError as error:
        raise Unreadable("has parts nested too deep") from error


def _text_of(message: EmailMessage, name: str) -> str:
    """Return a header's text; what is malformed in it stays as it is."""
    try:
        value = str(message.get(name) or "")
    except (ValueError, IndexError, AttributeError, TypeError):
        # The parser of structured headers does not bear everything.
        value = next(iter(_raw(message, name)), "")
    return " ".join(value.split())


def _raw(message: EmailMessage, *names: str) -> list[str]:
    wanted = {name.lower() for name in names}
    return [str(value) for name, value in message.raw_items() if name.lower() in wanted]


def _addresses(message: EmailMessage, *names: str) -> tuple[str, ...]:
    written = ",".join(_raw(message, *names))[:_LONGEST_ADDRESSES]
    found = (canonical_address(address) for _, address in getaddresses([written]))
    return tuple(dict.fromkeys(address for address in found if "@" in address))


def _text(message: EmailMessage) -> str:
    """Return the plain text, else that of the HTML."""
    for kind in ("plain", "html"):
        for part in message.walk():
            if part.get_content_type() != f"text/{kind}" or part.is_attachment():
                continue
            text = _content(part)
            if text.strip():
                return _HtmlText.of(text) if kind == "html" else text
    return ""


def _content(part: EmailMessage) -> str:
    try:
        return str(part.get_content())
    except (LookupError, ValueError, AttributeError, TypeError):
        # A charset that is none, or a transfer encoding that is broken.
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


class _HtmlText(HTMLParser):
    """The text of HTML, without what it quotes."""

    _BLOCKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "table", "hr"})
    _VOID = frozenset({"br", "hr", "img", "meta", "link", "input", "col", "wbr", "base", "area"})
    _UNSEEN = frozenset({"style", "script", "head", "title", "blockquote"})
    _QUOTES = ("gmail_quote", "yahoo_quoted", "moz-cite-prefix", "divrplyfwdmsg", "appendonsend")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._texts: list[str] = []
        self._open: list[bool] = []
        self._unseen = 0

    @classmethod
    def of(cls, html: str) -> str:
        parser = cls()
        parser.feed(html[: 5 * LONGEST_TEXT])
        parser.close()
        return "".join(parser._texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._BLOCKS:
            self._texts.append("\n")
        if tag in self._VOID:
            return
        marks = " ".join(value or "" for name, value in attrs if name in ("class", "id")).lower()
        is_unseen = tag in self._UNSEEN or any(quote in marks for quote in self._QUOTES)
        self._open.append(is_unseen)
        self._unseen += is_unseen

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._VOID and self._open:
            self._unseen -= self._open.pop()
        if tag in self._BLOCKS:
            self._texts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._texts.append(data)
