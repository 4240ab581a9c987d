"""An office at work while pods come and go: clients are added through every ready gateway."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from tests.cluster.kubectl import Kubectl
from tests.system import AUTHORIZED

# Of five follow-ups each: twenty a second.
CLIENTS_PER_SECOND: Final = 4
LOOK_SECONDS: Final = 1
CALL_SECONDS: Final = 10
_GATEWAYS: Final = "kubernetes.io/service-name=realtoros-gateway"


@dataclass
class Office:
    """What was added in the namespace, and which calls failed."""

    namespace: Kubectl
    added: int = 0
    failed: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    asked: int = 0

    async def look(self) -> None:
        """Follow the ready endpoints, as a load balancer does, until cancelled."""
        while True:
            self.addresses = await asyncio.to_thread(_ready, self.namespace)
            await asyncio.sleep(LOOK_SECONDS)

    async def work(self, session: aiohttp.ClientSession, calls: asyncio.TaskGroup) -> None:
        """Add clients, each by a call through another endpoint, until cancelled."""
        while True:
            await asyncio.sleep(1 / CLIENTS_PER_SECOND)
            if self.addresses:
                calls.create_task(self._add(session, self.asked))
                self.asked += 1

    async def url(self) -> str:
        """Return the address of a gateway that is ready."""
        found = await asyncio.to_thread(_ready, self.namespace)
        return _url(found[0])

    async def _add(self, session: aiohttp.ClientSession, number: int) -> None:
        url = _url(self.addresses[number % len(self.addresses)])
        client = {"name": f"Lead {number}", "email": f"lead-{number}@example.com"}
        try:
            async with session.post(f"{url}/api/clients", json=client) as response:
                response.raise_for_status()
                self.added += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failed.append(repr(error))


@contextlib.asynccontextmanager
async def working(office: Office) -> AsyncIterator[None]:
    """Have the office add clients meanwhile; at the end wait for what it has begun."""
    headers, timeout = AUTHORIZED, aiohttp.ClientTimeout(CALL_SECONDS)
    async with (
        aiohttp.ClientSession(headers=headers, timeout=timeout) as session,
        asyncio.TaskGroup() as calls,
    ):
        going_on = [
            asyncio.create_task(office.look()),
            asyncio.create_task(office.work(session, calls)),
        ]
        try:
            yield
        finally:
            for task in going_on:
                task.cancel()


def _url(address: str) -> str:
    return f"http://{address}:8080"


def _ready(namespace: Kubectl) -> list[str]:
    slices = namespace.objects("endpointslices", _GATEWAYS)
    found = [endpoint for slice_ in slices for endpoint in slice_.get("endpoints") or ()]
    return [e["addresses"][0] for e in found if e["conditions"]["ready"]]
