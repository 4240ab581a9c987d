"""Replies: every command is answered on the topic `replies`, and again when it is redelivered."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid5

from aiokafka import AIOKafkaProducer

from chassis.domain.errors import Refused
from chassis.inbox.receipts import Done, Outcome
from chassis.kafka.client import PUBLISH_SECONDS
from contracts import cloudevents
from contracts.catalogue import REPLIES
from contracts.cloudevents import Envelope
from contracts.message import Message
from contracts.replies import CommandAccepted, CommandRejected


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
