"""The worker for due notices: emails each once, through the same transport."""

from uuid import uuid5

import structlog

from chassis.calls.call_limit import CallLimit
from chassis.domain.errors import CallFailed, OutcomeUnknown
from chassis.domain.retry import RetryPolicy
from chassis.eventlog.work import Work
from chassis.inbox.stash import Stash, Stashed
from chassis.service import Service
from contracts.composer import DraftPostponed, Letter
from contracts.mailer import EmailPostponed
from contracts.notices import NoticeEvent, SendNotice
from services.mailer import notice, reactions
from services.mailer.documents import NOTICES
from services.mailer.notice import Notice
from services.mailer.settings import MailerSettings
from services.mailer.transports.transport import OutgoingLetter, Transport

log = structlog.get_logger(__name__)


def register_notices(
    service: Service, transport: Transport, settings: MailerSettings, limit: CallLimit
) -> None:
    """Queue the notices that are ordered, or that tell the admin of a limit, and send them."""
    service.stash.of(SendNotice, _stashed)
    service.react(SendNotice, reactions.queue_notice)
    if settings.admin_email:
        for postponed in (EmailPostponed, DraftPostponed):
            service.react(postponed, reactions.tell_of_limit, admin_email=settings.admin_email)
    service.when_due(
        NOTICES,
        send_notice,
        slots=4,
        transport=transport,
        policy=settings.retries,
        limit=limit,
        stash=service.stash,
    )


def _stashed(command: SendNotice) -> Stashed | None:
    """Return the letter of a confidential notice, for the stash."""
    if not command.confidential:
        return None
    return Stashed(command.notice_id, command.personal.model_dump_json(), command.expires_at)


async def send_notice(
    work: Work[Notice, NoticeEvent],
    *,
    transport: Transport,
    policy: RetryPolicy,
    limit: CallLimit,
    stash: Stash,
) -> None:
    """Append NoticeStarted, then call, then append the answer.

    Without an answer the notice stays `started`: its link can be asked for again.
    """
    await limit.turn()
    answered = uuid5(work.due_set_by, "answer")
    started = await work.append(notice.start)
    if started.status != "started" or started.letter is None:
        log.warning("notice_expired")
        return
    try:
        letter = await _letter_of(started, started.letter, stash)
        outgoing = OutgoingLetter(
            started.notice_id,
            started.attempt,
            letter,
            {"notice_id": str(started.notice_id)},
            tracked=False,
        )
        await transport.send(outgoing)
    except CallFailed as failure:
        log.warning("notice_failed", attempt=started.attempt, error=failure.reason)
        waits = limit.put_off(failure, started.notice_id)
        await work.append(
            notice.fail_attempt, cause=answered, failure=failure, policy=policy, waits=waits
        )
    except OutcomeUnknown as unknown:
        log.warning("notice_outcome_unknown", attempt=started.attempt, error=unknown.reason)
    else:
        await work.append(notice.sent, cause=answered)
        if started.confidential:
            await stash.drop(started.notice_id)


async def _letter_of(started: Notice, known: Letter, stash: Stash) -> Letter:
    """Return the letter. Raises a final CallFailed when it was stashed and is gone."""
    if not started.confidential:
        return known
    if text := await stash.get(started.notice_id):
        return Letter.model_validate_json(text)
    raise CallFailed("its text is not kept any more", final=True)
