"""Servers for the tests that ask for them; started once, by the first that does."""

from collections.abc import AsyncIterator

import pytest

from tests import servers
from tests.servers import Server
from tests.system import empty, prefix_on


@pytest.fixture(scope="session")
async def kafka() -> AsyncIterator[Server]:
    """The broker of this run; tests keep apart by their `prefix`."""
    async with servers.kafka() as server:
        yield server


@pytest.fixture(scope="session")
async def mongodb_server() -> AsyncIterator[Server]:
    """The MongoDB of this run, with what earlier tests left in it."""
    async with servers.mongodb() as server:
        yield server


@pytest.fixture
async def mongodb(mongodb_server: Server) -> Server:
    """The MongoDB of this run, without the services' databases."""
    await empty(mongodb_server)
    return mongodb_server


@pytest.fixture
async def prefix(kafka: Server) -> AsyncIterator[str]:
    """What the names of a test's topics begin with."""
    async with prefix_on(kafka) as prefix:
        yield prefix
