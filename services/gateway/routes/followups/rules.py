"""What may still be decided of a follow-up or an email; pure. What may not, is a Conflict."""

from contracts.composer import RetryDraft
from contracts.mailer import ResolveEmail
from services.gateway.errors import Conflict
from services.gateway.read_models.documents import (
    EmailLogDocument,
    EmailStatus,
    TaskDocument,
    TaskStatus,
)

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
