"""A killed worker's claims and partitions are soon taken over."""

import asyncio
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from tests.journeys.agent_user import Agent, agent_at, until
from tests.journeys.conftest import Providers
from tests.servers import Server
from tests.system import system
from tests.writes import carried_out

pytestmark = [pytest.mark.journey, pytest.mark.alone]

LEASE_SECONDS = 3.0
TAKEOVER_SECONDS = LEASE_SECONDS + 10
FAILOVER_SECONDS = 15.0


async def test_a_killed_worker_s_work_is_done_soon_after_its_claim_expires(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    settings = providers.settings | {
        "FOLLOWUP_DAY_SECONDS": "2",
        "CALL_TIMEOUT_SECONDS": "2.5",
        "LEASE_SECONDS": str(LEASE_SECONDS),
    }
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, environment=settings) as running,
        agent_at(running.api[0]) as agent,
    ):
        # OpenAI does not answer before composer is killed.
        await providers.openai.inject_faults({"delay": 60.0})
        client = await agent.add("Orphan")

        async def claimed() -> bool:
            return await claims(mongodb) == 1

        await until(claimed, "composer has claimed the draft")
        await running.kill("composer")
        # If it was killed before its call, the delay is still pending: remove it.
        await providers.openai.clear_faults()
        began = time.monotonic()
        await running.start("composer")
        await agent.task(client, "sent")
        assert time.monotonic() - began <= TAKEOVER_SECONDS


async def test_another_replica_answers_soon_after_one_was_killed(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    if kafka.embedded:
        pytest.skip("groups of two get stuck on the embedded broker: this needs Apache Kafka")
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, replicas=2) as running,
        agent_at(running.api[0]) as agent,
    ):
        await asyncio.gather(*(agent.add(f"Before{number}") for number in range(24)))
        [victim, _] = running.processes["crm"]
        await victim.end(signal.SIGKILL)
        began = time.monotonic()
        # Enough for every partition to have some.
        await asyncio.gather(*(added(agent, f"After{number}") for number in range(60)))
        assert time.monotonic() - began <= FAILOVER_SECONDS
        await victim.start()
        await victim.ready(agent.http)


async def added(agent: Agent, name: str) -> None:
    """Add a client; wait until the command is accepted."""
    body = {"name": name, "email": f"{name.lower()}@example.com"}
    response = await carried_out(agent.http, "/api/clients", body)
    assert response.status_code == 201, response.text


async def claims(mongodb: Server) -> int:
    """Count the drafts that are due and claimed."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb.address)
    due = {"claim": {"$exists": True}, "state.due_at": {"$lte": datetime.now(UTC)}}
    async with client:
        return await client["realtoros_composer"]["drafts"].count_documents(due)
