"""What all tests of read models need."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from chassis.mongo.client import Database, apply_indexes, connect, declare
from contracts.crm import AgentProfile, AgentRegistered
from services.gateway.documents import STORE
from tests.servers import Server
from tests.services.gateway.conftest import Api
from tests.services.gateway.read_models.stored import Stored
from tests.system import AGENT


@pytest.fixture(scope="module")
async def declared(mongodb_server: Server) -> None:
    """Beanie's documents can be made only where they are bound to a database."""
    async with connect(mongodb_server.address) as client:
        await declare(client["realtoros_gateway"], STORE.documents)


@contextlib.asynccontextmanager
async def _database_of_views(server: Server) -> AsyncIterator[Database]:
    name = f"views_{uuid4().hex[:8]}"
    await apply_indexes(server.address, name, STORE.documents)
    async with connect(server.address) as client:
        yield client[name]
        await client.drop_database(name)


@pytest.fixture(scope="module")
async def views(mongodb_server: Server) -> AsyncIterator[Database]:
    """A database with the gateway's indexes, which the module's tests share."""
    async with _database_of_views(mongodb_server) as database:
        yield database


@pytest.fixture
async def empty_views(mongodb_server: Server) -> AsyncIterator[Database]:
    """A database with the gateway's indexes, for one test."""
    async with _database_of_views(mongodb_server) as database:
        yield database


@pytest.fixture
def stored(views: Database) -> Stored:
    """The documents of an agent who has none yet."""
    return Stored(views)


@pytest.fixture
async def known_agent(api: Api) -> None:
    """Let the gateway know the agent: tests before may have dropped what it knew."""
    profile = AgentProfile(name="Kim", email="kim@agents.example.com")
    registered = datetime.now(UTC)
    await api.publish(AgentRegistered(agent_id=AGENT, registered_at=registered, personal=profile))
    await api.get_until("/api/agents/me", lambda r: r.is_success)
