"""Two gateways on one database, behind a proxy that tells whose requests it forwards."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import httpx2
import pytest

from tests import servers
from tests.servers import Server
from tests.services.gateway.users import Person
from tests.system import Running, system

FROM_NEW_NETWORKS = 15
# The embedded broker may hand the second member of a new group an empty assignment, with which its
# consumer cannot start. Apache Kafka does not, and what is tested here is not the broker.
STARTS = 3


@dataclass
class Replicas:
    """The gateways, and the address of their database."""

    running: Running
    mongodb: str

    @property
    def urls(self) -> list[str]:
        return self.running.api

    @contextlib.asynccontextmanager
    async def another(
        self, email: str, *, replica: int = 1, network: str | None = None
    ) -> AsyncIterator[Person]:
        """Open another browser of the person, at a replica, in a network."""
        headers = {"X-Forwarded-For": network} if network else {}
        async with httpx2.AsyncClient(
            base_url=self.urls[replica], timeout=30, trust_env=False, headers=headers
        ) as http:
            yield Person(http, email)


@pytest.fixture(scope="package")
async def replicas(
    kafka: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Replicas]:
    environment = {
        "AGENT_ID": str(uuid4()),
        "FORWARDED_ALLOW_IPS": "127.0.0.1",
        "LOGINS_FROM_NEW_NETWORKS": str(FROM_NEW_NETWORKS),
        "REQUIRE_ADMIN_TOTP": "true",
    }
    async with contextlib.AsyncExitStack() as stack:
        # On the one of the package's crm, that would publish to its topics what this one stores.
        mongodb = await stack.enter_async_context(servers.mongodb())
        for attempt in range(STARTS):
            starting = system(
                tmp_path_factory.mktemp("replicas"),
                kafka,
                mongodb,
                prefix=f"replicas-{uuid4().hex[:8]}.",
                services=("crm", "gateway"),
                replicas=2,
                environment=environment,
            )
            try:
                running = await stack.enter_async_context(starting)
            except AssertionError:
                if attempt + 1 == STARTS or not kafka.embedded:
                    raise
            else:
                break
        yield Replicas(running, mongodb.address)
