"""SendGrid's event webhook: signed reports on emails, turned into commands."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

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
from services.gateway.commands.sendgrid_signature import VerificationKey

# Where quarantine says that a report came from.
ORIGIN = "sendgrid"
at_zero(QUARANTINED, (ORIGIN,))
_BATCH = TypeAdapter(list[Any])


class SendGridWebhook:
    """Records reports."""

    def __init__(
        self,
        key: VerificationKey,
        commands: CommandClient,
        opt_outs: OptOuts,
        placement: ReportPlacement,
    ) -> None:
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
        self._key.verify(headers, body)
        now = datetime.now(UTC)
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
