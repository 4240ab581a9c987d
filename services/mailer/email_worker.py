"""What mailer does for an email that is due: call the provider, at most once per attempt."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid5

import structlog
from pymongo.errors import PyMongoError

from chassis.domain.errors import CallFailed, OnHold, OutcomeUnknown, Refused
from chassis.domain.state import Given
from chassis.eventlog.due_loop import Work
from chassis.mongo.batch_loader import BatchLoader
from chassis.process.dependency_health import DependencyHealth
from chassis.process.metrics import report_failure
from chassis.service import Service
from contracts.mailer import EmailEvent, suppression_ids
from services.mailer import email
from services.mailer.documents import (
    CLIENTS,
    EMAILS,
    INACTIVE_AGENTS,
    SUPPRESSIONS,
    ClientDocument,
    InactiveAgentDocument,
    SuppressionDocument,
)
from services.mailer.email import Email
from services.mailer.send_policy import SendPolicy
from services.mailer.settings import MailerSettings
from services.mailer.transports.transport import OutgoingLetter, Transport

# Work stops within five seconds of a deactivation. Nearly every email asks for the same few agents.
INACTIVE_SECONDS = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SendDependencies:
    """What the worker needs to send an email."""

    transport: Transport
    suppressions: BatchLoader[SuppressionDocument]
    clients: BatchLoader[ClientDocument]
    inactive: BatchLoader[InactiveAgentDocument]
    policy: SendPolicy
    provider: DependencyHealth

    async def is_deactivated(self, agent_id: UUID) -> bool:
        """Return whether the agent's emails are on hold."""
        agent = await self.inactive.get(agent_id)
        return agent is not None and agent.deactivated_at is not None


def register_sending(service: Service, transport: Transport, settings: MailerSettings) -> None:
    """Send due emails, once the service has caught up with its inputs."""
    deps = SendDependencies(
        transport,
        service.loader(SUPPRESSIONS),
        service.loader(CLIENTS),
        service.recent(INACTIVE_AGENTS, max_age=INACTIVE_SECONDS),
        settings.send_policy,
        service.dependency("provider"),
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

    An email that is still `sending` when it falls due got no answer. Raises OnHold while the agent
    of a queued one is deactivated, unless the client is another's now.
    """
    match work.state.status:
        case "sending":
            await _mark_unknown(work, work.state.attempt, "no answer in time", deps.policy)
        case "unknown":
            await _hold_or_resend(work, deps.policy)
        case _ if not await deps.is_deactivated(work.state.agent_id):
            await _send(work, deps)
        case _ if _is_of_former_agent(work.state, await deps.clients.get(work.state.client_id)):
            await work.append(email.withdraw)
        case _:
            raise OnHold("the agent is deactivated", holder=work.state.agent_id)


async def _send(work: Work[Email, EmailEvent], deps: SendDependencies) -> None:
    """Append SendStarted, then read what forbids the call, then call, then append the answer.

    Only the worker whose SendStarted is in the log calls.
    """
    policy = deps.policy
    started = await work.append(email.start, give_up_after=policy.give_up_after)
    attempt = started.attempt
    # The deadline's cause is the event that set the date; an answer needs a cause of its own.
    answered = uuid5(work.due_set_by, "answer")
    try:
        if objection := await _objection(started, deps):
            await work.append(objection, cause=answered)
            return
        if started.due_at is None or datetime.now(UTC) + policy.call > started.due_at:
            raise CallFailed("the worker was paused before it could call")
        message_id = await deps.transport.send(_outgoing(started))
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


async def _objection(
    started: Email, deps: SendDependencies
) -> Callable[[Email, Given], Sequence[EmailEvent]] | None:
    """Return the decision that ends the attempt before the call; None when it may be made.

    Read from the store now.
    """
    try:
        client = await deps.clients.get(started.client_id)
        if client and client.deleted_at:
            return partial(email.withhold, reason="client_deleted")
        if await _is_suppressed(started, deps):
            return partial(email.withhold, reason="address_suppressed")
        if _is_of_former_agent(started, client):
            return email.withdraw
        if await deps.is_deactivated(started.agent_id):
            return email.queue_again
    except PyMongoError as error:
        raise CallFailed("whether the email may be sent could not be read") from error
    return None


async def _is_suppressed(started: Email, deps: SendDependencies) -> bool:
    """Return whether the client's agent, or one before, must not write to the address."""
    address = started.personal.to_email
    agents = dict.fromkeys((started.agent_id, *(started.former_agents or ())))
    ids = (id_ for agent in agents for id_ in suppression_ids(agent, address))
    # They are read in one query.
    found = await asyncio.gather(*map(deps.suppressions.get, ids))
    return any(known and known.state.is_about(address) for known in found)


def _is_of_former_agent(waiting: Email, client: ClientDocument | None) -> bool:
    """Return whether the client belongs to another agent now than the email's."""
    return client is not None and client.agent_id not in (None, waiting.agent_id)


def _outgoing(started: Email) -> OutgoingLetter:
    about = ("email_id", "client_id", "followup_id", "agent_id", "attempt")
    return OutgoingLetter(
        started.email_id,
        started.attempt,
        started.personal,
        {name: str(getattr(started, name)) for name in about},
    )
