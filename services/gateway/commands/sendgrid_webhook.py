"""SendGrid's event webhook: signed reports on emails, turned into commands."""

import asyncio
import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from contracts.mailer import (
    SUPPRESSED_FROM,
    DeliveryKind,
    RecordDelivery,
    RecordedAddress,
    suppression_id,
)
from contracts.message import Time
from services.gateway.commands.client import CommandClient
from services.gateway.errors import InvalidWebhookSignature

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
# SendGrid tries again for a day, under the time of its first try; repeats are settled by their ids.
MAX_AGE = timedelta(days=3)
MAX_AHEAD = timedelta(minutes=10)
# Others (processed, deferred) change nothing.
KINDS: dict[str, DeliveryKind] = {
    "delivered": "delivered",
    "open": "opened",
    "click": "clicked",
    "bounce": "bounced",
    "dropped": "bounced",
    "spamreport": "spam_report",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
}
OPT_OUTS = ("unsubscribed", "spam_report")
_OURS = "email_id"
# Characters around an address in a quotation. A match starts only after one: a server may write
# texts of any length, and this keeps the search linear.
_DELIMITERS = r"\s<>()\[\]\"',;:"
_ADDRESS = re.compile(rf"(?<![^{_DELIMITERS}])[^{_DELIMITERS}@]*+@[^{_DELIMITERS}]+")
_SECONDS = re.compile(r"[0-9]{1,12}")
_BATCH = TypeAdapter(list[Any])

log = structlog.get_logger(__name__)


class Report(BaseModel):
    """One event of a webhook's batch, with the custom_args of the email that it is about."""

    model_config = ConfigDict(hide_input_in_errors=True)

    sg_event_id: str
    event: str
    timestamp: Time
    email: str
    agent_id: UUID
    client_id: UUID
    followup_id: UUID
    email_id: UUID
    attempt: int | None = None
    type: str | None = None
    reason: str | None = None


class SendGridWebhook:
    """Records reports. `public_key` is SendGrid's verification key: base64 of DER."""

    def __init__(self, public_key: str, commands: CommandClient) -> None:
        key = load_der_public_key(base64.b64decode(public_key))
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise TypeError("the webhook's key is not an elliptic curve key")
        self._key = key
        self._commands = commands

    async def receive(self, headers: Mapping[str, str], body: bytes) -> None:
        """Return when all reports are durable, and nothing is sent to addresses that opted out.

        Reports that are not ours or invalid are skipped. Raises InvalidWebhookSignature, ValueError
        for a body that is no JSON array, TimeoutError or Unavailable when the batch has to be sent
        again: repeats are harmless.
        """
        now = datetime.now(UTC)
        self._verify(headers, body, now)
        reports = _valid_reports(_BATCH.validate_json(body))
        await asyncio.gather(*(self._record(report, kind, now) for report, kind in reports))

    def _verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        try:
            signature = base64.b64decode(headers[SIGNATURE], validate=True)
            signed = headers[TIMESTAMP].encode() + body
            self._key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
        except (KeyError, binascii.Error, InvalidSignature) as error:
            raise InvalidWebhookSignature(type(error).__name__) from None
        if _SECONDS.fullmatch(headers[TIMESTAMP]) is None:
            raise InvalidWebhookSignature("the timestamp is not a number of seconds")
        age = now.timestamp() - int(headers[TIMESTAMP])
        if not -MAX_AHEAD.total_seconds() <= age <= MAX_AGE.total_seconds():
            raise InvalidWebhookSignature("the timestamp is too old, or ahead of time")

    async def _record(self, report: Report, kind: DeliveryKind, now: datetime) -> None:
        command_id = uuid5(NAMESPACE_URL, f"sendgrid:{report.sg_event_id}")
        command = RecordDelivery(
            **report.model_dump(include={"agent_id", "client_id", "followup_id", "email_id"}),
            kind=kind,
            at=min(report.timestamp, now),
            attempt=report.attempt,
            reason=report.reason and without_addresses(report.reason),
            personal=RecordedAddress(email=report.email),
        )
        if kind in OPT_OUTS:
            stream = f"suppression-{suppression_id(report.agent_id, report.email)}"
            await self._commands.send_until_applied(command, command_id, stream, SUPPRESSED_FROM)
        else:
            await self._commands.send(command, command_id)


def without_addresses(reason: str) -> str:
    """Redact the addresses that servers quote: reasons outlive the deletion of the client."""
    return _ADDRESS.sub("<address>", reason)


def _valid_reports(batch: Sequence[Any]) -> list[tuple[Report, DeliveryKind]]:
    """Return the valid reports about our emails that change something."""
    found = []
    for event in batch:
        # Alerts, and other mail sent through the same account.
        if not (isinstance(event, dict) and _OURS in event):
            continue
        try:
            report = Report.model_validate(event)
        except ValidationError as error:
            fields = sorted({".".join(map(str, wrong["loc"])) for wrong in error.errors()})
            log.warning("report_unreadable", fields=fields)
            continue
        if kind := KINDS.get(report.event):
            found.append((report, "blocked" if report.type == "blocked" else kind))
    return found
