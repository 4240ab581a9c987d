"""Commands: ordered through Kafka, answered on `replies`, shown once the own view has them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from chassis import serving
from chassis.kafka import pace_fetches
from chassis.mongo import Database
from chassis.views import Views, view_raw
from contracts import cloudevents
from contracts.catalogue import REPLIES, TYPES, topic_of
from contracts.cloudevents import Malformed
from contracts.message import Command
from contracts.replies import CommandAccepted, CommandRejected
from services.gateway.documents import COMMAND_KEPT, CommandDocument
from services.gateway.settings import GatewaySettings

LOOK_SECONDS = 0.25
STOP_SECONDS = 3

log = structlog.get_logger(__name__)

Answer = CommandAccepted | CommandRejected


class Unavailable(Exception):
    """Kafka is away; the caller may try again."""


class Rejected(Exception):
    """The owner says no; `answer` tells why and which field."""

    def __init__(self, answer: CommandRejected) -> None:
        super().__init__(answer.reason)
        self.answer = answer


class StillRunning(Exception):
    """The command is durable but not answered, or not shown, yet."""

    def __init__(self, command_id: UUID) -> None:
        super().__init__(str(command_id))
        self.command_id = command_id


class Commands:
    """Sends commands and waits for what becomes of them. One per gateway process."""

    def __init__(self, settings: GatewaySettings, database: Database, views: Views) -> None:
        self._settings = settings
        self._kept = database[CommandDocument.Settings.name]
        self._views = views
        self._producer: AIOKafkaProducer | None = None
        self._asked: dict[UUID, asyncio.Future[Answer]] = {}
        self._unshown: dict[tuple[str, int], asyncio.Event] = {}
        self._writing: set[asyncio.Task[Any]] = set()
        views.listeners.append(self._reached)

    @contextlib.asynccontextmanager
    async def running(self, producer: AIOKafkaProducer) -> AsyncIterator[None]:
        """Listen for replies from now on: every replica to all of them, without a group."""
        settings = self._settings
        self._producer = producer
        consumer = AIOKafkaConsumer(
            settings.kafka_topic_prefix + REPLIES.name,
            bootstrap_servers=settings.kafka_bootstrap_servers,
            client_id="realtoros-gateway-replies",
            auto_offset_reset="latest",
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

    async def order(self, command: Command, command_id: UUID | None = None) -> CommandAccepted:
        """Send a command and wait until it is accepted and the views show it.

        One that is sent again under its id is answered again, and not carried out twice.
        Raises Rejected, StillRunning after `command_timeout_seconds`, Unavailable without Kafka.
        """
        command_id = command_id or uuid4()
        new: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        answer = self._asked.setdefault(command_id, new)
        try:
            await self.send(command, command_id)
        except Unavailable:
            self._asked.pop(command_id, None)
            raise
        deadline = asyncio.get_running_loop().time() + self._settings.command_timeout_seconds
        try:
            async with asyncio.timeout_at(deadline):
                outcome = await asyncio.shield(answer)
            if isinstance(outcome, CommandAccepted):
                await self._until_shown(outcome.about, outcome.version, deadline)
        except TimeoutError:
            await self._keep(command_id, command, answer)
            raise StillRunning(command_id) from None
        if isinstance(outcome, CommandRejected):
            raise Rejected(outcome)
        return outcome

    async def send_until_shown(
        self, command: Command, command_id: UUID, stream: str, version: int
    ) -> None:
        """Send a command and wait until the views show the stream at the version.

        Raises TimeoutError after `command_timeout_seconds`, Unavailable without Kafka.
        """
        await self.send(command, command_id)
        wait = self._settings.command_timeout_seconds
        await self._until_shown(stream, version, asyncio.get_running_loop().time() + wait)

    async def send(self, command: Command, command_id: UUID) -> None:
        """Make a command durable. Raises Unavailable when Kafka does not take it in time."""
        if self._producer is None:
            raise Unavailable
        envelope = cloudevents.about(
            command,
            id=command_id,
            source="gateway",
            time=datetime.now(UTC),
            correlation=command_id,
        )
        try:
            async with asyncio.timeout(self._settings.command_timeout_seconds):
                await self._producer.send_and_wait(
                    self._settings.kafka_topic_prefix + topic_of(type(command)),
                    key=str(command.key).encode(),
                    value=command.to_json().encode(),
                    headers=cloudevents.write(envelope),
                )
        except (KafkaError, TimeoutError) as error:
            raise Unavailable from error

    async def _listen(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            try:
                record = await consumer.getone()
                envelope = cloudevents.read(record.headers)
                answer = self._asked.pop(envelope.correlation, None)
                if answer and not answer.done():
                    type_: Any = TYPES[envelope.type]
                    answer.set_result(type_.model_validate_json(record.value))
            except KafkaError as error:
                log.warning("listening_failed", error=repr(error))
                await asyncio.sleep(1)
            except (Malformed, KeyError, ValidationError) as error:
                log.warning("reply_unreadable", error=type(error).__name__)

    async def _until_shown(self, stream: str, version: int, deadline: float) -> None:
        """Wait for the views, which this replica or another brings up to date.

        Looks at the time itself: pymongo may swallow a cancellation, or hang after it (mongo.ping).
        """
        key = (stream, version)
        shown = self._unshown.setdefault(key, asyncio.Event())
        try:
            while not shown.is_set() and await self._views.version(stream) < version:
                if asyncio.get_running_loop().time() > deadline:
                    raise TimeoutError
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await shown.wait()
        finally:
            self._unshown.pop(key, None)

    def _reached(self, versions: Mapping[str, int]) -> None:
        for (stream, version), shown in self._unshown.items():
            if versions.get(stream, 0) >= version:
                shown.set()

    async def _keep(
        self, command_id: UUID, command: Command, answer: asyncio.Future[Answer]
    ) -> None:
        """Remember a command that the caller no longer waits for, and its answer when it comes."""
        waiting = CommandDocument(
            id=command_id, agent_id=command.agent_id, created_at=datetime.now(UTC)
        )
        await self._kept.replace_one({"_id": command_id}, view_raw(waiting), upsert=True)
        loop = asyncio.get_running_loop()
        loop.call_later(COMMAND_KEPT.total_seconds(), self._asked.pop, command_id, None)
        answer.add_done_callback(lambda done: self._note(command_id, done.result()))

    def _note(self, command_id: UUID, answer: Answer) -> None:
        if isinstance(answer, CommandAccepted):
            settled: dict[str, Any] = {"status": "accepted"}
        else:
            settled = {
                "status": "rejected",
                **answer.model_dump(include={"kind", "reason", "field"}),
            }
        writing = asyncio.create_task(self._kept.update_one({"_id": command_id}, {"$set": settled}))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
