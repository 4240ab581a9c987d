"""Replies: every command is answered on the topic `replies`, and again when it is redelivered."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid5

import structlog
from aiokafka import AIOKafkaProducer
from prometheus_client import Counter

from chassis.domain.errors import Refused
from chassis.inbox.receipts import Done, Outcome
from chassis.kafka.client import PUBLISH_SECONDS
from chassis.observability.series import at_zero
from contracts import cloudevents
from contracts.catalogue import REPLIES
from contracts.cloudevents import Envelope
from contracts.message import Message
from contracts.replies import CommandAccepted, CommandRejected

COMMANDS = Counter("realtoros_commands_total", "Commands answered, by outcome.", ["outcome"])
at_zero(COMMANDS, ("accepted", "rejected"))

log = structlog.get_logger(__name__)


class Replies:
    """Publishes the outcomes of commands."""

    def __init__(self, producer: AIOKafkaProducer, service: str, prefix: str) -> None:
        self._producer = producer
        self._service = service
        self._topic = prefix + REPLIES.name

    async def send(self, outcomes: Sequence[tuple[Envelope, Message, Outcome]]) -> None:
        """Answer commands. Raises KafkaError or TimeoutError when an answer could not be stored."""
        async with asyncio.timeout(PUBLISH_SECONDS):
            await asyncio.gather(
                *(
                    self._send(envelope, reply)
                    for envelope, message, outcome in outcomes
                    if (reply := _reply(envelope, message, outcome))
                )
            )
        for envelope, message, outcome in outcomes:
            _tell(envelope, message, outcome)

    async def _send(self, command: Envelope, reply: CommandAccepted | CommandRejected) -> None:
        envelope = cloudevents.about(
            reply,
            id=uuid5(command.id, "reply"),
            source=self._service,
            time=datetime.now(UTC),
            correlation=command.correlation,
            cause=command.id,
        )
        await self._producer.send_and_wait(
            self._topic,
            key=str(command.id).encode(),
            value=reply.to_json().encode(),
            headers=cloudevents.write(envelope),
        )


def _tell(command: Envelope, message: Message, outcome: Outcome) -> None:
    """Count and log whose command was answered; not a refusal's reason, which may be personal."""
    facts = {
        "type": type(message).__name__,
        "correlation": str(command.correlation),
        "agent_id": str(message.agent_id),
    }
    if client_id := getattr(message, "client_id", None):
        facts["client_id"] = str(client_id)
    if isinstance(outcome, Done):
        COMMANDS.labels("accepted").inc()
        log.info("command_accepted", **facts)
    elif isinstance(outcome, Refused):
        COMMANDS.labels("rejected").inc()
        log.info("command_rejected", kind=outcome.kind, field=outcome.field, **facts)


def _reply(
    command: Envelope, message: Message, outcome: Outcome
) -> CommandAccepted | CommandRejected | None:
    """Return the answer; None for a bug: the command is in quarantine, unanswered."""
    if isinstance(outcome, Done):
        return CommandAccepted(
            agent_id=message.agent_id, about=outcome.stream, version=outcome.version
        )
    if isinstance(outcome, Refused):
        return CommandRejected(
            agent_id=message.agent_id,
            about=command.subject,
            kind=outcome.kind,
            reason=outcome.reason,
            field=outcome.field,
        )
    return None
