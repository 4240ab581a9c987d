"""Commands: sent through Kafka, answered on `replies`, shown once the own view has them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from chassis.mongo.client import Database
from chassis.projections.views import Views
from contracts import cloudevents
from contracts.catalogue import topic_of
from contracts.message import Command
from contracts.replies import CommandAccepted, CommandRejected
from services.gateway.commands.pending import PendingCommand, PendingCommands
from services.gateway.commands.read_your_writes import ReadYourWrites
from services.gateway.commands.replies import Replies, Reply
from services.gateway.errors import Rejected, StillRunning, Unavailable
from services.gateway.settings import GatewaySettings

# More of one caller's commands would only wait in the owner's inbox.
IN_FLIGHT = 200


class _Patience:
    """Until when a caller waits, in the loop's time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.renew()

    def renew(self) -> None:
        self.deadline = asyncio.get_running_loop().time() + self._seconds


class CommandClient:
    """Sends commands and waits for what becomes of them. One per gateway process."""

    def __init__(self, settings: GatewaySettings, database: Database, views: Views) -> None:
        self._settings = settings
        self._answers = Replies(settings)
        self._kept = PendingCommands(database, self._answers)
        self._showing = ReadYourWrites(views)
        self._producer: AIOKafkaProducer | None = None

    @contextlib.asynccontextmanager
    async def running(self, producer: AIOKafkaProducer) -> AsyncIterator[None]:
        """Listen for the answers from now on."""
        self._producer = producer
        async with self._answers.running():
            yield

    async def order(self, command: Command, command_id: UUID | None = None) -> CommandAccepted:
        """Send a command and wait until it is accepted and the views show it.

        One that is sent again under its id is answered again, and not carried out twice.
        Raises Rejected, StillRunning after `command_timeout_seconds`, Unavailable without Kafka.
        """
        order = await self._ask(command_id or uuid4(), command)
        patience = _Patience(self._settings.command_timeout_seconds)
        await self._answered(order, patience)
        [answer] = await self._settled([order], patience)
        if answer is None:
            raise StillRunning(order.id)
        if isinstance(answer, CommandRejected):
            raise Rejected(answer)
        return answer

    async def order_all(self, commands: Iterable[tuple[UUID, Command]]) -> dict[UUID, Reply]:
        """Send commands under their ids, many at a time; give the answers, all shown by the views.

        A command without one is durable, but not answered, or not shown, yet: no other had been
        for `command_timeout_seconds`. Raises Unavailable without Kafka: some of the
        commands may be carried out then; sent again under their ids they are not carried out twice.
        """
        patience = _Patience(self._settings.command_timeout_seconds)
        queue = iter(commands)
        asked: list[PendingCommand] = []

        async def work() -> None:
            for command_id, command in queue:
                order = await self._ask(command_id, command)
                asked.append(order)
                await self._answered(order, patience)
                if order.answer.done():
                    patience.renew()

        workers = [asyncio.create_task(work()) for _ in range(IN_FLIGHT)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
        answers = await self._settled(asked, patience)
        return {order.id: a for order, a in zip(asked, answers, strict=True) if a}

    async def send_until_shown(
        self, command: Command, command_id: UUID, stream: str, version: int
    ) -> None:
        """Send a command and wait until the views show the stream at the version.

        Raises TimeoutError after `command_timeout_seconds`, Unavailable without Kafka.
        """
        await self.send(command, command_id)
        patience = _Patience(self._settings.command_timeout_seconds)
        if await self._showing.until({stream: version}, patience.deadline):
            raise TimeoutError

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

    async def _ask(self, command_id: UUID, command: Command) -> PendingCommand:
        answer = self._answers.expect(command_id)
        try:
            await self.send(command, command_id)
        except Unavailable:
            self._answers.forget(command_id)
            raise
        return PendingCommand(
            command_id, command.agent_id, getattr(command, "client_id", None), answer
        )

    async def _answered(self, order: PendingCommand, patience: _Patience) -> None:
        """Wait until the owner has answered, or patience ends."""
        loop = asyncio.get_running_loop()
        while not order.answer.done() and (left := patience.deadline - loop.time()) > 0:
            await asyncio.wait({order.answer}, timeout=left)

    async def _settled(
        self, orders: Sequence[PendingCommand], patience: _Patience
    ) -> list[Reply | None]:
        """Give the answers to the orders: those of accepted ones once the views show them.

        None where patience ended before; such an order is kept, for its answer to be asked for.
        """
        answers = [order.answer.result() if order.answer.done() else None for order in orders]
        wanted: dict[str, int] = {}
        for answer in answers:
            if isinstance(answer, CommandAccepted):
                wanted[answer.about] = max(answer.version, wanted.get(answer.about, 0))
        unshown = await self._shown(wanted, patience)
        settled = [answer if answer and answer.about not in unshown else None for answer in answers]
        late = [order for order, answer in zip(orders, settled, strict=True) if answer is None]
        if late:
            await self._kept.keep(late)
        return settled

    async def _shown(self, wanted: dict[str, int], patience: _Patience) -> dict[str, int]:
        """Wait until the views show the versions, or patience ends; give what is not shown.

        Patience is renewed as long as there are fewer.
        """
        while unshown := await self._showing.until(wanted, patience.deadline):
            if len(unshown) == len(wanted):
                break
            wanted = unshown
            patience.renew()
        return unshown
