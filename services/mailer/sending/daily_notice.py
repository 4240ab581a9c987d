"""The notice that an agent's emails or letters of a day are used up: one a day, to the admin."""

from datetime import timedelta
from uuid import UUID, uuid5

from chassis.domain.state import Given
from contracts.composer import DraftPostponed, Letter
from contracts.mailer import EmailPostponed
from contracts.message import rfc3339
from contracts.notices import NoticeEvent, NoticeQueued
from services.mailer.notice import Notice
from services.mailer.sending.before_call import DAILY_LIMIT

Postponed = EmailPostponed | DraftPostponed
# It is news for a day.
_GOOD_FOR = timedelta(days=1)


def notice_id(postponed: Postponed) -> UUID:
    """Return the id of the notice of the agent and the day (UTC)."""
    what = f"{postponed.wire_name} {postponed.postponed_at.date()}"
    return uuid5(postponed.agent_id, what)


def queue(
    notice: Notice | None, postponed: Postponed, given: Given, *, admin_email: str
) -> list[NoticeEvent]:
    """Tell the admin, unless it was told today."""
    if notice or postponed.reason != DAILY_LIMIT:
        return []
    return [
        NoticeQueued(
            agent_id=postponed.agent_id,
            notice_id=notice_id(postponed),
            queued_at=given.now,
            expires_at=given.now + _GOOD_FOR,
            personal=_letter(postponed, admin_email),
        )
    ]


def _letter(postponed: Postponed, admin_email: str) -> Letter:
    what, setting = (
        ("emails", "EMAILS_PER_DAY")
        if isinstance(postponed, EmailPostponed)
        else ("letters", "LETTERS_PER_DAY")
    )
    return Letter(
        to_name="RealtorOS admin",
        to_email=admin_email,
        from_name="RealtorOS",
        subject=f"RealtorOS: an agent's {what} of a day are used up",
        body=f"Agent {postponed.agent_id} has as many {what} in a day as {setting} allows."
        f" The others wait: nothing is lost, and they go on by themselves from"
        f" {rfc3339(postponed.until)} on.\n\nIf so many are meant, raise {setting} of mailer or"
        f" composer; if not, pause all sending: POST /api/admin/sending/pause.",
    )
