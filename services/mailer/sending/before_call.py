"""What can become of an email before the call: withheld, withdrawn, postponed, addressed anew."""

from datetime import datetime, timedelta
from uuid import UUID

from chassis.domain.errors import Refused
from chassis.domain.sending_hours import SendingWindow
from chassis.domain.state import Given
from contracts.mailer import (
    EmailEvent,
    EmailPostponed,
    EmailWithdrawn,
    EmailWithheld,
    WithholdReason,
)
from contracts.scheduler import DueFollowupCancelled, FollowupReassigned
from services.mailer.email import Email, about, queued_again, require_sending, start

REASSIGNED, DAILY_LIMIT, SENDING_HOURS = "client_reassigned", "daily_limit", "sending_hours"


def withhold(email: Email, given: Given, *, reason: WithholdReason) -> list[EmailEvent]:
    """Withhold an email whose attempt has started."""
    require_sending(email, email.attempt)
    return [EmailWithheld(**about(email), reason=reason, withheld_at=given.now)]


def withdraw(email: Email, given: Given, *, reason: str) -> list[EmailEvent]:
    """Withdraw an email that waits, has failed, or whose attempt has started."""
    if email.status not in ("queued", "failed"):
        require_sending(email, email.attempt)
    return [EmailWithdrawn(**about(email), reason=reason, withdrawn_at=given.now)]


def withdraw_on_reassignment(
    email: Email | None, followup: FollowupReassigned, given: Given
) -> list[EmailEvent]:
    """Withdraw an email that waits; one whose attempt has started is withdrawn by its worker."""
    if email and email.status == "queued" and email.agent_id != followup.agent_id:
        return withdraw(email, given, reason=REASSIGNED)
    return []


def withdraw_on_cancellation(
    email: Email | None, followup: DueFollowupCancelled, given: Given
) -> list[EmailEvent]:
    """Withdraw an email that waits or has failed; its worker withdraws one that has started."""
    if email and email.status in ("queued", "failed"):
        return withdraw(email, given, reason=followup.reason)
    return []


def queue_again(email: Email, given: Given) -> list[EmailEvent]:
    """Queue an email whose attempt has started: the attempt does not count."""
    require_sending(email, email.attempt)
    return [queued_again(email, given)]


def address_anew(
    email: Email, given: Given, *, to_email: str, to_name: str | None
) -> list[EmailEvent]:
    """Queue an email whose attempt has started to the address that the client has now."""
    require_sending(email, email.attempt)
    now = {"to_email": to_email, "to_name": to_name or email.personal.to_name}
    letter = email.personal.model_copy(update=now)
    return [queued_again(email, given).model_copy(update={"personal": letter})]


def postpone(email: Email, given: Given, *, until: datetime, reason: str) -> list[EmailEvent]:
    """Postpone an email that is queued."""
    if email.status != "queued":
        raise Refused(f"the email is {email.status}")
    return [EmailPostponed(**about(email), reason=reason, postponed_at=given.now, until=until)]


def await_opening(email: Email, given: Given, *, window: SendingWindow) -> list[EmailEvent]:
    """Postpone an email that is queued to its turn in the sending hours."""
    until = window.turn(given.now, email.email_id)
    return postpone(email, given, until=until, reason=SENDING_HOURS)


def start_within(
    email: Email,
    given: Given,
    *,
    window: SendingWindow,
    give_up_after: timedelta,
    follows: tuple[UUID, ...],
) -> list[EmailEvent]:
    """Start the next attempt, unless the sending hours have ended meanwhile."""
    if not window.is_open(given.now):
        return await_opening(email, given, window=window)
    return start(email, given, give_up_after=give_up_after, follows=follows)
