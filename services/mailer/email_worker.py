"""What mailer does for an email that is due: call the provider, at most once per attempt."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid5

import structlog
from pymongo.errors import PyMongoError

from chassis.domain.errors import CallFailed, OnHold, OutcomeUnknown, Refused
from chassis.eventlog.due_loop import Work
from chassis.mongo.batch_loader import BatchLoader
from chassis.process.dependency_health import DependencyHealth
from chassis.process.metrics import report_failure
from chassis.service import Service
from contracts.mailer import EmailEvent, WithholdReason, suppression_ids
from services.mailer import email
from services.mailer.documents import (
    DELETED_CLIENTS,
    EMAILS,
    INACTIVE_AGENTS,
    REASSIGNED_CLIENTS,
    SUPPRESSIONS,
    DeletedClientDocument,
    InactiveAgentDocument,
    ReassignedClientDocument,
    SuppressionDocument,
)
from services.mailer.email import Email
from services.mailer.letters.endings import Endings
from services.mailer.letters.threads import LastLetters
from services.mailer.send_policy import SendPolicy
from services.mailer.settings import MailerSettings
from services.mailer.transports.transport import OutgoingLetter, Transport

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SendDependencies:
    """What the worker needs to send an email."""

    transport: Transport
    suppressions: BatchLoader[SuppressionDocument]
    deleted: BatchLoader[DeletedClientDocument]
    reassigned: BatchLoader[ReassignedClientDocument]
    inactive: BatchLoader[InactiveAgentDocument]
    policy: SendPolicy
    provider: DependencyHealth
    letters: LastLetters
    endings: Endings

    async def is_deactivated(self, agent_id: UUID) -> bool:
        """Return whether the agent's emails are on hold."""
        agent = await self.inactive.get(agent_id)
        return agent is not None and agent.deactivated_at is not None

    async def is_of_former_agent(self, waiting: Email) -> bool:
        """Return whether the client belongs to another agent now than the email's."""
        client = await self.reassigned.get(waiting.client_id)
        return client is not None and client.agent_id != waiting.agent_id


def register_sending(service: Service, transport: Transport, settings: MailerSettings) -> None:
    """Send due emails, once the service has caught up with its inputs."""
    deps = SendDependencies(
        transport,
        service.loader(SUPPRESSIONS),
        service.loader(DELETED_CLIENTS),
        service.loader(REASSIGNED_CLIENTS),
        service.loader(INACTIVE_AGENTS),
        settings.send_policy,
        service.dependency("provider"),
        LastLetters(service.database, EMAILS.collection),
        Endings.by(settings),
    )
    service.when_due(
        EMAILS,
        send_due_email,
        slots=settings.call_slots,
        caught_up=True,
        holds=deps.is_deactivated,
        deps=deps,
    )


async def send_due_email(work: Work[Email, EmailEvent], *, deps: SendDependencies) -> None:
    """Send a queued email; settle one whose answer or report did not come in time.

    An email that is still `sending` when it falls due got no answer. A queued one is withdrawn if
    its client was reassigned. Raises OnHold while its agent is deactivated.
    """
    match work.state.status:
        case "sending":
            await _mark_unknown(work, work.state.attempt, "no answer in time", deps.policy)
        case "unknown":
            await _hold_or_resend(work, deps.policy)
        case _ if await deps.is_of_former_agent(work.state):
            await work.append(email.withdraw)
        case _:
            if await deps.is_deactivated(work.state.agent_id):
                raise OnHold("the agent is deactivated", holder=work.state.agent_id)
            await _send(work, deps)


async def _send(work: Work[Email, EmailEvent], deps: SendDependencies) -> None:
    """Append SendStarted, then read suppressions and deletions, then call, then append the answer.

    Only the worker whose SendStarted is in the log calls.
    """
    policy = deps.policy
    follows = await deps.letters.thread_of(work.state.client_id)
    started = await work.append(email.start, give_up_after=policy.give_up_after, follows=follows)
    attempt = started.attempt
    # The deadline's cause is the event that set the date; an answer needs a cause of its own.
    answered = uuid5(work.due_set_by, "answer")
    try:
        if await _ended_before_call(work, deps, cause=answered):
            return
        if started.due_at is None or datetime.now(UTC) + policy.call > started.due_at:
            raise CallFailed("the worker was paused before it could call")
        message_id = await deps.transport.send(_outgoing(started, deps.endings))
    except CallFailed as failure:
        if not failure.final:
            deps.provider.failed(failure.reason)
        after = await work.append(
            email.fail_attempt,
            cause=answered,
            attempt=attempt,
            failure=failure,
            policy=policy.retries,
        )
        if after.status == "failed":
            report_failure("sending_failed", attempt=attempt, error=failure.reason)
        else:
            log.warning("sending_attempt_failed", attempt=attempt, error=failure.reason)
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


async def _ended_before_call(
    work: Work[Email, EmailEvent], deps: SendDependencies, *, cause: UUID
) -> bool:
    """Settle an email that must not be sent, by what has happened since it was started.

    Withhold or withdraw it, or queue it again when its agent was deactivated.
    """
    if reason := await _withhold_reason(work.state, deps):
        await work.append(email.withhold, cause=cause, reason=reason)
    elif await _of_agent(deps.is_of_former_agent(work.state)):
        await work.append(email.withdraw, cause=cause)
    elif await _of_agent(deps.is_deactivated(work.state.agent_id)):
        await work.append(email.queue_again, cause=cause)
    else:
        return False
    return True


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


async def _withhold_reason(started: Email, deps: SendDependencies) -> WithholdReason | None:
    """Return why the email must not be sent, read from the store now; None when it may be."""
    address = started.personal.to_email
    try:
        if await deps.deleted.get(started.client_id):
            return "client_deleted"
        agents = dict.fromkeys((started.agent_id, *(started.former_agents or ())))
        ids = (id_ for agent in agents for id_ in suppression_ids(agent, address))
        # They are read in one query.
        found = await asyncio.gather(*map(deps.suppressions.get, ids))
        if any(known and known.state.is_about(address) for known in found):
            return "address_suppressed"
    except PyMongoError as error:
        raise CallFailed("suppressions could not be read") from error
    return None


async def _of_agent(answer: Awaitable[bool]) -> bool:
    """Return what the store says now of the agent."""
    try:
        return await answer
    except PyMongoError as error:
        raise CallFailed("the client's agent could not be read") from error


def _outgoing(started: Email, endings: Endings) -> OutgoingLetter:
    about = ("email_id", "client_id", "followup_id", "agent_id", "attempt")
    return OutgoingLetter(
        started.email_id,
        started.attempt,
        started.personal,
        {name: str(getattr(started, name)) for name in about},
        ending=endings.of(started),
        follows=started.follows or (),
    )
