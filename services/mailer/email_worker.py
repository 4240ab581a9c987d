"""What mailer does for an email that is due: call the provider, at most once per attempt."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid5

import structlog

from chassis.calls.call_limit import CallLimit
from chassis.calls.slots import LOCAL_SLOTS
from chassis.domain.errors import (
    CallFailed,
    OnHold,
    OutcomeUnknown,
    ProviderAway,
    Refused,
    Throttled,
)
from chassis.domain.sending_hours import SendingWindow
from chassis.eventlog.waiting import WaitingWork
from chassis.eventlog.work import Work
from chassis.mongo.batch_loader import BatchLoader
from chassis.mongo.daily_limit import DailyLimitReached, DailyPlaces, Place
from chassis.observability.series import at_zero
from chassis.process.dependency_health import DependencyHealth
from chassis.process.metrics import FAILURES, report_failure
from chassis.service import Service
from contracts.links.replies import ReplyAddresses
from contracts.mailer import SENDING_ID, EmailEvent
from services.mailer import email
from services.mailer.documents import (
    EMAILS,
    INACTIVE_AGENTS,
    SWITCHES,
    InactiveAgentDocument,
    SwitchDocument,
)
from services.mailer.email import Email
from services.mailer.letters.endings import Endings
from services.mailer.letters.threads import LastLetters
from services.mailer.sending.before_call import (
    DAILY_LIMIT,
    REASSIGNED,
    await_opening,
    postpone,
    queue_again,
    start_within,
    withdraw,
)
from services.mailer.sending.hours import AGENT_HOURS, EmailHours
from services.mailer.sending.objections import (
    Objections,
    is_deactivated,
    is_of_former_agent,
    is_paused,
)
from services.mailer.sending.send_policy import SendPolicy
from services.mailer.settings import MailerSettings
from services.mailer.transports.transport import OutgoingLetter, Transport

# Work stops within five seconds of a deactivation. Nearly every email asks for the same few agents.
INACTIVE_SECONDS = 1.0
SWITCH_SECONDS = 0.25
# An agent who has just changed them knows that they hold from now on, not for what is under way.
HOURS_SECONDS = 1.0

log = structlog.get_logger(__name__)

at_zero(FAILURES, ("sending_failed", "outcome_unknown"))


@dataclass(frozen=True)
class SendDependencies:
    """What the worker needs to send an email.

    `inactive` and `switches` may be a moment old: they spare a start that would be in vain.
    """

    transport: Transport
    objections: Objections
    places: DailyPlaces
    inactive: BatchLoader[InactiveAgentDocument]
    switches: BatchLoader[SwitchDocument]
    policy: SendPolicy
    limit: CallLimit
    provider: DependencyHealth
    letters: LastLetters
    endings: Endings
    replies: ReplyAddresses | None
    waiting: WaitingWork
    hours: EmailHours

    async def holds(self, holder: UUID) -> bool:
        """Return whether the switch, or the agent's deactivation, still holds emails."""
        if holder == SENDING_ID:
            return is_paused(await self.switches.get(holder))
        return is_deactivated(await self.inactive.get(holder))


def register_sending(
    service: Service, transport: Transport, settings: MailerSettings, limit: CallLimit
) -> None:
    """Send due emails, once the service has caught up with its inputs."""
    inactive = service.recent(INACTIVE_AGENTS, max_age=INACTIVE_SECONDS)
    objections = Objections.of(service, settings, inactive)
    deps = SendDependencies(
        transport,
        objections,
        DailyPlaces(service.database, settings.email_limit),
        inactive,
        service.recent(SWITCHES, max_age=SWITCH_SECONDS),
        settings.send_policy,
        limit,
        service.dependency("provider"),
        LastLetters(service.database, EMAILS.collection),
        Endings.by(settings),
        settings.reply_addresses,
        WaitingWork(service.database, EMAILS, "queued", "sending"),
        EmailHours(
            settings.calendar,
            service.recent(AGENT_HOURS, max_age=HOURS_SECONDS),
            objections.recipients,
        ),
    )
    service.when_due(
        EMAILS,
        send_due_email,
        slots=limit if settings.sendgrid_api_key else min(LOCAL_SLOTS, settings.call_slots_max),
        caught_up=True,
        holds=deps.holds,
        deps=deps,
    )


async def send_due_email(work: Work[Email, EmailEvent], *, deps: SendDependencies) -> None:
    """Send a queued email; settle one whose answer or report did not come in time.

    An email that is still `sending` when it falls due got no answer. Raises OnHold while all
    sending is paused, or the agent of a queued one deactivated, unless the client is another's now;
    TryLater while an earlier one to the client waits.
    """
    match work.state.status:
        case "sending":
            await _mark_unknown(work, work.state.attempt, "no answer in time", deps.policy)
        case "unknown":
            await _hold_or_resend(work, deps.policy)
        case _:
            await _send_unless_it_waits(work, deps)


