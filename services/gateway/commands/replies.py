"""The owners' replies to commands: every replica reads all of them, without a consumer group."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from chassis.kafka.client import METADATA_MS
from chassis.kafka.consumer import PacedConsumer
from chassis.kafka.records import Record
from chassis.process import server
from contracts import cloudevents
from contracts.catalogue import REPLIES, TYPES
from contracts.cloudevents import Malformed
from contracts.replies import CommandAccepted, CommandRejected
from services.gateway.settings import GatewaySettings

STOP_SECONDS = 3

log = structlog.get_logger(__name__)

Reply = CommandAccepted | CommandRejected


class Replies:
    """The replies to this process's commands."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._expected: dict[UUID, asyncio.Future[Reply]] = {}

    def expect(self, command_id: UUID) -> asyncio.Future[Reply]:
        """Return the future reply; call it before the command is sent."""
        new: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        return self._expected.setdefault(command_id, new)

    def forget(self, command_id: UUID) -> None:
        """No longer expect the reply."""
        self._expected.pop(command_id, None)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read replies from now on."""
        settings = self._settings
        consumer: AIOKafkaConsumer = PacedConsumer(
            settings.kafka_topic_prefix + REPLIES.name,
            bootstrap_servers=settings.kafka_bootstrap_servers,
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
            reply = self._expected.pop(envelope.correlation, None)
            if reply and not reply.done():
                type_: Any = TYPES[envelope.type]
                reply.set_result(type_.model_validate_json(record.value))
        except (Malformed, KeyError, ValidationError) as error:
            log.warning("reply_unreadable", error=type(error).__name__)
