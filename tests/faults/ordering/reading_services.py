"""Services as readers of histories: the real parts on databases of their own, no due loops."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer, ConsumerRecord

from chassis.eventlog.aggregate import Aggregate
from chassis.eventlog.event_store import CommitDocument, EventLog
from chassis.inbox.consumer_offsets import ConsumerOffsets
from chassis.inbox.inbox import Inbox
from chassis.inbox.quarantine import Quarantine
from chassis.inbox.reactor import Reactor
from chassis.inbox.replies import Replies
from chassis.inbox.stash import Stash
from chassis.mongo import client as mongo
from chassis.mongo.client import Database
from chassis.process.settings import Settings
from chassis.process.tasks import cancel_and_wait
from chassis.projections.views import Views
from chassis.service import Service
from contracts import cloudevents
from contracts.catalogue import topic_of
from services.composer import main as composer
from services.composer.settings import ComposerSettings
from services.crm import main as crm
from services.gateway import main as gateway
from services.gateway.settings import GatewaySettings
from services.mailer import main as mailer
from services.mailer.settings import MailerSettings
from services.scheduler import main as scheduler
from services.scheduler.settings import SchedulerSettings
from tests.faults.ordering.agent_history import AgentHistory
from tests.faults.ordering.delivery_orders import Input
from tests.servers import Server
from tests.system import TOKEN_KEYS, UNSUBSCRIBE_KEYS

# All imported before any is bound to a database: Beanie changes the documents' generic base.
SERVICES: dict[str, tuple[Callable[[Any], Service], type[Settings]]] = {
    "crm": (crm.build, Settings),
    "scheduler": (scheduler.build, SchedulerSettings),
    "composer": (composer.build, ComposerSettings),
    "mailer": (mailer.build, MailerSettings),
    "gateway": (gateway.build, GatewaySettings),
}
# The fields set from the clock when a message is handled: when a client was created and deleted,
# a plan paused, and from when a new draft, email or suppression waits for its worker.
SET_FROM_CLOCK = {
    "crm": {"created_at", "deleted_at"},
    "scheduler": {"paused_at"},
    "composer": {"due_at"},
    "mailer": {"due_at"},
}
# When a view was updated.
APPLIED = "applied_at"


@dataclass
class ServiceReader:
    """A service on a database of its own."""

    service: Service
    database: Database
    log: EventLog
    inbox: Inbox
    prefix: str

    @property
    def aggregates(self) -> dict[str, Aggregate[Any, Any]]:
        """The service's aggregates, by the kind of their streams."""
        met = [r.aggregate for met in self.service._reactions.values() for r in met]
        return {a.name: a for a in (*met, *(due[0] for due in self.service._due))}

    async def process(self, inputs: Sequence[Input], batches: Sequence[Sequence[int]]) -> None:
        """Handle the inputs with these numbers; a worker's append ends a batch, too."""
        for batch in batches:
            records: list[Any] = []
            for number in batch:
                if inputs[number].by_worker:
                    await self.inbox.process(records)
                    records = []
                    await self._append(inputs[number])
                else:
                    records.append(self._record(number, inputs[number]))
            await self.inbox.process(records)

    async def _append(self, one: Input) -> None:
        kind, _, of = one.recorded.envelope.subject.partition("-")
        aggregate, envelope = self.aggregates[kind], one.recorded.envelope
        stored = (await self.log.load(aggregate, [UUID(of)]))[UUID(of)]
        change = aggregate.change(
            UUID(of),
            stored,
            [one.recorded.message],
            source=self.service.name,
            cause=envelope.id,
            correlation=stored.correlation,
            at=envelope.time,
        )
        assert await self.log.append([change]) == [None]

    def _record(self, number: int, one: Input) -> Any:
        message: Any = one.recorded.message
        value = message.to_json().encode()
        return ConsumerRecord(
            topic=self.prefix + topic_of(type(message)),
            partition=0,
            offset=number,
            timestamp=0,
            timestamp_type=0,
            key=str(message.key).encode(),
            value=value,
            checksum=None,
            serialized_key_size=len(str(message.key)),
            serialized_value_size=len(value),
            headers=tuple(cloudevents.write(one.recorded.envelope)),
        )

    async def stored(self, history: AgentHistory) -> dict[str, list[Any]]:
        """Return what is stored of the history: commits, states and views, by collection."""
        commits = self.log.commits.find(
            {"stream": {"$in": sorted(history.streams)}},
            {"_id": 1, "cause": 1, "correlation": 1, "events.id": 1, "events.type": 1},
        )
        by_collection: dict[str, list[Any]] = {"commits": await commits.sort("_id").to_list()}
        ids = [*history.ids, *history.streams]
        for document in self.service.store.documents:
            if document is not CommitDocument:
                name: str = document.Settings.name
                found = self.database[name].find({"_id": {"$in": ids}}).sort("_id")
                by_collection[name] = [
                    _without_clock_values(row, self.service.name) async for row in found
                ]
        return by_collection


def _without_clock_values(row: Any, service: str) -> Any:
    """Return a document with the fields set from the clock only marked as present."""
    if not isinstance(row, dict):
        return row
    from_clock = SET_FROM_CLOCK.get(service, set()) | {APPLIED}
    return {
        n: "set" if n in from_clock else _without_clock_values(v, service) for n, v in row.items()
    }


@asynccontextmanager
async def service_reader(
    name: str, mongodb: Server, kafka: Server, producer: AIOKafkaProducer, prefix: str
) -> AsyncIterator[ServiceReader]:
    """Yield a service, wired as in its process; its database is dropped at the end."""
    build, settings = SERVICES[name]
    service = build(
        settings(
            kafka_bootstrap_servers=kafka.address,
            kafka_topic_prefix=prefix,
            mongodb_uri=mongodb.address,
            token_keys=TOKEN_KEYS,
            unsubscribe_keys=UNSUBSCRIBE_KEYS,
        )
    )
    client = service.database.client
    database = client[f"test_{name}_{uuid4().hex[:8]}"]
    await mongo.apply_indexes(mongodb.address, database.name, service.store.documents)
    await mongo.declare(database, service.store.documents)
    views = Views(database, service.store.views, service.store.journals)
    log = EventLog(database, pace=0)
    inbox = Inbox(
        views,
        Stash(database),
        service._reactions,
        Reactor(log, name),
        Replies(producer, name, prefix),
        Quarantine(producer, name, prefix),
        ConsumerOffsets(database, [], []),
        prefix,
    )
    flushing = asyncio.create_task(log.run())
    try:
        yield ServiceReader(service, database, log, inbox, prefix)
    finally:
        await cancel_and_wait([flushing])
        await client.drop_database(database.name)
        for closing in service._closing:
            await closing()
        await client.close()
