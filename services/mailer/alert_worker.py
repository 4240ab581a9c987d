"""The worker for due alerts: emails each to the admin once, through the same transport."""

from typing import get_args
from uuid import uuid5

import structlog

from chassis.calls.call_limit import CallLimit
from chassis.domain.errors import CallFailed, OutcomeUnknown
from chassis.domain.retry import RetryPolicy
from chassis.eventlog.work import Work
from chassis.mongo.batch_loader import BatchLoader
from chassis.service import Service
from contracts.mailer import AlertEvent, Problem, email_id
from contracts.message import rfc3339
from contracts.notices import own_letter
from services.mailer import alert, reactions
from services.mailer.alert import Alert, Failure
from services.mailer.documents import ALERTS
from services.mailer.sending.recipients import RECIPIENTS, RecipientDocument
from services.mailer.settings import MailerSettings
from services.mailer.transports.transport import OutgoingLetter, Transport

log = structlog.get_logger(__name__)

_PROBLEMS: dict[Problem, str] = {
    "composition_failed": "A follow-up could not be written",
    "sending_failed": "A follow-up could not be sent",
    "outcome_unknown": "A follow-up may or may not have been sent",
}
_REMEDIES: dict[Problem, str] = {
    "composition_failed": "Fix the cause, then have it written again:"
    " POST {api}/admin/tasks/{alert.followup_id}/retry",
    "sending_failed": "Fix the cause, then have it sent again:"
    " POST {api}/admin/tasks/{alert.followup_id}/retry",
    "outcome_unknown": "Look it up at the mail provider, then report what you find:"
    ' POST {api}/admin/emails/{email_id}/resolve with {{"resolution": "sent"}},'
    ' or {{"resolution": "resend"}} to send it again',
}


def register_alerts(
    service: Service, transport: Transport, settings: MailerSettings, limit: CallLimit
) -> None:
    """Make failures raise alerts, and send those to the admin."""
    for failure in get_args(Failure):
        service.react(failure, reactions.raise_alert)
    service.when_due(
        ALERTS,
        send_alert,
        slots=4,
        transport=transport,
        recipients=service.loader(RECIPIENTS),
        admin_email=settings.admin_email,
        public_url=settings.public_url,
        policy=settings.retries,
        limit=limit,
    )


async def send_alert(
    work: Work[Alert, AlertEvent],
    *,
    transport: Transport,
    recipients: BatchLoader[RecipientDocument],
    admin_email: str,
    public_url: str,
    policy: RetryPolicy,
    limit: CallLimit,
) -> None:
    """Append AlertStarted, then call, then append the answer.

    Without an answer the alert stays `started`; the ERROR log and the metric show the failure, too.
    """
    await limit.turn()
    answered = uuid5(work.due_set_by, "answer")
    client = await recipients.get(work.state.client_id)
    started = await work.append(alert.start)
    name = client.name if client else None
    try:
        await transport.send(_outgoing(started, name, admin_email, public_url))
    except CallFailed as failure:
        log.warning("alert_failed", attempt=started.attempt, error=failure.reason)
        waits = limit.put_off(failure, started.alert_id)
        await work.append(
            alert.fail_attempt, cause=answered, failure=failure, policy=policy, waits=waits
        )
    except OutcomeUnknown as unknown:
        log.warning("alert_outcome_unknown", attempt=started.attempt, error=unknown.reason)
    else:
        await work.append(alert.sent, cause=answered)


def _outgoing(
    alert: Alert, client_name: str | None, admin_email: str, public_url: str
) -> OutgoingLetter:
    remedy = _REMEDIES[alert.problem].format(
        api=f"{public_url}/api", alert=alert, email_id=email_id(alert.followup_id)
    )
    # A client who was deleted has no name any more.
    client = f"{client_name} ({alert.client_id})" if client_name else str(alert.client_id)
    concerned = f"Client: {client}\nFollow-up: {alert.followup_id}\nAgent: {alert.agent_id}"
    problem = _PROBLEMS[alert.problem]
    body = f"{problem}: {alert.error}.\n\n{concerned}\nTime: {rfc3339(alert.raised_at)}\n\n{remedy}"
    letter = own_letter(admin_email, problem, body)
    about = {"alert_id": str(alert.alert_id)}
    return OutgoingLetter(alert.alert_id, alert.attempt, letter, about, automatic=True)
