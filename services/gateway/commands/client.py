"""Commands: sent through Kafka, replied to on `replies`, done once the views have applied them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from chassis.inbox.quarantine import Quarantine
from chassis.mongo.client import Database
from chassis.observability import tracing
from chassis.projections.views import Views
from contracts import cloudevents
from contracts.catalogue import owner_of, topic_of
from contracts.message import Command
from contracts.replies import CommandAccepted, CommandRejected
from services.gateway.commands.pending import PendingCommands, SentCommand
from services.gateway.commands.read_your_writes import ReadYourWrites
from services.gateway.commands.replies import Replies, Reply
from services.gateway.errors import CommandPending, Rejected, Unavailable
from services.gateway.settings import GatewaySettings

# More of one caller's commands would only wait in the owner's inbox.
IN_FLIGHT = 200
# So many records of a batch are handled before other requests have a turn: some milliseconds.
AT_ONCE = 100


class _Deadline:
    """When a caller stops waiting, in the loop's time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.extend()

    def extend(self) -> None:
        """Wait the whole time from now on: there was progress."""
        self.at = asyncio.get_running_loop().time() + self._seconds


class CommandClient:
    """Sends commands and waits for their outcomes. One per gateway process."""

    def __init__(self, settings: GatewaySettings, database: Database, views: Views) -> None:
        self._settings = settings
        self._replies = Replies(settings)
        self._pending = PendingCommands(database, self._replies)
        self._read_your_writes = ReadYourWrites(views)
        self._producer: AIOKafkaProducer | None = None

    @contextlib.asynccontextmanager
    async def running(self, producer: AIOKafkaProducer) -> AsyncIterator[None]:
        """Listen for replies."""
        self._producer = producer
        async with self._replies.running():
            yield

    async def execute(self, command: Command, command_id: UUID | None = None) -> CommandAccepted:
        """Send a command and wait until it is accepted and the views have applied it.

        One sent again under its id gets the same reply, and is not carried out twice.
        Raises Rejected, CommandPending after `command_timeout_seconds`, Unavailable without Kafka.
        """
        sent = await self._send_and_expect(command_id or uuid4(), command)
        deadline = self._deadline()
        await self._wait_for_reply(sent, deadline)
        [reply] = await self._outcomes([sent], deadline)
        if reply is None:
            raise CommandPending(sent.id)
        if isinstance(reply, CommandRejected):
            raise Rejected(reply)
        return reply

    async def execute_all(self, commands: Iterable[tuple[UUID, Command]]) -> dict[UUID, Reply]:
        """Send commands under their ids, many at a time; return the replies the views have applied.

        A command without one is durable but pending: for `command_timeout_seconds` no command had
        made progress. Raises Unavailable without Kafka: some of the commands may be carried out
        then; sent again under their ids they are not carried out twice.
        """
        deadline = self._deadline()
        queue = iter(commands)
        sent: list[SentCommand] = []

        async def work() -> None:
            for command_id, command in queue:
                one = await self._send_and_expect(command_id, command)
                sent.append(one)
                await self._wait_for_reply(one, deadline)
                if one.reply.done():
                    deadline.extend()

        workers = [asyncio.create_task(work()) for _ in range(IN_FLIGHT)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
        replies = await self._outcomes(sent, deadline)
        return {one.id: reply for one, reply in zip(sent, replies, strict=True) if reply}

    def deadline(self) -> float:
        """Return when a caller that begins to wait now stops waiting, in the loop's time."""
        return self._deadline().at

    async def wait_until_applied(self, stream: str, version: int, deadline: float) -> bool:
        """Wait until the views have the stream at the version; return whether, by the deadline."""
        return not await self._read_your_writes.wait_for({stream: version}, deadline)

    async def send(self, command: Command, command_id: UUID) -> None:
        """Make a command durable. Raises Unavailable when Kafka does not take it in time."""
        await self.send_all([(command_id, command)])

    async def send_all(self, commands: Sequence[tuple[UUID, Command]]) -> None:
        """Make commands durable, in a few large batches.

        Raises Unavailable when Kafka does not take all of them in time.
        """
        if self._producer is None:
            raise Unavailable
        now = datetime.now(UTC)
        try:
            async with asyncio.timeout(self._settings.command_timeout_seconds):
                # Each future is done when Kafka has the record.
                sent = []
                for number, (command_id, command) in enumerate(commands, 1):
                    sent.append(await self._produce(self._producer, command_id, command, now))
                    if number % AT_ONCE == 0:
                        await asyncio.sleep(0)
                await asyncio.gather(*sent)
        except (KafkaError, TimeoutError) as error:
            raise Unavailable from error

    async def _produce(
        self, producer: AIOKafkaProducer, command_id: UUID, command: Command, now: datetime
    ) -> asyncio.Future[Any]:
        envelope = cloudevents.about(
            command, id=command_id, source="gateway", time=now, correlation=command_id
        )
        sent: asyncio.Future[Any] = await producer.send(
            self._settings.kafka_topic_prefix + topic_of(type(command)),
            key=str(command.key).encode(),
            value=command.to_json().encode(),
            headers=cloudevents.write(envelope),
        )
        parent = None
        if (commands := tracing.sent_by_request.get()) is not None:
            commands.append(command_id)
            parent = tracing.handling_of(command_id, " request")
        tracing.published(topic_of(type(command)), [envelope], parent)
        return sent

    async def store_accepted(
        self, command: Command, command_id: UUID, reply: CommandAccepted
    ) -> None:
        """Let `GET /api/commands/{id}` show a command that is accepted, but not all it leads to."""
        done: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        done.set_result(reply)
        client_id = getattr(command, "client_id", None)
        await self._pending.add([SentCommand(command_id, command.agent_id, client_id, done)])

    async def quarantine(self, source: str, id_: UUID, value: bytes, reason: str) -> None:
        """Keep what came from outside, and cannot be handled, in the gateway's quarantine.

        What has the same id is kept once. Raises Unavailable when Kafka does not take it in time.
        """
        if self._producer is None:
            raise Unavailable
        settings = self._settings
        store = Quarantine(self._producer, "gateway", settings.kafka_topic_prefix)
        try:
            async with asyncio.timeout(settings.command_timeout_seconds):
                await store.put_foreign(source, id_, value, reason)
        except (KafkaError, TimeoutError) as error:
            raise Unavailable from error

    def _deadline(self) -> _Deadline:
        return _Deadline(self._settings.command_timeout_seconds)

    async def _send_and_expect(self, command_id: UUID, command: Command) -> SentCommand:
        reply = self._replies.expect(command_id, owner_of(type(command)))
        try:
            await self.send(command, command_id)
        except Unavailable:
            self._replies.forget(command_id)
            raise
        client_id = getattr(command, "client_id", None)
        return SentCommand(command_id, command.agent_id, client_id, reply)

    async def _wait_for_reply(self, sent: SentCommand, deadline: _Deadline) -> None:
        loop = asyncio.get_running_loop()
        while not sent.reply.done() and (left := deadline.at - loop.time()) > 0:
            await asyncio.wait({sent.reply}, timeout=left)

    async def _outcomes(
        self, commands: Sequence[SentCommand], deadline: _Deadline
    ) -> list[Reply | None]:
        """Return the replies to the commands, acceptances once the views have applied them.

        None for one that is pending at the deadline, which is stored as such.
        """
        replies = [one.reply.result() if one.reply.done() else None for one in commands]
        versions: dict[str, int] = {}
        for reply in replies:
            if isinstance(reply, CommandAccepted):
                versions[reply.about] = max(reply.version, versions.get(reply.about, 0))
        missing = await self._wait_for_views(versions, deadline)
        outcomes = [reply if reply and reply.about not in missing else None for reply in replies]
        pending = [one for one, reply in zip(commands, outcomes, strict=True) if reply is None]
        if pending:
            await self._pending.add(pending)
        return outcomes

    async def _wait_for_views(
        self, versions: dict[str, int], deadline: _Deadline
    ) -> dict[str, int]:
        """Wait until the views have the versions; return those missing at the deadline.

        The deadline is extended as long as they become fewer.
        """
        while missing := await self._read_your_writes.wait_for(versions, deadline.at):
            if len(missing) == len(versions):
                break
            versions = missing
            deadline.extend()
        return missing
