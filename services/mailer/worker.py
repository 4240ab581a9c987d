"""What mailer does for an email that is due: call the provider, at most once per attempt."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid5

import structlog
from pymongo.errors import PyMongoError

from chassis.due import Work
from chassis.errors import CallFailed, OutcomeUnknown, Refused
from chassis.failures import report_failure
from chassis.lookup import Lookup
from chassis.trouble import Trouble
from contracts.mailer import EmailEvent, WithholdReason, suppression_id
from services.mailer import email as pure
from services.mailer.documents import DeletedClientDocument, SuppressionDocument
from services.mailer.email import Email
from services.mailer.terms import Terms
from services.mailer.transport import Parcel, Transport

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Sending:
    """What it takes to send an email."""

    transport: Transport
    suppressions: Lookup[SuppressionDocument]
    deleted: Lookup[DeletedClientDocument]
    terms: Terms
    trouble: Trouble


async def see_to_email(work: Work[Email, EmailEvent], *, sending: Sending) -> None:
    """Send a queued email; give up on an answer that did not come, and on a report that did not.

    An email that is still `sending` when it falls due was left without an answer.
    """
    match work.state.status:
        case "sending":
            await _give_up(work, work.state.attempt, "no answer in time", sending.terms)
        case "unknown":
            await _stop_waiting(work, sending.terms)
        case _:
            await _send(work, sending)


async def _send(work: Work[Email, EmailEvent], sending: Sending) -> None:
    """Append SendStarted, then ask whether it may be sent, then call, then append the answer.

    Only the worker whose SendStarted is in the log calls.
    """
    terms = sending.terms
    email = await work.append(
        lambda email, given: pure.start(email, given, give_up_after=terms.give_up_after)
    )
    attempt = email.attempt
    # Giving up has the date's own event as its cause; an answer needs one beside it.
    answered = uuid5(work.due_set_by, "answer")
    try:
        reason = await _no(email, sending)
        if reason:
            await work.append(
                lambda email, given: pure.withhold(email, given, reason=reason), cause=answered
            )
            return
        if email.due_at is None or datetime.now(UTC) + terms.call > email.due_at:
            raise CallFailed("the worker was paused before it could call")
        message_id = await sending.transport.send(_parcel(email))
    except CallFailed as failure:
        failed = failure
        if not failed.final:
            sending.trouble.note(failed.reason)
        after = await work.append(
            lambda email, given: pure.fail_attempt(
                email, given, attempt=attempt, failure=failed, policy=terms.retries
            ),
            cause=answered,
        )
        if after.status == "failed":
            report_failure("sending_failed", attempt=attempt, error=failed.reason)
        else:
            log.warning("sending_attempt_failed", attempt=attempt, error=failed.reason)
    except OutcomeUnknown as doubt:
        sending.trouble.note(doubt.reason)
        await _give_up(work, attempt, doubt.reason, terms)
    except Refused:
        raise
    except Exception as bug:
        log.exception("transport_failed")
        await _give_up(work, attempt, f"bug: {type(bug).__name__}", terms)
    else:
        sending.trouble.clear()
        await work.append(
            lambda email, given: pure.sent(
                email, given, attempt=attempt, provider_message_id=message_id
            ),
            cause=answered,
        )


async def _give_up(work: Work[Email, EmailEvent], attempt: int, reason: str, terms: Terms) -> None:
    await work.append(
        lambda email, given: pure.give_up(
            email, given, attempt=attempt, reason=reason, reconcile=terms.reconcile
        )
    )
    log.warning("send_outcome_unknown", attempt=attempt, error=reason)


async def _stop_waiting(work: Work[Email, EmailEvent], terms: Terms) -> None:
    email = await work.append(
        lambda email, given: pure.stop_waiting(email, given, on_unknown=terms.on_unknown)
    )
    if email.status == "unknown":
        report_failure("outcome_unknown", attempt=email.attempt, error=email.error)


async def _no(email: Email, sending: Sending) -> WithholdReason | None:
    """Tell why the email must not be sent, as the store says now."""
    try:
        if await sending.deleted.get(email.client_id):
            return "client_deleted"
        if await sending.suppressions.get(suppression_id(email.agent_id, email.personal.to_email)):
            return "address_suppressed"
    except PyMongoError as error:
        raise CallFailed("suppressions could not be read") from error
    return None


def _parcel(email: Email) -> Parcel:
    about = ("email_id", "client_id", "followup_id", "agent_id", "attempt")
    return Parcel(
        email.email_id,
        email.attempt,
        email.personal,
        {name: str(getattr(email, name)) for name in about},
    )
