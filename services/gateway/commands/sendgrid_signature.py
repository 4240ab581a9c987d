"""SendGrid's signature of what it posts: ECDSA over timestamp and body, by the account's key."""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from services.gateway.errors import InvalidWebhookSignature

SIGNATURE: Final = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP: Final = "X-Twilio-Email-Event-Webhook-Timestamp"
# SendGrid tries again for a day, under the time of its first try; repeats are settled by their ids.
MAX_AGE: Final = timedelta(days=3)
MAX_AHEAD: Final = timedelta(minutes=10)
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_HASH: Final = hashes.SHA256()


class VerificationKey:
    """SendGrid's verification key: base64 of DER."""

    def __init__(self, public_key: str) -> None:
        key = load_der_public_key(base64.b64decode(public_key))
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise TypeError("the webhook's key is not an elliptic curve key")
        self.key = key

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raise InvalidWebhookSignature unless SendGrid has signed this body of late."""
        signed = SignedBody(self, headers)
        signed.update(body)
        signed.verify()


class SignedBody:
    """A body that comes in parts."""

    def __init__(self, key: VerificationKey, headers: Mapping[str, str]) -> None:
        self._key = key.key
        self._headers = headers
        self._hash = hashes.Hash(_HASH)
        self._hash.update(headers.get(TIMESTAMP, "").encode())

    def update(self, part: bytes) -> None:
        """Add a part."""
        self._hash.update(part)

    def verify(self) -> None:
        """Raise InvalidWebhookSignature unless SendGrid has signed the whole of late."""
        try:
            signature = base64.b64decode(self._headers[SIGNATURE], validate=True)
            self._key.verify(signature, self._hash.finalize(), ec.ECDSA(Prehashed(_HASH)))
        except (KeyError, ValueError, InvalidSignature) as error:
            # ValueError: no base64, or not even ASCII.
            raise InvalidWebhookSignature(type(error).__name__) from None
        timestamp = self._headers.get(TIMESTAMP, "")
        if _SECONDS.fullmatch(timestamp) is None:
            raise InvalidWebhookSignature("the timestamp is not a number of seconds")
        age = datetime.now(UTC).timestamp() - int(timestamp)
        if not -MAX_AHEAD.total_seconds() <= age <= MAX_AGE.total_seconds():
            raise InvalidWebhookSignature("the timestamp is too old, or ahead of time")
