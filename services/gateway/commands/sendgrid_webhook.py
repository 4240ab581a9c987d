"""SendGrid's event webhook: signed reports on emails, turned into commands."""

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pydantic import TypeAdapter

from contracts.mailer import RecordDelivery, RecordedAddress, SuppressAddress, suppression_id
from services.gateway.commands.client import CommandClient
from services.gateway.commands.opt_outs import OptOuts
from services.gateway.commands.report_placement import PlacedReport, ReportPlacement
from services.gateway.commands.sendgrid_reports import (
    Report,
    Unplaceable,
    read_report,
    report_id,
)
from services.gateway.errors import InvalidWebhookSignature

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
# SendGrid tries again for a day, under the time of its first try; repeats are settled by their ids.
MAX_AGE = timedelta(days=3)
MAX_AHEAD = timedelta(minutes=10)
# Where quarantine says that a report came from.
ORIGIN = "sendgrid"
_SECONDS = re.compile(r"[0-9]{1,12}")
_BATCH = TypeAdapter(list[Any])


class SendGridWebhook:
    """Records reports. `public_key` is SendGrid's verification key: base64 of DER."""

    def __init__(
        self,
        public_key: str,
        commands: CommandClient,
        opt_outs: OptOuts,
        placement: ReportPlacement,
    ) -> None:
        key = load_der_public_key(base64.b64decode(public_key))
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise TypeError("the webhook's key is not an elliptic curve key")
        self._key = key
        self._commands = commands
        self._opt_outs = opt_outs
        self._placement = placement

    async def receive(self, headers: Mapping[str, str], body: bytes) -> None:
        """Return when all reports are durable, and nothing is sent to addresses that opted out.

        What cannot be read, or is of no known email, goes to quarantine. Raises
        InvalidWebhookSignature, ValueError for a body that is no JSON array, TimeoutError,
        PyMongoError or Unavailable when the batch has to be sent again: repeats are harmless.
        """
        now = datetime.now(UTC)
        self._verify(headers, body, now)
        reports: dict[UUID, Report] = {}
        events: dict[UUID, object] = {}
        unplaceable: dict[UUID, str] = {}
        for event in _BATCH.validate_json(body):
            id_ = report_id(event)
            events[id_] = event
            try:
                if report := read_report(event, now):
                    reports[id_] = report
            except Unplaceable as error:
                unplaceable[id_] = error.reason
        placed, unknown = await self._placement.place(list(reports.values()))
        unplaceable |= {one.id: f"{one.kind}: of an email that is not known" for one in unknown}
        await asyncio.gather(
            *(self._record(one) for one in placed),
            *(self._quarantine(id_, events[id_], why) for id_, why in unplaceable.items()),
        )

    def _verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        try:
            signature = base64.b64decode(headers[SIGNATURE], validate=True)
            signed = headers[TIMESTAMP].encode() + body
            self._key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
        except (KeyError, ValueError, InvalidSignature) as error:
            # ValueError: no base64, or not even ASCII.
            raise InvalidWebhookSignature(type(error).__name__) from None
        if _SECONDS.fullmatch(headers[TIMESTAMP]) is None:
            raise InvalidWebhookSignature("the timestamp is not a number of seconds")
        age = now.timestamp() - int(headers[TIMESTAMP])
        if not -MAX_AHEAD.total_seconds() <= age <= MAX_AGE.total_seconds():
            raise InvalidWebhookSignature("the timestamp is too old, or ahead of time")

    async def _record(self, placed: PlacedReport) -> None:
        report, ids = placed.report, placed.ids
        address = RecordedAddress(email=placed.email)
        command = RecordDelivery(
            agent_id=ids.agent_id,
            client_id=ids.client_id,
            followup_id=ids.followup_id,
            email_id=ids.email_id,
            kind=report.kind,
            at=report.at,
            attempt=report.attempt,
            reason=report.reason,
            personal=address,
        )
        await self._commands.send(command, report.id)
        if report.opt_out is None:
            return
        # The same once more, for the reply: it says from which version on the suppression holds.
        opt_out = SuppressAddress(
            agent_id=ids.agent_id,
            suppression_id=suppression_id(ids.agent_id, placed.email),
            reason=report.opt_out,
            source="provider",
            reported_client=ids.client_id,
            reported_at=report.at,
            personal=address,
        )
        if not await self._opt_outs.suppress(opt_out, uuid5(report.id, "opt-out")):
            raise TimeoutError

    async def _quarantine(self, id_: UUID, event: object, reason: str) -> None:
        value = json.dumps(event, sort_keys=True).encode()
        await self._commands.quarantine(ORIGIN, id_, value, reason)
