"""The service that owns the tallies in the tests of the inbox, from its parts."""

import contextlib
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaProducer

from chassis.eventlog.event_store import EventLog
from chassis.inbox.consumer_offsets import ConsumerOffsets
from chassis.inbox.inbox import Inbox
from chassis.inbox.quarantine import Quarantine
from chassis.inbox.reactor import Reactor
from chassis.inbox.replies import Replies
from chassis.inbox.stash import Stash
from chassis.inbox.subscriber import subscribe
from chassis.kafka.consumer import PacedConsumer
from chassis.mongo.client import Database
from chassis.projections.views import Views
from contracts import cloudevents
from contracts.cloudevents import Envelope
from contracts.crm import ClientDeleted
from contracts.mailer import RecordDelivery
from tests.chassis.raw_records import all_of
from tests.chassis.tally import COUNT_DELETION, OBEY, SEEN
from tests.chassis.waiting import until
from tests.servers import Server

Answer = tuple[Envelope, dict[str, Any]]


class Owner:
    """The topics of the service, as a test writes and reads them."""

    def __init__(self, server: Server, topics: str, producer: AIOKafkaProducer) -> None:
        self.server, self.topics, self.producer = server, topics, producer
        self.commands, self.clients = f"{topics}emails.commands", f"{topics}clients"

    async def quarantined(self) -> list[Any]:
        return await all_of(self.server.address, f"{self.topics}mailer.quarantine")

    async def replies(self) -> dict[UUID, list[Answer]]:
        found: dict[UUID, list[Answer]] = {}
        for record in await all_of(self.server.address, f"{self.topics}replies"):
            envelope = cloudevents.read(record.headers)
            assert envelope.cause
            found.setdefault(envelope.cause, []).append((envelope, json.loads(record.value)))
        return found

    async def until_answered(self, command: UUID, times: int = 1) -> list[Answer]:
        async def answered() -> bool:
            return len((await self.replies()).get(command, [])) >= times

        await until(answered)
        return (await self.replies())[command]


@contextlib.asynccontextmanager
async def consuming(server: Server, topics: str, inbox: Inbox) -> AsyncIterator[None]:
    """Let the inbox consume meanwhile, wired as in `Service`."""
    offsets = inbox._offsets
    broker, _ = subscribe(
        inbox,
        partial(
            server.servers.consumer,
            make=PacedConsumer,
            empty_hold_ms=50 if server.embedded else 0,
            seek_assigned=offsets.seek_assigned,
        ),
        group=f"{topics}mailer",
        topics=read(topics),
        instance=None,
        listeners=[offsets],
    )
    await broker.start()
    try:
        yield
    finally:
        await broker.stop()
        await offsets.flush()


def read(topics: str) -> list[str]:
    """Return the topics that it reads."""
    return [f"{topics}{name}" for name in ("emails.commands", "clients", "mailer.retries")]


def inbox_of(producer: AIOKafkaProducer, topics: str, log: EventLog, database: Database) -> Inbox:
    """Put the parts together."""
    views = Views(database, [SEEN])
    return Inbox(
        views,
        Stash(database),
        {RecordDelivery: [OBEY], ClientDeleted: [COUNT_DELETION]},
        Reactor(log, "mailer"),
        Replies(producer, "mailer", topics),
        Quarantine(producer, "mailer", topics),
        ConsumerOffsets(database, read(topics), {f"{topics}emails.commands"}),
        topics,
    )