async def _send_unless_it_waits(work: Work[Email, EmailEvent], deps: SendDependencies) -> None:
    """Send, unless it can be told before SendStarted that it would be in vain."""
    agent_id = work.state.agent_id
    if await deps.holds(agent_id):
        client = await deps.objections.clients.get(work.state.client_id)
        if is_of_former_agent(work.state, client):
            # It would wait for ever.
            await work.append(withdraw, reason=REASSIGNED)
            return
        raise OnHold("the agent is deactivated", holder=agent_id)
    if await deps.holds(SENDING_ID):
        raise OnHold("all sending is paused", holder=SENDING_ID)
    window = await deps.hours.window(work.state)
    if not window.is_open(datetime.now(UTC)):
        await work.append(await_opening, window=window)
        return
    await deps.waiting.require_first(work.state.client_id, work.state.fell_due_at)
    await deps.limit.turn()
    try:
        async with deps.places.place(agent_id) as place:
            await _send(work, deps, place, window)
    except DailyLimitReached as reached:
        await work.append(postpone, until=reached.until, reason=DAILY_LIMIT)


async def _send(
    work: Work[Email, EmailEvent], deps: SendDependencies, place: Place, window: SendingWindow
) -> None:
    """Append SendStarted, then read what forbids the call, then call, then append the answer.

    Only the worker whose SendStarted is in the log calls. The place is unused unless the provider
    has accepted the email, or may have.
    """
    place.unused = True
    policy = deps.policy
    follows = await deps.letters.thread_of(work.state.client_id)
    started = await work.append(
        start_within, window=window, give_up_after=policy.give_up_after, follows=follows
    )
    if started.status != "sending":
        return
    attempt = started.attempt
    # The deadline's cause is the event that set the date; an answer needs a cause of its own.
    answered = uuid5(work.due_set_by, "answer")
    try:
        if objection := await deps.objections.to(started):
            await work.append(objection, cause=answered)
            return
        if started.due_at is None or datetime.now(UTC) + policy.call > started.due_at:
            raise CallFailed("the worker was paused before it could call")
        outgoing = _outgoing(started, deps.endings, deps.replies)
        place.unused = False
        message_id = await deps.transport.send(outgoing)
    except CallFailed as failure:
        place.unused = True
        await _record_failure(work, failure, answered, deps)
    except OutcomeUnknown as unknown:
        deps.provider.failed(unknown.reason)
        await _mark_unknown(work, attempt, unknown.reason, policy)
    except Refused:
        raise
    except Exception as bug:
        log.exception("transport_failed")
        await _mark_unknown(work, attempt, f"bug: {type(bug).__name__}", policy)
    else:
        deps.provider.succeeded()
        await work.append(
            email.sent, cause=answered, attempt=attempt, provider_message_id=message_id
        )


async def _record_failure(
    work: Work[Email, EmailEvent], failure: CallFailed, answered: UUID, deps: SendDependencies
) -> None:
    attempt = work.state.attempt
    is_throttled = isinstance(failure, Throttled)
    if isinstance(failure, ProviderAway) or not (failure.final or is_throttled):
        deps.provider.failed(failure.reason)
    if is_throttled or deps.limit.put_off(failure, work.state.email_id):
        # What keeps it waiting is the limit's turn.
        await work.append(queue_again, cause=answered)
        log.info("sending_put_off", attempt=attempt, error=failure.reason)
        return
    after = await work.append(
        email.fail_attempt,
        cause=answered,
        attempt=attempt,
        failure=failure,
        policy=deps.policy.retries,
    )
    if after.status == "failed":
        report_failure("sending_failed", attempt=attempt, error=failure.reason)
    else:
        log.warning("sending_attempt_failed", attempt=attempt, error=failure.reason)


async def _mark_unknown(
    work: Work[Email, EmailEvent], attempt: int, reason: str, policy: SendPolicy
) -> None:
    await work.append(
        email.mark_unknown, attempt=attempt, reason=reason, reconcile=policy.reconcile
    )
    log.warning("send_outcome_unknown", attempt=attempt, error=reason)


async def _hold_or_resend(work: Work[Email, EmailEvent], policy: SendPolicy) -> None:
    after = await work.append(email.hold_or_resend, on_unknown=policy.on_unknown)
    if after.status == "unknown":
        report_failure("outcome_unknown", attempt=after.attempt, error=after.error)


def _outgoing(started: Email, endings: Endings, replies: ReplyAddresses | None) -> OutgoingLetter:
    about = {
        "email_id": started.email_id,
        "client_id": started.client_id,
        "followup_id": started.followup_id,
        "agent_id": started.agent_id,
        # SendGrid has an `attempt` of its own in its reports of deferrals.
        "send_attempt": started.attempt,
    }
    return OutgoingLetter(
        started.email_id,
        started.attempt,
        started.personal,
        {name: str(value) for name, value in about.items()},
        ending=endings.of(started),
        follows=started.follows or (),
        reply_address=replies.of(started.email_id) if replies else None,
    )
