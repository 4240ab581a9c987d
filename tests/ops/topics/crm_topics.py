"""crm's topics with a made-up history, its database, and the command line on both."""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from pymongo.asynchronous.database import AsyncDatabase

from chassis.kafka import client as chassis_kafka
from contracts import cloudevents
from contracts.crm import ClientCreated, ClientDetails, ClientUpdated, Stage
from contracts.message import Event
from tests.chassis.raw_records import all_of
from tests.chassis.waiting import until
from tests.servers import Server

AGENT = uuid4()
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
NAME = "Clementine Harrow"
SECONDS = 60
_SERVERS = ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_TOPIC_PREFIX", "MONGODB_URI")


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Crm:
    """crm's part of a system that has no other: where it is, and what has become of it."""

    kafka: Server
    mongodb: Server
    prefix: str
    database: AsyncDatabase[dict[str, Any]]
    folder: Path

    @property
    def topics(self) -> list[str]:
        """The topics that crm alone writes."""
        return [f"{self.prefix}agents", f"{self.prefix}clients"]

    async def fill(self, count: int) -> list[UUID]:
        """Publish, as crm, clients who came at NOON and changed LATER; return their ids."""
        ids = [uuid4() for _ in range(count)]
        async with chassis_kafka.producer(self.kafka.servers, "test") as producer:
            for of in ids:
                details = ClientDetails(name=NAME, email=f"{of}@mail.example")
                await self.tell(producer, 1, created(of, details))
                await self.tell(producer, 2, updated(of, details, "negotiating"))
            await producer.flush()
        return ids

    async def tell(self, producer: AIOKafkaProducer, version: int, event: Event) -> None:
        """Publish an event as the stream's version; `flush` waits for it."""
        envelope = cloudevents.about(
            event,
            id=uuid4(),
            source="crm",
            time=NOON if version == 1 else LATER,
            correlation=uuid4(),
            cause=uuid4(),
            version=version,
        )
        await producer.send(
            f"{self.prefix}clients",
            key=str(event.key).encode(),
            value=event.to_json().encode(),
            headers=cloudevents.write(envelope),
        )

    async def published(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the records of the topics, by stream, in order."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        for topic in self.topics:
            for one in await all_of(self.kafka.address, topic):
                envelope = cloudevents.read(one.headers)
                found.setdefault(envelope.subject, []).append(
                    (topic, one.partition, one.key, envelope, one.value)
                )
        return found

    async def lose_topics(self) -> None:
        """Delete the topics and create them empty."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka.address)
        await admin.start()
        try:
            await admin.delete_topics(self.topics)

            async def gone() -> bool:
                return not set(self.topics) & set(await admin.list_topics())

            await until(gone)
            await chassis_kafka.apply_topics(self.kafka.servers, self.prefix)

            async def there() -> bool:
                return set(self.topics) <= set(await admin.list_topics())

            await until(there)
        finally:
            await admin.close()
        assert await self.published() == {}

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start `realtoros` with these arguments."""
        environment = {name: value for name, value in os.environ.items() if name not in _SERVERS}
        addresses = (self.kafka.address, self.prefix, self.mongodb.address)
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "ops.cli", *arguments),
            cwd=self.folder,
            env=environment | dict(zip(_SERVERS, addresses, strict=True)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *arguments: str) -> Done:
        """Run `realtoros` to its end."""
        return await ended(await self.start(*arguments))

    async def do(self, *arguments: str) -> list[str]:
        """Run `realtoros`, which has to succeed; give the lines of its output."""
        done = await self.run(*arguments)
        assert done.code == 0, done
        return done.out.splitlines()

    async def progress(self) -> int:
        """Return how many records a replay has recorded as read."""
        noted = await self.database["replay.progress"].find_one() or {"reached": []}
        return sum(at["offset"] for at in noted["reached"])

    async def built(self) -> dict[str, UUID]:
        """Return the ids of the rebuilt collections; one that is made again has another id."""
        found = await self.database.list_collections()
        return {
            raw["name"]: raw["info"]["uuid"]
            for raw in await found.to_list()
            if raw["name"].startswith("replay.")
        }


async def ended(process: asyncio.subprocess.Process) -> Done:
    """Wait for a command's end, which comes in a minute."""
    try:
        out, err = await asyncio.wait_for(process.communicate(), SECONDS)
    except TimeoutError:
        process.kill()
        raise
    return Done(process.returncode or 0, out.decode(), err.decode())


def digests(lines: Sequence[str]) -> dict[str, str]:
    """Read what `replay` prints: by collection, how many documents and their digest."""
    return {line.partition("  ")[0].rpartition(".")[2]: line.partition("  ")[2] for line in lines}


def created(of: UUID, details: ClientDetails) -> ClientCreated:
    """Return the first event of a client."""
    return ClientCreated(
        agent_id=AGENT,
        client_id=of,
        stage="lead",
        property_type="land",
        created_at=NOON,
        personal=details,
    )


def updated(of: UUID, details: ClientDetails, stage: Stage) -> ClientUpdated:
    """Return the event of a client's change to another stage."""
    return ClientUpdated(
        **created(of, details).model_dump() | {"stage": stage, "updated_at": LATER}
    )
