"""What all tests of read models need."""

import pytest

from chassis.mongo.client import connect, declare
from services.gateway.documents import STORE
from tests.servers import Server


@pytest.fixture(scope="module")
async def declared(mongodb_server: Server) -> None:
    """Beanie's documents can be made only where they are bound to a database."""
    async with connect(mongodb_server.address) as client:
        await declare(client["realtoros_gateway"], STORE.documents)
