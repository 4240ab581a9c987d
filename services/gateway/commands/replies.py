"""The owners' answers to commands: every replica listens to all of them, without a group."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from chassis.kafka.client import METADATA_MS, pace_fetches
from chassis.kafka.records import Record
from chassis.process import server as serving
from contracts import cloudevents
from contracts.catalogue import REPLIES, TYPES
from contracts.cloudevents import Malformed
from contracts.replies import CommandAccepted, CommandRejected
from services.gateway.settings import GatewaySettings

STOP_SECONDS = 3

log = structlog.get_logger(__name__)

Reply = CommandAccepted | CommandRejected


class Replies:
    """What is answered to the commands of this process."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._expected: dict[UUID, asyncio.Future[Reply]] = {}

    def expect(self, command_id: UUID) -> asyncio.Future[Reply]:
        """Give the answer to come; call it before the command is sent."""
        new: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        return self._expected.setdefault(command_id, new)

    def forget(self, command_id: UUID) -> None:
        """Expect the answer no longer."""
        self._expected.pop(command_id, None)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen from now on."""
        settings = self._settings
        consumer = AIOKafkaConsumer(
            settings.kafka_topic_prefix + REPLIES.name,
            bootstrap_servers=settings.kafka_bootstrap_servers,
            client_id="realtoros-gateway-replies",
            auto_offset_reset="latest",
            metadata_max_age_ms=METADATA_MS,
        )
        await consumer.start()
        try:
            # The reply to the first command must not slip by before the positions are known.
            await consumer.seek_to_end()
            pace_fetches(consumer, settings.kafka_empty_fetch_hold_ms, settings.pace_seconds)
            listening = asyncio.create_task(self._listen(consumer))
            listening.add_done_callback(serving.stop_if_failed)
            yield
            listening.remove_done_callback(serving.stop_if_failed)
            listening.cancel()
        finally:
            # After an outage aiokafka's fetcher may never end.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await consumer.stop()

    async def _listen(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            try:
                batches = await consumer.getmany()
            except KafkaError as error:
                log.warning("listening_failed", error=repr(error))
                await asyncio.sleep(1)
                continue
            for record in (record for batch in batches.values() for record in batch):
                self._read(record)

    def _read(self, record: Record) -> None:
        try:
            envelope = cloudevents.read(record.headers)
            answer = self._expected.pop(envelope.correlation, None)
            if answer and not answer.done():
                type_: Any = TYPES[envelope.type]
                answer.set_result(type_.model_validate_json(record.value))
        except (Malformed, KeyError, ValidationError) as error:
            log.warning("reply_unreadable", error=type(error).__name__)
