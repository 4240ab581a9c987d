"""A gateway and a crm, running, on stores that hold nothing else."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx2
import pytest
from aiokafka import AIOKafkaProducer

from chassis.kafka import client as chassis_kafka
from contracts import cloudevents
from contracts.catalogue import REPLIES, TOPIC_OF
from contracts.message import Command, Event
from contracts.replies import CommandAccepted
from tests.chassis.raw_records import all_of
from tests.servers import Server
from tests.services.gateway.client_events import Story
from tests.system import AGENT, authorized, drop_databases, system
from tests.writes import carried_out

SECONDS = 90.0
C = TypeVar("C", bound=Command)
MILLISECOND = timedelta(milliseconds=1)


class Api:
    """The API, and the topics behind it."""

    def __init__(
        self, http: httpx2.AsyncClient, kafka: str, producer: AIOKafkaProducer, prefix: str
    ) -> None:
        self.http = http
        self._kafka = kafka
        self._producer = producer
        self._prefix = prefix
        self._versions: dict[str, int] = {}
        self._published_at = datetime.now(UTC)

    async def publish(self, *events: Event) -> None:
        """Publish events as the service that owns their streams would, no two at the same time."""
        for event in events:
            version = self._versions[event.stream] = self._versions.get(event.stream, 0) + 1
            self._published_at = max(datetime.now(UTC), self._published_at + MILLISECOND)
            topic = TOPIC_OF[type(event)]
            envelope = cloudevents.about(
                event,
                id=uuid4(),
                source=topic.writers[0],
                time=self._published_at,
                correlation=uuid4(),
                cause=uuid4(),
                version=version,
            )
            await self._producer.send_and_wait(
                self._prefix + topic.name,
                key=str(event.key).encode(),
                value=event.to_json().encode(),
                headers=cloudevents.write(envelope),
            )

    async def carry_out(self, type_: type[C], stream: str, *events: Event) -> C:
        """Wait for the command about the stream, publish the events, accept and return it.

        As the service that owns the stream would, where it does not run.
        """
        topic, sent, command = TOPIC_OF[type_], None, None
        deadline = time.monotonic() + SECONDS
        while sent is None or command is None:
            assert time.monotonic() < deadline, f"no {type_.__name__} about {stream}"
            for record in await all_of(self._kafka, self._prefix + topic.name):
                envelope = cloudevents.read(record.headers)
                if (envelope.subject, envelope.type) == (stream, type_.wire_name):
                    sent, command = envelope, type_.model_validate_json(record.value)
        await self.publish(*events)
        reply = CommandAccepted(agent_id=AGENT, about=stream, version=self._versions[stream])
        answer = cloudevents.about(
            reply,
            id=uuid4(),
            source=topic.readers[0],
            time=datetime.now(UTC),
            correlation=sent.correlation,
            cause=sent.id,
        )
        await self._producer.send_and_wait(
            self._prefix + REPLIES.name,
            value=reply.to_json().encode(),
            headers=cloudevents.write(answer),
        )
        return command

    async def get_until(
        self, path: str, until: Callable[[httpx2.Response], bool]
    ) -> httpx2.Response:
        """Get the path until the response fulfils the condition, and return it."""
        deadline = time.monotonic() + SECONDS
        while not until(response := await self.http.get(path)):
            assert time.monotonic() < deadline, f"{response.status_code} {response.text}"
            await asyncio.sleep(0.05)
        return response

    async def add(self, **fields: Any) -> str:
        """Add a client and return its id."""
        number = uuid4().hex[:12]
        plain = {"name": f"Client {number}", "email": f"{number}@mail.example.com"}
        response = await carried_out(self.http, "/api/clients", plain | fields)
        assert response.status_code == 201, response.text
        return str(response.json()["client_id"])


@contextlib.asynccontextmanager
async def api_of(
    url: str, kafka: Server, prefix: str, agent_id: UUID = AGENT
) -> AsyncIterator[Api]:
    async with (
        httpx2.AsyncClient(
            base_url=url, timeout=30, trust_env=False, headers=authorized(agent_id)
        ) as http,
        chassis_kafka.producer(kafka.servers, "test") as producer,
    ):
        yield Api(http, kafka.address, producer, prefix)


@pytest.fixture(scope="package")
async def api(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Api]:
    """The API of this package's gateway; tests add what they need and query only that."""
    prefix = f"api-{uuid4().hex[:8]}."
    await drop_databases(mongodb_server)
    folder = tmp_path_factory.mktemp("gateway")
    async with (
        system(
            folder, kafka, mongodb_server, prefix=prefix, services=("crm", "gateway")
        ) as running,
        api_of(running.api[0], kafka, prefix) as api,
    ):
        yield api


@pytest.fixture(scope="module")
async def planning(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Api]:
    """An API whose clients' follow-ups are planned."""
    prefix, agent_id = f"plan-{uuid4().hex[:8]}.", uuid4()
    async with (
        system(
            tmp_path_factory.mktemp("planning"),
            kafka,
            mongodb_server,
            prefix=prefix,
            services=("crm", "scheduler", "gateway"),
            environment={"AGENT_ID": str(agent_id)},
        ) as running,
        api_of(running.api[0], kafka, prefix, agent_id) as api,
    ):
        yield api


@pytest.fixture(scope="module")
async def seven(api: Api) -> list[str]:
    """A word, and the ids of the seven clients that have it, the newest first."""
    word = f"w{uuid4().hex[:10]}"
    stages = ["lead", "lead", "lead", "lead", "negotiating", "closed", "lost"]
    for number, stage in enumerate(stages):
        await api.add(
            name=f"Ana {word} {number}",
            email=f"{word}.{number}@mail.example.com",
            property_address=f"{number} Élysée-{word} Ave, (Old) Town",
            stage=stage,
        )
    found = await api.http.get("/api/clients", params={"q": word})
    assert found.headers["x-total-count"] == "7"
    return [word, *(client["_id"] for client in found.json())]


@pytest.fixture(scope="module")
async def story(api: Api) -> Story:
    """A client whose follow-ups are pending, cancelled, composed, unknown and sent."""
    story = Story(AGENT, await api.add())
    await api.publish(
        *(
            story.planned(),
            story.cancelled(1, 1),
            story.due(2, 7),
            story.due(3, 14),
            story.due(4, 30),
        ),
        *(story.requested(2, 7), story.composed(2, 7)),
        *(story.requested(3, 14), story.composed(3, 14), story.queued(3, 14), story.started(3, 14)),
        story.unknown(3, 14.1),
        *(story.requested(4, 30), story.composed(4, 30), story.queued(4, 30), story.sent(4, 30.5)),
        story.opened(4, 31),
    )
    path = f"/api/emails/{story.emails[4]}"
    await api.get_until(path, lambda r: r.status_code == 200 and r.json()["status"] == "opened")
    await api.get_until(f"/api/tasks/{story.ids[4]}", lambda r: r.json().get("status") == "sent")
    await api.get_until(f"/api/tasks/{story.ids[3]}", lambda r: r.json().get("status") == "unknown")
    return story
