"""RealtorOS as real processes, for tests and benches: started, watched and stopped."""

import asyncio
import contextlib
import os
import signal
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient

from chassis.kafka import client as chassis_kafka
from chassis.mongo.client import database_name
from contracts import cloudevents
from contracts.catalogue import topic_of
from contracts.crm import RegisterAgent
from contracts.services import SERVICES
from ops import accounts
from ops.local.supervised_process import SUPERVISOR_PID
from ops.servers.ports import LOOPBACK, free_port
from ops.servers.stores import apply_indexes, apply_topics
from services.gateway.accounts.api_keys import KIND
from services.gateway.accounts.caller import EVERY_SCOPE
from services.gateway.accounts.tokens import AccessTokens, OpaqueToken
from tests.providers.running import FakeProvider
from tests.replica import RUN, Process
from tests.servers import Server

AGENT = accounts.FIRST_AGENT_ID
TOKEN_KEYS = f"test:{'only-for-tests-' * 5}"
UNSUBSCRIBE_KEYS = f"test:{'letters-of-tests-' * 5}"
# Nothing else of the tester's environment: it may name real servers, and keys that cost money.
_INHERITED = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "TZ")


def key_of(agent_id: uuid.UUID) -> str:
    """Return the API key of the admin that `system` creates, or of another agent."""
    return f"rk_{agent_id.hex}_only-for-tests"


def authorized(agent_id: uuid.UUID) -> dict[str, str]:
    """Return headers that authenticate the agent by API key."""
    return {"Authorization": f"Bearer {key_of(agent_id)}"}


def logged_in(agent_id: uuid.UUID, at: str = "http://localhost:8000") -> dict[str, str]:
    """Return headers that authenticate the agent by access token, as after a log-in.

    `at`: the system's PUBLIC_URL.
    """
    keys = dict([TOKEN_KEYS.split(":")])
    tokens = AccessTokens(keys, at, timedelta(hours=1))
    return {"Authorization": f"Bearer {tokens.issue(agent_id, agent_id)}"}


MONGODB_OF: dict[str, str] = {}  # by the gateway's URL
# The admin who exists from the start.
KEY, AUTHORIZED = key_of(AGENT), authorized(AGENT)


@dataclass
class Running:
    """A running RealtorOS. `processes` holds each service's replicas, started or stopped."""

    folder: Path
    mail: Path
    prefix: str
    processes: dict[str, list[Process]]
    _http: httpx2.AsyncClient
    _meant_to_run: set[str] = field(default_factory=set)

    @property
    def api(self) -> list[str]:
        """The URL of every gateway replica."""
        return [gateway.url for gateway in self.processes["gateway"]]

    async def start(self, *names: str) -> None:
        """Start all replicas of the services, and wait until they are ready."""
        await self.launch(*names)
        await self.ready(*names)

    async def launch(self, *names: str) -> None:
        """Start all replicas of the services."""
        self._meant_to_run |= set(names)
        await asyncio.gather(*(process.start() for process in self._replicas(names)))

    async def ready(self, *names: str) -> None:
        """Wait until all replicas of the services are ready."""
        await asyncio.gather(*(process.ready(self._http) for process in self._replicas(names)))

    async def stop(self, *names: str) -> None:
        """Send SIGTERM to all replicas of the services; assert that each exits with code 0."""
        await self._end(names, signal.SIGTERM)

    async def kill(self, *names: str) -> None:
        """Send SIGKILL to all replicas of the services."""
        await self._end(names, signal.SIGKILL)

    async def stop_all(self) -> None:
        """Stop everything that is meant to run, even when one service fails the assertion."""
        await self.stop(*self._meant_to_run)

    async def _end(self, names: Iterable[str], number: signal.Signals) -> None:
        ending = self._replicas(names)
        self._meant_to_run -= set(names)
        ends = (process.end(number) for process in ending)
        errors = [e for e in await asyncio.gather(*ends, return_exceptions=True) if e]
        if errors:
            raise AssertionError("; ".join(str(error) for error in errors))

    def _replicas(self, names: Iterable[str]) -> list[Process]:
        return [process for name in names for process in self.processes[name]]

    def errors(self) -> list[str]:
        """Return what the services have logged as errors so far."""
        return [error for process in self._replicas(self.processes) for error in process.errors()]

    def last_lines(self) -> str:
        """Return the end of every log, for a failure's report."""
        return "\n".join(process.last_lines() for process in self._replicas(self.processes))


