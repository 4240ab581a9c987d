"""Of which email a report is: by its custom args, else as the gateway's view knows it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from chassis.mongo.client import Database, Raw
from services.gateway.commands.sendgrid_reports import EmailIds, Report
from services.gateway.read_models.documents import EmailLogDocument

_FIELDS = ("agent_id", "sender_id", "client_id", "task_id", "to_email", "sendgrid_message_id")


@dataclass(frozen=True)
class PlacedReport:
    """A report, of which email it is, and the address that the email was sent to."""

    report: Report
    ids: EmailIds
    email: str


class ReportPlacement:
    """Finds the emails of reports."""

    def __init__(self, database: Database) -> None:
        self._emails = database[EmailLogDocument.Settings.name]

    async def place(self, reports: Sequence[Report]) -> tuple[list[PlacedReport], list[Report]]:
        """Return the reports with their emails, and those whose email is not known.

        One query looks up all that do not say it themselves. Raises PyMongoError.
        """
        incomplete = [one for one in reports if one.ids is None or one.email is None]
        by_id, by_message_id = await self._look_up(incomplete) if incomplete else ({}, {})
        placed, unknown = [], []
        for report in reports:
            found = by_id.get(report.email_id) if report.email_id else None
            if found is None:
                matches = (by_message_id.get(id_) for id_ in report.message_ids)
                found = next(filter(None, matches), None)
            ids = report.ids or (found and _ids(found))
            email = report.email or (found and found.get("to_email"))
            if ids and email:
                # Of a stranger's custom args, not even the attempt is taken.
                known = report if report.ids else replace(report, attempt=None)
                placed.append(PlacedReport(known, ids, email))
            else:
                unknown.append(report)
        return placed, unknown

    async def _look_up(self, reports: Sequence[Report]) -> tuple[dict[UUID, Raw], dict[str, Raw]]:
        ids = {one.email_id for one in reports if one.email_id}
        message_ids = {id_ for one in reports for id_ in one.message_ids}
        either = [
            {"_id": {"$in": list(ids)}},
            {"sendgrid_message_id": {"$in": list(message_ids)}},
        ]
        # One that is not queued yet was not sent either.
        found = self._emails.find({"$or": either}, dict.fromkeys(_FIELDS, 1))
        emails = [raw async for raw in found]
        return (
            {raw["_id"]: raw for raw in emails},
            {raw["sendgrid_message_id"]: raw for raw in emails if "sendgrid_message_id" in raw},
        )


def _ids(email: Raw) -> EmailIds:
    """Return the ids by which mailer knows the email: its agent is the one in whose name it is."""
    return EmailIds(
        agent_id=email.get("sender_id") or email["agent_id"],
        client_id=email["client_id"],
        followup_id=email["task_id"],
        email_id=email["_id"],
    )
