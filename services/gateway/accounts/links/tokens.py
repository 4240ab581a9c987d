"""The tokens of mailed links: signed by the gateway, stored nowhere."""

import base64
import hashlib
import hmac
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from services.gateway.errors import InvalidField

Purpose = Literal["confirm", "reset"]


class Link(NamedTuple):
    """What a link is for, of which document, and when it expires, in Unix seconds."""

    purpose: Purpose
    id: UUID
    expires: int

    @classmethod
    def until(cls, purpose: Purpose, id_: UUID, expires_at: datetime) -> "Link":
        """Return the link that expires then."""
        return cls(purpose, id_, int(expires_at.timestamp()))

    @classmethod
    def parse(cls, token: str, purpose: Purpose) -> "Link | None":
        """Return what a token says, which is not verified yet; None when it is none for this."""
        try:
            found, id_, expires, _ = token.split("_", 3)
            link = cls(purpose, UUID(hex=id_), int(expires))
        except ValueError:
            return None
        return link if found == purpose and token.isascii() else None


class LinkTokens:
    """Signs with the first key and accepts tokens of any.

    `bound_to` is what the link changes, and nobody else knows: once that is another, the token has
    been used and opens nothing.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = tuple(keys)

    def issue(self, link: Link, bound_to: str) -> str:
        """Return the token, always the same for the same link."""
        return _signed(link, bound_to, self._keys[0])

    def opens(self, token: str, link: Link, bound_to: str) -> bool:
        """Return whether the token, spelled as it was issued, is this link's and still good."""
        given = token.encode()
        issued = (_signed(link, bound_to, key).encode() for key in self._keys)
        known = [hmac.compare_digest(given, one) for one in issued]
        return any(known) and time.time() < link.expires


def dead_link() -> InvalidField:
    """Return the error that every token is answered with that opens nothing."""
    return InvalidField("token", "is wrong, was used or has expired: ask for another link")


def _signed(link: Link, bound_to: str, key: str) -> str:
    text = f"{link.purpose}_{link.id.hex}_{link.expires}"
    code = hmac.digest(key.encode(), f"link {text} {bound_to}".encode(), hashlib.sha256)
    return f"{text}_{base64.urlsafe_b64encode(code).decode().rstrip('=')}"