@contextlib.asynccontextmanager
async def system(
    folder: Path,
    kafka: Server,
    mongodb: Server,
    *,
    prefix: str,
    replicas: int = 1,
    services: Sequence[str] = SERVICES,
    environment: Mapping[str, str] | None = None,
    service_environments: Mapping[str, Mapping[str, str]] | None = None,
    command: Sequence[str] = RUN,
    wait: bool = True,
) -> AsyncIterator[Running]:
    """Run the services, all ready, on topics with this prefix; logs and mail go into the folder.

    `service_environments` adds variables for one service; `command` is followed by the service's
    name. With `wait=False` they are started, but not ready yet.

    The databases have fixed names: see `drop_databases`. Leaving stops what runs, and asserts that
    every process exits with code 0 and none had exited by itself; a failure carries the logs' ends.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    await apply_topics(kafka.servers, prefix)
    await apply_indexes(mongodb.address)
    if "gateway" in services:
        await create_admin(kafka, mongodb, prefix, environment or {})
    common = {name: os.environ[name] for name in _INHERITED if name in os.environ} | {
        # The services end when the test run is killed.
        SUPERVISOR_PID: str(os.getpid()),
        "PYTHONUNBUFFERED": "1",
        "KAFKA_BOOTSTRAP_SERVERS": kafka.address,
        "KAFKA_TOPIC_PREFIX": prefix,
        "MAILBOX_DIR": str(folder / "mail"),
        "TOKEN_KEYS": TOKEN_KEYS,
        "UNSUBSCRIBE_KEYS": UNSUBSCRIBE_KEYS,
        # Tests do not end with office hours.
        "SEND_WINDOW": "00:00-24:00",
        # Tests send requests as fast as they can.
        "REQUESTS_PER_SECOND": "100000",
        "CLIENTS_PER_DAY": "100000000",
        "EMAILS_PER_DAY": "0",
        "LETTERS_PER_DAY": "0",
        "LINKS_PER_NETWORK": "100000",
        "LOGINS_PER_ADDRESS": "100000",
        "WEBHOOKS_PER_SECOND": "100000",
        "MAX_CONNECTIONS_PER_ADDRESS": "100000",
    }
    if kafka.embedded:
        common["KAFKA_EMPTY_FETCH_HOLD_MS"] = "50"
    if "scheduler" not in services:
        common["PLAN_WAIT_SECONDS"] = "0"
    common |= environment or {}
    processes = {
        name: [
            _process(
                name,
                number,
                folder,
                {"MONGODB_URI": mongodb.address_of(name)}
                | common
                | dict((service_environments or {}).get(name, {})),
                free_port(),
            )
            for number in range(replicas)
        ]
        for name in services
    }
    for process in (process for replicas_ in processes.values() for process in replicas_):
        process.command = command
    MONGODB_OF.update({one.url: mongodb.address for one in processes.get("gateway", ())})
    async with httpx2.AsyncClient(timeout=5, trust_env=False) as http:
        running = Running(folder, Path(common["MAILBOX_DIR"]), prefix, processes, http)
        try:
            try:
                await running.launch(*services)
                if wait:
                    await running.ready(*services)
                yield running
            finally:
                await running.stop_all()
        except BaseException as error:
            error.add_note(running.last_lines())
            raise


async def create_admin(
    kafka: Server, mongodb: Server, prefix: str, environment: Mapping[str, str]
) -> None:
    """Create the admin AGENT_ID: account, API key and session; register the agent with crm."""
    profile = accounts.profile_from(environment)
    agent_id = uuid.UUID(environment.get("AGENT_ID") or str(AGENT))
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        mongodb.address, uuidRepresentation="standard"
    )
    now = datetime.now(UTC)
    secret = OpaqueToken.parse(key_of(agent_id), KIND)
    assert secret
    async with client:
        gateway = client[accounts.DATABASE]
        account = {"email": str(agent_id), "password": "", "role": "admin", "active": True}
        await gateway["accounts"].update_one(
            {"_id": agent_id}, {"$setOnInsert": account | {"created_at": now}}, upsert=True
        )
        key = {"agent_id": agent_id, "name": "tests", "scopes": sorted(EVERY_SCOPE)}
        await gateway["api_keys"].update_one(
            {"_id": secret.id},
            {"$setOnInsert": key | {"secret": secret.digest, "created_at": now}},
            upsert=True,
        )
        session = {"agent_id": agent_id, "current": b"", "expires_at": now + timedelta(days=1)}
        await gateway["sessions"].update_one({"_id": agent_id}, {"$set": session}, upsert=True)
    register, id_ = RegisterAgent(agent_id=agent_id, personal=profile), uuid.uuid4()
    envelope = cloudevents.about(register, id=id_, source="gateway", time=now, correlation=id_)
    async with chassis_kafka.producer(kafka.servers, "test") as producer:
        await producer.send_and_wait(
            prefix + topic_of(RegisterAgent),
            key=str(register.key).encode(),
            value=register.to_json().encode(),
            headers=cloudevents.write(envelope),
        )


# Without these no real transport starts.
PUBLIC_URL = "https://realtoros.example"
FIT_TO_SEND = {
    "PUBLIC_URL": PUBLIC_URL,
    "MAIL_POSTAL_ADDRESS": "RealtorOS, 1 Main Street, Springfield, IL 62701",
}


def provider_settings(openai: FakeProvider, sendgrid: FakeProvider) -> dict[str, str]:
    """Return the settings that make the services call these providers."""
    return {
        "OPENAI_API_KEY": "sk-fake",
        "OPENAI_BASE_URL": openai.url,
        "SENDGRID_API_KEY": "SG.fake",
        "SENDGRID_BASE_URL": sendgrid.url,
        **FIT_TO_SEND,
    }


@contextlib.asynccontextmanager
async def topic_prefix(kafka: Server) -> AsyncIterator[str]:
    """Yield a new prefix, then delete its topics: a full embedded broker is slow."""
    prefix = new_prefix()
    yield prefix
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    try:
        topics = [name for name in await admin.list_topics() if name.startswith(prefix)]
        if topics:
            await admin.delete_topics(topics)
    finally:
        await admin.close()


def new_prefix() -> str:
    """Return a topic prefix that no other system uses."""
    return f"test-{uuid.uuid4().hex[:8]}."


async def drop_databases(mongodb: Server) -> None:
    """Drop the services' databases; call it between two systems on the same MongoDB."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb.address)
    async with client:
        for service in SERVICES:
            await client.drop_database(database_name(service))


def _process(
    service: str, number: int, folder: Path, common: Mapping[str, str], port: int
) -> Process:
    own = {"GATEWAY_PORT" if service == "gateway" else "HEALTH_PORT": str(port)}
    if "KAFKA_EMPTY_FETCH_HOLD_MS" in common:
        # The embedded broker keeps a dead member until one of the same name joins.
        own["KAFKA_GROUP_INSTANCE_ID"] = f"{service}-{number}"
    return Process(
        service,
        f"http://{LOOPBACK}:{port}",
        folder / f"{service}-{number}.log",
        {**common, **own},
    )
