"""A system for one scenario, with its crashing services, and conditions to wait for."""

import contextlib
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pymongo import AsyncMongoClient

from chassis.mongo.client import database_name
from contracts.catalogue import PARTITIONS
from contracts.crm import ClientDetails, ClientUpdated
from contracts.mailer import RecordDelivery, RecordedAddress
from contracts.sequences import NEW_LEAD
from contracts.services import SERVICES
from tests.chassis.raw_records import all_of, put, send
from tests.faults.checker.facts import Facts, address_key, paused
from tests.faults.checker.history import Acknowledged, History, read_history
from tests.faults.stops import Stops
from tests.journeys.agent_user import until
from tests.providers.running import FakeProvider, provider
from tests.servers import Server
from tests.system import AGENT, AUTHORIZED, FIT_TO_SEND, Running, system
from tests.writes import carried_out

CRASHING_SERVICE = (sys.executable, "-P", "-m", "tests.faults.crashes.crashing_service")
_WAIT_SECONDS = 20.0


@dataclass
class PrivateSystem:
    """The running system. `release` ends a hold (see tests.faults.crashes.crashing_service)."""

    running: Running
    kafka: Server
    mongodb: Server
    sendgrid: FakeProvider
    release_file: Path
    http: httpx2.AsyncClient
    producer: AIOKafkaProducer
    store: AsyncMongoClient[dict[str, Any]]
    acknowledged: Acknowledged = field(default_factory=Acknowledged)

    @property
    def stops(self) -> Stops:
        """What stops emails, by requests to the API."""
        return Stops(self._request, self.acknowledged)

    async def _request(
        self, method: str, path: str, body: Any, headers: dict[str, str] | None
    ) -> httpx2.Response:
        return await self.http.request(method, path, json=body, headers=headers)

    async def add(self, name: str) -> str:
        """Add a client with this address, or with this name in it; return the id."""
        response = await carried_out(self.http, "/api/clients", _body(name))
        assert response.status_code == 201, response.text
        client = str(response.json()["client_id"])
        self.acknowledged.clients[client] = datetime.now(UTC)
        return client

    async def add_again(self, name: str) -> None:
        """Assert that the address is refused as taken."""
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
        """Report as the provider that the client has unsubscribed."""
        address = _address(name)
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
        """Produce a record again, as a producer without an acknowledgement may."""
        name = self.running.prefix + topic
        for record in await all_of(self.kafka.address, name):
            headers = dict(record.headers)
            if headers["ce_type"].decode() == type_ and record.key == client.encode():
                await send(self.producer, name, record.key, [*record.headers], record.value)

    async def forge(self, topic: str, client: str, source: str = "crm") -> None:
        """Produce a change of the client that crm has not made."""
        personal = ClientDetails(name="Mallory", email="mallory@example.com")
        event = ClientUpdated(
            agent_id=AGENT,
            client_id=UUID(client),
            stage="lost",
            property_type="residential",
            created_at=(now := datetime.now(UTC)),
            updated_at=now,
            personal=personal,
        )
        name = self.running.prefix + topic
        await put(self.producer, name, event, version=2, cause=uuid4(), source=source)

    def release(self) -> None:
        """End the hold."""
        self.release_file.touch()

    async def add_with_one_followup(self, name: str) -> str:
        """Add a client, and cancel all its follow-ups but the first."""
        client = await self.add(name)

        async def planned() -> bool:
            return len(await self._tasks(client)) == len(NEW_LEAD.steps)

        await until(planned, "the follow-ups are shown", seconds=_WAIT_SECONDS)
        for task in (await self._tasks(client))[1:]:
            await self.stops.cancel(task["_id"])
        return client

    async def cancel_first(self, client: str) -> None:
        """Cancel the client's first follow-up."""
        await self.stops.cancel((await self._tasks(client))[0]["_id"])

    async def _tasks(self, client: str) -> list[dict[str, Any]]:
        response = await self.http.get("/api/tasks", params={"client_id": client})
        tasks: list[dict[str, Any]] = response.json()
        return tasks

    async def readdress(self, client: str, name: str) -> None:
        """Give the client another address, and wait until mailer knows it."""
        await self.stops.readdress(client, _address(name))
        recipients = self.store[database_name("mailer")]["recipients"]
        known = {"_id": UUID(client), "email": _address(name)}

        async def told() -> bool:
            return await recipients.find_one(known) is not None

        await until(told, "mailer knows the address", seconds=_WAIT_SECONDS)
        addresses = self.acknowledged.addresses.setdefault(client, [])
        addresses.append((datetime.now(UTC), address_key(_address(name))))

    async def until_log_entry(self, service: str, event: str, times: int = 1) -> None:
        """Wait until the service has so many log entries of this event."""
        log = self.running.processes[service][0].log

        async def has_entry() -> bool:
            return log.read_text().count(f'"event": "{event}"') >= times

        await until(has_entry, f"{service} logs {event}", seconds=_WAIT_SECONDS)

    async def until_appended(self, service: str, type_: str) -> None:
        """Wait until the service has appended an event of the type."""
        commits = self.store[database_name(service)]["commits"]

        async def appended() -> bool:
            return await commits.find_one({"events.type": type_}) is not None

        await until(appended, f"{service} appends {type_}", seconds=_WAIT_SECONDS)

    async def until_consumed(self, service: str, topic: str) -> None:
        """Wait until the service has committed the topic's current end offsets."""
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

            async def consumed() -> bool:
                return all([(await consumer.committed(tp) or 0) >= end for tp, end in ends.items()])

            await until(consumed, f"{service} consumes {topic}", seconds=_WAIT_SECONDS)
        finally:
            await consumer.stop()

    async def until_plans_ended(self) -> None:
        """Wait until the last follow-up of every plan has a final status, or the plan is paused."""

        async def ended() -> bool:
            facts = Facts(await self.history(), lambda _: False)
            followups = facts.followups.values()
            last = [f for f in followups if f.planned and f.planned["followup_type"] == "Month 1"]
            plans = (facts.published.get(f"plan-{f.client_id}", ()) for f in last)
            return bool(last) and all(
                f.end or paused(plan) for f, plan in zip(last, plans, strict=True)
            )

        await until(ended, "every plan has ended", seconds=_WAIT_SECONDS)

    async def history(self) -> History:
        """Return the history so far."""
        return await read_history(
            self.kafka.address,
            self.running.prefix,
            self.mongodb.address,
            self.sendgrid.ledger_file,
            self.acknowledged,
            embedded=self.kafka.embedded,
        )


