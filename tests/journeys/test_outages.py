"""crm or Kafka is down: the API says so, and no accepted write is lost."""

import contextlib
from pathlib import Path

import pytest

from ops.servers import embedded
from tests.journeys.agent_user import agent_at, until
from tests.servers import Server
from tests.system import system
from tests.writes import carried_out

pytestmark = pytest.mark.journey

ANN = {"name": "Ann", "email": "ann@example.com"}
BEN = {"name": "Ben", "email": "ben@example.com"}


async def test_a_write_is_accepted_while_crm_is_down_and_done_when_it_is_back(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    settings = {"COMMAND_TIMEOUT_SECONDS": "0.5"}
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, environment=settings) as running,
        agent_at(running.api[0]) as agent,
    ):
        await running.stop("crm")
        response = await agent.http.post("/api/clients", json=ANN)
        assert response.status_code == 202
        status_url = response.headers["Location"]
        assert (await agent.http.get(status_url)).json()["status"] == "pending"
        await running.start("crm")

        async def accepted() -> bool:
            return bool((await agent.http.get(status_url)).json()["status"] == "accepted")

        await until(accepted, "the command is accepted")

        async def shown() -> bool:
            return [client["name"] for client in await agent.rows("/api/clients")] == ["Ann"]

        await until(shown, "the client is shown")
        assert running.errors() == []


async def test_a_write_is_refused_while_kafka_is_down_and_accepted_when_it_is_back(
    tmp_path: Path, mongodb: Server, prefix: str, kafka: Server
) -> None:
    if not kafka.embedded:
        pytest.skip("other tests share this broker: only an embedded one can be stopped")
    settings = {"COMMAND_TIMEOUT_SECONDS": "1"}
    async with contextlib.AsyncExitStack() as broker:
        address = await broker.enter_async_context(embedded.kafka(tmp_path / "kafka"))
        kafka = Server(address, "an embedded Kafka of its own", embedded=True)
        async with (
            system(tmp_path, kafka, mongodb, prefix=prefix, environment=settings) as running,
            agent_at(running.api[0]) as agent,
        ):
            assert (await carried_out(agent.http, "/api/clients", ANN)).status_code == 201
            await broker.pop_all().aclose()
            response = await agent.http.post("/api/clients", json=BEN)
            assert response.status_code == 503
            assert response.headers["Content-Type"] == "application/problem+json"
            assert int(response.headers["Retry-After"]) > 0
            # Reads need no Kafka.
            assert [c["name"] for c in await agent.rows("/api/clients")] == ["Ann"]
            assert await broker.enter_async_context(embedded.kafka(tmp_path / "kafka")) == address

            async def added() -> bool:
                return (await agent.http.post("/api/clients", json=BEN)).status_code in (201, 409)

            await until(added, "the write is accepted")

            async def both_shown() -> bool:
                clients = await agent.rows("/api/clients")
                return sorted(client["name"] for client in clients) == ["Ann", "Ben"]

            await until(both_shown, "both clients are shown")
