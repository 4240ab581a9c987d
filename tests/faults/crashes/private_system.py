"""A RealtorOS of its own to tell a short story on, and what can be seen of it meanwhile."""

import contextlib
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pymongo import AsyncMongoClient

from contracts.catalogue import PARTITIONS
from contracts.mailer import RecordDelivery, RecordedAddress
from ops.services import SERVICES
from tests.chassis.raw_records import all_of, put, send
from tests.faults.checker.facts import Facts
from tests.faults.checker.history import Acknowledged, History, read_history
from tests.journeys.agent_user import until
from tests.providers.running import Fake, provider
from tests.servers import Server
from tests.system import AGENT, AUTHORIZED, Running, system

CHILD = (sys.executable, "-P", "-m", "tests.faults.crashes.crashing_service")
_PATIENCE_SECONDS = 20.0


@dataclass
class Stage:
    """The system on stage. `release` lets go what is held (see tests.faults.crashes.crashing_service)."""

    running: Running
    kafka: Server
    mongodb: Server
    sendgrid: Fake
    release_file: Path
    http: httpx2.AsyncClient
    producer: AIOKafkaProducer
    store: AsyncMongoClient[dict[str, Any]]
    acknowledged: Acknowledged = field(default_factory=Acknowledged)

    async def add(self, name: str) -> str:
        """Add a client with an address of that name; give the id."""
        response = await self.http.post("/api/clients", json=_body(name))
        assert response.status_code == 201, response.text
        client = str(response.json()["client_id"])
        self.acknowledged.clients[client] = datetime.now(UTC)
        return client

    async def add_again(self, name: str) -> None:
        """Be refused, since the address is taken."""
        assert (await self.http.post("/api/clients", json=_body(name))).status_code == 409

    async def change(self, client: str, **fields: str) -> None:
        """Change a client."""
        response = await self.http.patch(f"/api/clients/{client}", json=fields)
        assert response.status_code == 200, response.text

    async def delete(self, client: str) -> None:
        """Delete a client."""
        response = await self.http.delete(f"/api/clients/{client}")
        assert response.status_code == 204, response.text
        self.acknowledged.deleted[client] = datetime.now(UTC)

    async def opt_out(self, name: str) -> None:
        """Let the provider report that the client wants no more."""
        address = f"{name}@example.com"
        report = RecordDelivery(
            agent_id=AGENT,
            client_id=uuid4(),
            email_id=uuid4(),
            followup_id=uuid4(),
            kind="unsubscribed",
            at=datetime.now(UTC),
            personal=RecordedAddress(email=address),
        )
        await put(self.producer, f"{self.running.prefix}emails.commands", report)

    async def repeat(self, topic: str, type_: str, client: str) -> None:
        """Put a record into its topic once more, as a producer may that got no answer."""
        name = self.running.prefix + topic
        for record in await all_of(self.kafka.address, name):
            headers = dict(record.headers)
            if headers["ce_type"].decode() == type_ and record.key == client.encode():
                await send(self.producer, name, record.key, [*record.headers], record.value)

    def release(self) -> None:
        """Let go what is held."""
        self.release_file.touch()

    async def until_told(self, service: str, event: str) -> None:
        """Return when the service has logged the event."""
        log = self.running.processes[service][0].log

        async def told() -> bool:
            return f'"event": "{event}"' in log.read_text()

        await until(told, f"{service} tells {event}", seconds=_PATIENCE_SECONDS)

    async def until_logged(self, service: str, type_: str) -> None:
        """Return when an event of the type is in the service's log."""
        commits = self.store[f"realtoros_{service}"]["commits"]

        async def logged() -> bool:
            return await commits.find_one({"events.type": type_}) is not None

        await until(logged, f"{service} logs {type_}", seconds=_PATIENCE_SECONDS)

    async def until_read(self, service: str, topic: str) -> None:
        """Return when the service has acknowledged all that is in the topic now."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka.address,
            group_id=self.running.prefix + service,
            enable_auto_commit=False,
        )
        await consumer.start()
        try:
            name = self.running.prefix + topic
            partitions = [TopicPartition(name, number) for number in range(PARTITIONS)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)

            async def read() -> bool:
                return all([(await consumer.committed(tp) or 0) >= end for tp, end in ends.items()])

            await until(read, f"{service} reads {topic}", seconds=_PATIENCE_SECONDS)
        finally:
            await consumer.stop()

    async def until_months_ended(self) -> None:
        """Return when the last follow-up of every plan has ended, whatever became of the others."""

        async def ended() -> bool:
            followups = Facts(await self.history(), lambda _: False).followups.values()
            last = [f for f in followups if f.planned and f.planned["followup_type"] == "Month 1"]
            return bool(last) and all(f.end for f in last)

        await until(ended, "every month has ended", seconds=_PATIENCE_SECONDS)

    async def history(self) -> History:
        """Give what happened so far."""
        return await read_history(
            self.kafka.address,
            self.running.prefix,
            self.mongodb.address,
            self.sendgrid.ledger_file,
            self.acknowledged,
            embedded=self.kafka.embedded,
        )


@contextlib.asynccontextmanager
async def staged(
    folder: Path,
    kafka: Server,
    mongodb: Server,
    prefix: str,
    settings: Mapping[str, str],
    own: Mapping[str, Mapping[str, str]],
    services: Sequence[str] = SERVICES,
) -> AsyncIterator[Stage]:
    """Give a system of these services; `own` is what tests.faults.crashes.crashing_service is told, by service.

    Leaving kills it: how services stop is told elsewhere.
    """
    release = folder / "release"
    async with provider("sendgrid", folder) as sendgrid:
        environment = {
            "SENDGRID_API_KEY": "SG.fake",
            "SENDGRID_BASE_URL": sendgrid.url,
            "HOLD_UNTIL": str(release),
            **settings,
        }
        async with (
            system(
                folder,
                kafka,
                mongodb,
                prefix=prefix,
                environment=environment,
                services=services,
                own=own,
                command=CHILD,
            ) as running,
            httpx2.AsyncClient(
                base_url=running.api[0], timeout=20, trust_env=False, headers=AUTHORIZED
            ) as http,
            AIOKafkaProducer(bootstrap_servers=kafka.address, enable_idempotence=False) as producer,
            AsyncMongoClient[dict[str, Any]](mongodb.address) as store,
        ):
            yield Stage(running, kafka, mongodb, sendgrid, release, http, producer, store)
            await running.kill(*services)


def _body(name: str) -> dict[str, str]:
    return {"name": name.title(), "email": f"{name}@example.com"}
