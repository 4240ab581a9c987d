"""The notices of what waits, to the admin: one a day of the same.

An agent's emails or letters of a day are used up, or the language model is away.
"""

from datetime import timedelta
from uuid import UUID, uuid5

from chassis.domain.state import Given
from contracts.composer import DraftPostponed
from contracts.mailer import EmailPostponed
from contracts.message import rfc3339
from contracts.notices import NoticeEvent, NoticeQueued, own_letter
from services.mailer.notice import Notice
from services.mailer.sending.before_call import DAILY_LIMIT

Postponed = EmailPostponed | DraftPostponed
PROVIDER_AWAY = "provider_away"
# Whoever's letter meets it first.
_OF_ALL = UUID("5a4c1bb2-7b0e-4c8f-9d4e-0d2f6a7c31e8")
# It is news for a day.
_GOOD_FOR = timedelta(days=1)


def notice_id(postponed: Postponed) -> UUID:
    """Return the id of the notice of the day (UTC): of the agent, or of all for a provider."""
    what = f"{postponed.wire_name} {postponed.postponed_at.date()}"
    return uuid5(_OF_ALL if postponed.reason == PROVIDER_AWAY else postponed.agent_id, what)


def queue(
    notice: Notice | None, postponed: Postponed, given: Given, *, admin_email: str
) -> list[NoticeEvent]:
    """Tell the admin, unless it was told today."""
    if notice or postponed.reason not in (DAILY_LIMIT, PROVIDER_AWAY):
        return []
    about = _outage if postponed.reason == PROVIDER_AWAY else _limit
    return [
        NoticeQueued(
            agent_id=postponed.agent_id,
            notice_id=notice_id(postponed),
            queued_at=given.now,
            expires_at=given.now + _GOOD_FOR,
            personal=own_letter(admin_email, *about(postponed)),
        )
    ]


def _outage(postponed: Postponed) -> tuple[str, str]:
    return (
        "no letters are written at present",
        (
            "The language model is away, or refuses everybody: no letter is written, and all wait."
            " None counts as failed, and they go on by themselves once it answers.\n\nIf it is up,"
            " look at its key and account; composer's log names the refusal (provider_away), and"
            " realtoros status shows whether it is over."
        ),
    )


def _limit(postponed: Postponed) -> tuple[str, str]:
    what, setting = (
        ("emails", "EMAILS_PER_DAY")
        if isinstance(postponed, EmailPostponed)
        else ("letters", "LETTERS_PER_DAY")
    )
    return (
        f"an agent's {what} of a day are used up",
        (
            f"Agent {postponed.agent_id} has as many {what} in a day as {setting} allows."
            f" The others wait: nothing is lost, and they go on by themselves from"
            f" {rfc3339(postponed.until)} on.\n\nIf so many are meant, raise {setting} of mailer or"
            f" composer; if not, pause all sending: POST /api/admin/sending/pause."
        ),
    )
