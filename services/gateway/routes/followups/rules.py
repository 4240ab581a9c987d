"""What may still be decided of a follow-up or an email; pure. What may not, is a Conflict."""

from collections.abc import Collection
from datetime import datetime

from contracts.composer import RetryDraft
from contracts.crm import Stage
from contracts.mailer import ResolveEmail
from services.gateway.errors import Conflict, InvalidField
from services.gateway.http.pagination import stored_time
from services.gateway.read_models.documents import (
    EmailLogDocument,
    EmailStatus,
    TaskDocument,
    TaskStatus,
)
from services.gateway.read_models.schemas.clients import Client

_NOT_KNOWN = (
    "whether it was sent is not known, so it cannot be cancelled: settle the email with "
    "/api/emails/{id}/resolve"
)
_TOO_LATE: dict[TaskStatus | None, str] = {
    "sent": "the follow-up was sent: it cannot be cancelled any more",
    "failed": "the follow-up has failed: it is not sent unless it is retried",
    "withheld": "the follow-up was withheld: it is not sent",
    "unknown": _NOT_KNOWN,
}
_EMAIL_TOO_LATE: dict[EmailStatus, str] = {
    "failed": "the email has failed: it is not sent unless its follow-up is retried",
    "withheld": "the email was withheld: it is not sent",
    "unknown": _NOT_KNOWN,
}
_EMAIL_SENT = "the email was sent: it cannot be cancelled any more"


def planned_time(asked: datetime | None, *, send_now: bool, now: datetime) -> datetime:
    """Return when the follow-up is to fall due. Raises InvalidField for a past date or none."""
    if asked is None and not send_now:
        raise InvalidField("scheduled_for", "is missing: give a date, or send_now: true")
    time = now if asked is None else stored_time("scheduled_for", asked)
    if send_now and time > now:
        raise InvalidField("scheduled_for", "is later than now: give a date or send_now, not both")
    if time < now and not send_now:
        raise InvalidField("scheduled_for", "is in the past: give a later date, or send_now: true")
    return now if send_now else time


def require_writable(client: Client, meant_for: Collection[Stage] = ()) -> None:
    """Raise Conflict for a client to whom no follow-up may be planned.

    A closed one may be planned what is meant for that stage.
    """
    if client.stage in ("closed", "lost") and client.stage not in meant_for:
        raise Conflict(f"the client is {client.stage}: change its stage first")
    if client.email_status == "bounced":
        raise Conflict("the client's address does not take emails: correct it first")
    if client.email_status:
        raise Conflict("the client has opted out of emails")


def require_open(task: TaskDocument) -> None:
    """Raise Conflict when it is too late to cancel the follow-up.

    Of one that is cancelled already scheduler knows whether it is the same command once more.
    """
    if task.status in _TOO_LATE:
        raise Conflict(_TOO_LATE[task.status])


def require_unsent(email: EmailLogDocument) -> None:
    """Raise Conflict when it is too late to cancel the email."""
    if email.status and email.status != "queued":
        raise Conflict(_EMAIL_TOO_LATE.get(email.status, _EMAIL_SENT))


def require_own(written: TaskDocument | EmailLogDocument) -> None:
    """Raise Conflict when it was written in the name of a former agent of the client."""
    if written.sender_id:
        raise Conflict("written in the name of the client's former agent: it is not sent again")


def retry_command(task: TaskDocument) -> RetryDraft | ResolveEmail:
    """Return the command that tries again what failed. Raises Conflict when nothing did."""
    require_own(task)
    about = {"agent_id": task.agent_id, "client_id": task.client_id, "followup_id": task.id}
    if task.status == "failed" and task.email:
        return ResolveEmail(**about, email_id=task.email.email_id, resolution="resend")
    if task.status == "failed":
        return RetryDraft(**about)
    raise Conflict(f"the follow-up is {task.status}: only a failed one can be retried")
