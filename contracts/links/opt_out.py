"""The token of an opt-out link: mailer puts it into each letter, gateway takes it back.

It needs no view to be understood and is good as long as its key is kept, which has to be longer
than 60 days (CASL; CAN-SPAM asks for 30). It is encrypted, so it shows nothing of the client.
"""

import base64
from collections.abc import Mapping
from typing import Literal, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# Only a token for `opt_out` opts anyone out; `preview` is for letters that no client gets.
Purpose = Literal["opt_out", "preview"]

_KEY_BYTES = 64  # AES-256-SIV takes two keys of 256 bits.
_UUID_BYTES = 16
_IDS = 4
# Addresses are padded to a multiple of this, so that the length of a token says little of them.
_BLOCK = 32


class InvalidToken(Exception):
    """Cut, padded, changed, of an unknown key or for another purpose: nobody is told which."""


class OptOut(NamedTuple):
    """Who opts out of what: `address` is the one that the email was sent to, as it was typed."""

    agent_id: UUID
    client_id: UUID
    followup_id: UUID
    email_id: UUID
    address: str


class OptOutTokens:
    """Seals with the first key and opens with any (AES-SIV, RFC 5297).

    So keys are rotated by putting a new one first; letters sealed under a removed one lose their
    way out. The same claims under the same key are always the same token.
    """

    def __init__(self, keys: Mapping[str, str], purpose: Purpose = "opt_out") -> None:
        self._ciphers = [AESSIV(_derived(secret)) for secret in keys.values()]
        self._about = [f"realtoros {purpose} 1".encode()]

    def seal(self, claims: OptOut) -> str:
        """Return the token: base64url without padding, at most 448 characters."""
        ids = (claims.agent_id, claims.client_id, claims.followup_id, claims.email_id)
        address = claims.address.encode()
        padded = address.ljust(-(-len(address) // _BLOCK) * _BLOCK, b"\0")
        data = b"".join(id_.bytes for id_ in ids) + padded
        return _text(self._ciphers[0].encrypt(data, self._about))

    def open(self, token: str) -> OptOut:
        """Return the claims of a token, spelled as it was sealed. Raises InvalidToken."""
        sealed = _bytes(token)
        for cipher in self._ciphers:
            try:
                return _claims(cipher.decrypt(sealed, self._about))
            except InvalidTag:
                continue
        raise InvalidToken


def _derived(secret: str) -> bytes:
    derivation = HKDF(SHA512(), _KEY_BYTES, salt=None, info=b"realtoros opt-out links")
    return derivation.derive(secret.encode())


def _claims(data: bytes) -> OptOut:
    end = _IDS * _UUID_BYTES
    agent, client, followup, email = (
        UUID(bytes=data[at : at + _UUID_BYTES]) for at in range(0, end, _UUID_BYTES)
    )
    return OptOut(agent, client, followup, email, data[end:].rstrip(b"\0").decode())


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _bytes(token: str) -> bytes:
    try:
        sealed = base64.b64decode(f"{token}{'=' * (-len(token) % 4)}", b"-_", validate=True)
    except ValueError:
        raise InvalidToken from None
    # Bits that base64 ignores at its end are a change, too.
    if _text(sealed) != token:
        raise InvalidToken
    return sealed
