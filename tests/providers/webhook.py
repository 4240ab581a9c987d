"""SendGrid's webhooks, from SendGrid's side: signed reports, and mails that came in."""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PATH = "/api/webhooks/sendgrid"


class Webhook:
    """Signs requests as SendGrid does, with a key of its own."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_key(self) -> str:
        """The value for SENDGRID_WEBHOOK_PUBLIC_KEY: base64 of DER."""
        raw = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(raw).decode()

    def request(
        self, events: Sequence[Any], timestamp: str | None = None
    ) -> tuple[bytes, dict[str, str]]:
        """Return body and headers of a request that reports these events, now by default."""
        return self._signed(json.dumps(events).encode(), "application/json", timestamp)

    def form(self, **fields: bytes) -> tuple[bytes, dict[str, str]]:
        """Return body and headers of a request that posts a mail, as Inbound Parse does."""
        parts = (
            f'--xYzZY\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value
            for name, value in fields.items()
        )
        body = b"\r\n".join([*parts, b"--xYzZY--\r\n"])
        return self._signed(body, "multipart/form-data; boundary=xYzZY")

    def _signed(
        self, body: bytes, content_type: str, timestamp: str | None = None
    ) -> tuple[bytes, dict[str, str]]:
        timestamp = timestamp or str(int(time.time()))
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return body, {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
            "Content-Type": content_type,
        }


def event(kind: str, entry: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """Return SendGrid's event of this kind about an email in its ledger."""
    return {
        "sg_event_id": f"{kind}-{entry['message_id']}",
        "event": kind,
        "timestamp": int(time.time()),
        "email": entry["to"][0],
        **entry["custom_args"],
    } | fields
