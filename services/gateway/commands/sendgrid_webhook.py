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

from chassis.inbox.quarantine import QUARANTINED
from chassis.observability.series import at_zero
from contracts.mailer import (
    OptOutReason,
    RecordDelivery,
    RecordedAddress,
)
from services.gateway.commands.client import AT_ONCE, CommandClient
from services.gateway.commands.opt_outs import OptOuts, opt_out_of
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
at_zero(QUARANTINED, (ORIGIN,))
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
        for number, event in enumerate(_BATCH.validate_json(body)):
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                if report := read_report(event, now):
                    reports[report.id], events[report.id] = report, event
            except Unplaceable as error:
                id_ = report_id(event)
                unplaceable[id_], events[id_] = error.reason, event
        placed, unknown = await self._placement.place(list(reports.values()))
        unplaceable |= {one.id: f"{one.kind}: of an email that is not known" for one in unknown}
        await self._commands.send_all([(one.report.id, _record(one)) for one in placed])
        await asyncio.gather(
            *(self._opt_out(one, one.report.opt_out) for one in placed if one.report.opt_out),
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

    async def _opt_out(self, placed: PlacedReport, reason: OptOutReason) -> None:
        """Suppress the address, of which the report tells mailer already, once more.

        For the reply: it says from which version on the suppression holds.
        """
        report, ids = placed.report, placed.ids
        opt_out = opt_out_of(
            ids.agent_id,
            ids.client_id,
            placed.email,
            source="provider",
            reason=reason,
            reported_at=report.at,
        )
        if not await self._opt_outs.suppress(opt_out, uuid5(report.id, "opt-out")):
            raise TimeoutError

    async def _quarantine(self, id_: UUID, event: object, reason: str) -> None:
        value = json.dumps(event, sort_keys=True).encode()
        await self._commands.quarantine(ORIGIN, id_, value, reason)


def _record(placed: PlacedReport) -> RecordDelivery:
    report, ids = placed.report, placed.ids
    return RecordDelivery(
        agent_id=ids.agent_id,
        client_id=ids.client_id,
        followup_id=ids.followup_id,
        email_id=ids.email_id,
        kind=report.kind,
        at=report.at,
        attempt=report.attempt,
        reason=report.reason,
        personal=RecordedAddress(email=placed.email),
    )
