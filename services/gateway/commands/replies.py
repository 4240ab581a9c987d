"""The owners' replies to commands: every replica reads all of them, without a consumer group."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from chassis.kafka.client import METADATA_MS
from chassis.kafka.consumer import PacedConsumer
from chassis.kafka.records import Record
from chassis.kafka.servers import KafkaServers
from chassis.process import server
from contracts import cloudevents
from contracts.catalogue import REPLIES, TYPES
from contracts.cloudevents import Malformed
from contracts.replies import CommandAccepted, CommandRejected
from services.gateway.settings import GatewaySettings

STOP_SECONDS = 3

log = structlog.get_logger(__name__)

Reply = CommandAccepted | CommandRejected


class _ExpectedReply(NamedTuple):
    """The future reply to a command, and the service that has to send it."""

    owner: str
    reply: asyncio.Future[Reply]


class Replies:
    """The replies to this process's commands."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._expected: dict[UUID, _ExpectedReply] = {}

    def expect(self, command_id: UUID, owner: str) -> asyncio.Future[Reply]:
        """Return the future reply of the command's owner; call it before the command is sent."""
        if command_id not in self._expected:
            new: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
            self._expected[command_id] = _ExpectedReply(owner, new)
        return self._expected[command_id].reply

    def forget(self, command_id: UUID) -> None:
        """No longer expect the reply."""
        self._expected.pop(command_id, None)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read replies from now on."""
        settings = self._settings
        consumer: AIOKafkaConsumer = KafkaServers.of(settings).consumer(
            settings.kafka_topic_prefix + REPLIES.name,
            make=PacedConsumer,
            client_id="realtoros-gateway-replies",
            auto_offset_reset="latest",
            metadata_max_age_ms=METADATA_MS,
            empty_hold_ms=settings.kafka_empty_fetch_hold_ms,
            pace_seconds=settings.pace_seconds,
        )
        await consumer.start()
        try:
            # A reply to the first command must not be written before the positions are known.
            await consumer.seek_to_end()
            listening = asyncio.create_task(self._consume(consumer))
            listening.add_done_callback(server.stop_if_failed)
            yield
            listening.remove_done_callback(server.stop_if_failed)
            listening.cancel()
        finally:
            # After an outage aiokafka's fetcher may never end.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await consumer.stop()

    async def _consume(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            try:
                batches = await consumer.getmany()
            except KafkaError as error:
                log.warning("listening_failed", error=repr(error))
                await asyncio.sleep(1)
                continue
            for record in (record for batch in batches.values() for record in batch):
                self._resolve(record)

    def _resolve(self, record: Record) -> None:
        try:
            envelope = cloudevents.read(record.headers)
            expected = self._expected.get(envelope.correlation)
            if expected is None:
                return
            if envelope.source != expected.owner:
                raise Malformed("ce_source", f"is not {expected.owner}, which owns the command")
            type_ = TYPES.get(envelope.type)
            if type_ is None or type_ not in REPLIES.types:
                raise Malformed("ce_type", "is not that of a reply")
            reply: Any = type_.model_validate_json(record.value or b"")
        except Malformed as error:
            log.warning("reply_unreadable", error=str(error))
        except ValidationError as error:
            log.warning("reply_unreadable", error=type(error).__name__)
        else:
            del self._expected[envelope.correlation]
            if not expected.reply.done():
                expected.reply.set_result(reply)
