"""The address of a letter's replies: mailer puts it into Reply-To, gateway knows the letter by it.

It needs no view to be understood. Mail programs and servers may write it in another case.
"""

import base64
import hmac
from collections.abc import Iterator, Mapping
from hashlib import sha256
from uuid import UUID

_PREFIX = "r-"
_UUID_BYTES = 16
# 80 bits: each guess costs a signed request.
_MAC_BYTES = 10


class ReplyAddresses:
    """Writes addresses with the first key and reads those of any. A removed key's are unknown."""

    def __init__(self, keys: Mapping[str, str], domain: str) -> None:
        self._keys = [secret.encode() for secret in keys.values()]
        self._domain = domain.lower()

    def of(self, email_id: UUID) -> str:
        """Return the address, whose local part has 44 characters."""
        return self._address(next(self._tokens(email_id)))

    def email_of(self, address: str) -> UUID | None:
        """Return the id of the email whose replies come there; None for any other address."""
        written = address.lower()
        try:
            token = base64.b32decode(
                _padded(written.partition("@")[0][len(_PREFIX) :]), casefold=True
            )
            email_id = UUID(bytes=token[:_UUID_BYTES])
        except ValueError:
            return None
        ours = (self._address(one) for one in self._tokens(email_id))
        known = any(hmac.compare_digest(one.encode(), written.encode()) for one in ours)
        return email_id if known else None

    def _tokens(self, email_id: UUID) -> Iterator[bytes]:
        for key in self._keys:
            mac = hmac.digest(key, b"realtoros reply address" + email_id.bytes, sha256)
            yield email_id.bytes + mac[:_MAC_BYTES]

    def _address(self, token: bytes) -> str:
        return f"{_PREFIX}{base64.b32encode(token).decode().rstrip('=').lower()}@{self._domain}"


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 8)
