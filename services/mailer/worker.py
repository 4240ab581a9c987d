"""What mailer does for an email that is due: call the provider, at most once per attempt."""

from datetime import UTC, datetime, timedelta
from uuid import uuid5

import structlog
from pymongo.errors import PyMongoError

from chassis.due import Work
from chassis.errors import CallFailed, OutcomeUnknown, Refused
from chassis.lookup import Lookup
from chassis.retry import RetryPolicy
from contracts.mailer import EmailEvent, WithholdReason, suppression_id
from services.mailer import email as pure
from services.mailer.documents import DeletedClientDocument, SuppressionDocument
from services.mailer.email import Email
from services.mailer.transport import Parcel, Transport

log = structlog.get_logger(__name__)


async def send_email(
    work: Work[Email, EmailEvent],
    *,
    transport: Transport,
    suppressions: Lookup[SuppressionDocument],
    deleted: Lookup[DeletedClientDocument],
    call: timedelta,
    give_up_after: timedelta,
    policy: RetryPolicy,
) -> None:
    """Append SendStarted, then ask whether it may be sent, then call, then append the answer.

    Only the worker whose SendStarted is in the log calls. An email that is still `sending` when
    it falls due was left without an answer: its outcome is unknown.
    """
    if work.state.status == "sending":
        await _give_up(work, work.state.attempt, "no answer in time")
        return
    email = await work.append(lambda email, given: pure.start(email, given, call=give_up_after))
    attempt = email.attempt
    # Giving up has the date's own event as its cause; an answer needs one beside it.
    answered = uuid5(work.due_set_by, "answer")
    try:
        reason = await _no(email, suppressions, deleted)
        if reason:
            await work.append(
                lambda email, given: pure.withhold(email, given, reason=reason), cause=answered
            )
            return
        if email.due_at is None or datetime.now(UTC) + call > email.due_at:
            raise CallFailed("the worker was paused before it could call")
        message_id = await transport.send(_parcel(email))
    except CallFailed as failure:
        failed = failure
        after = await work.append(
            lambda email, given: pure.fail_attempt(
                email, given, attempt=attempt, failure=failed, policy=policy
            ),
            cause=answered,
        )
        report = log.error if after.status == "failed" else log.warning
        report("sending_failed", attempt=attempt, error=failed.reason)
    except OutcomeUnknown as doubt:
        await _give_up(work, attempt, doubt.reason)
    except Refused:
        raise
    except Exception as bug:
        log.exception("transport_failed")
        await _give_up(work, attempt, f"bug: {type(bug).__name__}")
    else:
        await work.append(
            lambda email, given: pure.sent(
                email, given, attempt=attempt, provider_message_id=message_id
            ),
            cause=answered,
        )


async def _give_up(work: Work[Email, EmailEvent], attempt: int, reason: str) -> None:
    await work.append(
        lambda email, given: pure.give_up(email, given, attempt=attempt, reason=reason)
    )
    log.error("send_outcome_unknown", attempt=attempt, error=reason)


async def _no(
    email: Email, suppressions: Lookup[SuppressionDocument], deleted: Lookup[DeletedClientDocument]
) -> WithholdReason | None:
    """Tell why the email must not be sent, as the store says now."""
    try:
        if await deleted.get(email.client_id):
            return "client_deleted"
        if await suppressions.get(suppression_id(email.agent_id, email.personal.to_email)):
            return "address_suppressed"
    except PyMongoError as error:
        raise CallFailed("suppressions could not be read") from error
    return None


def _parcel(email: Email) -> Parcel:
    return Parcel(
        email_id=email.email_id,
        client_id=email.client_id,
        followup_id=email.followup_id,
        agent_id=email.agent_id,
        attempt=email.attempt,
        letter=email.personal,
    )
