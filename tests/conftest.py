"""MongoDB and Kafka for the tests, started once, by the first test that needs them."""

import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from ops.servers import ports
from tests import servers
from tests.servers import Server
from tests.system import drop_databases, topic_prefix

# An example has no deadline: a busy machine takes its time.
settings.register_profile("realtoros", deadline=None)
settings.load_profile("realtoros")

# Each of the processes that test beside each other has ports of its own: none takes those of a
# service that another one has stopped and is about to start again.
_MOST_WORKERS = 8
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
ports.candidates = ports.in_any_order(ports.PORTS[_worker % _MOST_WORKERS :: _MOST_WORKERS])


@pytest.fixture(scope="session")
async def kafka() -> AsyncIterator[Server]:
    """The broker of this run; each test has a topic `prefix` of its own."""
    async with servers.kafka() as server:
        yield server


@pytest.fixture(scope="session")
async def mongodb_server() -> AsyncIterator[Server]:
    """The MongoDB of this run, with what earlier tests have left."""
    async with servers.mongodb() as server:
        yield server


@pytest.fixture
async def mongodb(mongodb_server: Server) -> Server:
    """The MongoDB of this run, without the services' databases."""
    await drop_databases(mongodb_server)
    return mongodb_server


@pytest.fixture
async def prefix(kafka: Server) -> AsyncIterator[str]:
    """The prefix of this test's topics."""
    async with topic_prefix(kafka) as prefix:
        yield prefix