@contextlib.asynccontextmanager
async def private_system(
    folder: Path,
    kafka: Server,
    mongodb: Server,
    prefix: str,
    settings: Mapping[str, str],
    service_environments: Mapping[str, Mapping[str, str]],
    services: Sequence[str] = SERVICES,
) -> AsyncIterator[PrivateSystem]:
    """Run these services; `service_environments`: see tests.faults.crashes.crashing_service.

    Leaving kills them: other tests check how services stop.
    """
    release = folder / "release"
    async with provider("sendgrid", folder) as sendgrid:
        environment = {
            "SENDGRID_API_KEY": "SG.fake",
            "SENDGRID_BASE_URL": sendgrid.url,
            **FIT_TO_SEND,
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
                service_environments=service_environments,
                command=CRASHING_SERVICE,
            ) as running,
            httpx2.AsyncClient(
                base_url=running.api[0], timeout=20, trust_env=False, headers=AUTHORIZED
            ) as http,
            AIOKafkaProducer(bootstrap_servers=kafka.address, enable_idempotence=False) as producer,
            AsyncMongoClient[dict[str, Any]](
                mongodb.address, uuidRepresentation="standard"
            ) as store,
        ):
            yield PrivateSystem(running, kafka, mongodb, sendgrid, release, http, producer, store)
            await running.kill(*services)


def _body(name: str) -> dict[str, str]:
    return {"name": name.title(), "email": _address(name)}


def _address(name: str) -> str:
    return name if "@" in name else f"{name}@example.com"
