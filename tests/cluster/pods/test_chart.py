"""The chart's pods run: hooks, probes, restrictions, stops and secrets are those of containers.

What they run is a script in the place of the services; the node is the stand-in kubelet's.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest

from contracts.services import SERVICES
from tests.cluster.kubectl import CommandError, Kubectl
from tests.cluster.pods.engine import REGISTRY, TAGS, podman
from tests.cluster.pods.kubelet import Kubelet

SECRETS = (*SERVICES, "operators")
OPTIONS, NEXT = (("--set", f"image.registry={REGISTRY},image.tag={tag}") for tag in TAGS)
LOOK_SECONDS = 0.3
GATEWAYS = "kubernetes.io/service-name=realtoros-gateway"


@dataclass
class Callers:
    """Who calls the gateway without a pause, at an endpoint that is ready, and what came of it."""

    answered: int = 0
    failed: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    async def look(self, namespace: Kubectl) -> None:
        """Follow the ready endpoints, as a load balancer does."""
        while True:
            self.addresses = await asyncio.to_thread(_ready_addresses, namespace)
            await asyncio.sleep(LOOK_SECONDS)

    async def call(self) -> None:
        """Call one endpoint after the other."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session:
            while True:
                for address in self.addresses:
                    await self._call(session, address)
                await asyncio.sleep(0.02)

    async def _call(self, session: aiohttp.ClientSession, address: str) -> None:
        try:
            async with session.get(f"http://{address}:8080/health/live") as response:
                response.raise_for_status()
                self.answered += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failed.append(repr(error))


def _ready_addresses(namespace: Kubectl) -> list[str]:
    slices = namespace.objects("endpointslices", GATEWAYS)
    found = [endpoint for slice_ in slices for endpoint in slice_.get("endpoints") or ()]
    return [e["addresses"][0] for e in found if e["conditions"]["ready"]]


@contextlib.asynccontextmanager
async def calling(namespace: Kubectl) -> AsyncIterator[Callers]:
    callers = Callers()
    tasks = [asyncio.create_task(callers.look(namespace)), asyncio.create_task(callers.call())]
    try:
        yield callers
    finally:
        for task in tasks:
            task.cancel()


def set_secret(namespace: Kubectl, name: str, uri: str) -> None:
    data = json.dumps({"stringData": {"MONGODB_URI": uri}})
    namespace("patch", "secret", f"realtoros-{name}", "--patch", data)


def uids(namespace: Kubectl) -> set[str]:
    return {pod["metadata"]["uid"] for service in SERVICES for pod in namespace.pods(service)}


@pytest.fixture
async def installed(namespace: Kubectl, node: Kubelet) -> Kubectl:
    """A namespace in which the chart is installed and all of its containers are ready."""
    for name in SECRETS:
        keys = ("MONGODB_URI=right", "UNSUBSCRIBE_KEYS=a", "TOKEN_KEYS=a")
        literals = [f"--from-literal={key}" for key in keys]
        namespace("create", "secret", "generic", f"realtoros-{name}", *literals)
    await asyncio.to_thread(namespace.install, *OPTIONS)
    return namespace


async def test_a_rolling_upgrade_and_its_rollback_fail_no_call(installed: Kubectl) -> None:
    async with calling(installed) as callers:
        await asyncio.to_thread(installed.upgrade, *NEXT)
        rollback = ("rollback", "realtoros", "1", "--wait", "--timeout", "5m")
        await asyncio.to_thread(installed.helm, *rollback)
    assert callers.failed == []
    assert callers.answered > 100


async def test_refused_credentials_leave_the_old_pods_serving(
    installed: Kubectl, node: Kubelet
) -> None:
    before = uids(installed)
    set_secret(installed, "crm", "wrong")
    atomic = ("--atomic", "--timeout", "40s")
    with pytest.raises(CommandError):
        await asyncio.to_thread(installed.upgrade, *OPTIONS, *atomic)
    assert before <= uids(installed)
    logs = (node.folder / installed.namespace).glob("realtoros-crm-*/log")
    assert any("realtoros: MONGODB_URI: refused" in log.read_text() for log in logs)


async def test_a_job_that_is_refused_stops_the_upgrade_at_once(
    installed: Kubectl,
) -> None:
    before = uids(installed)
    set_secret(installed, "operators", "wrong")
    with pytest.raises(CommandError, match="pre-upgrade hooks failed"):
        await asyncio.to_thread(installed.upgrade, *NEXT)
    assert uids(installed) == before
    [job] = installed.objects("jobs")
    # Exit code 77 is not tried again.
    assert job["status"]["failed"] == 1


async def test_a_killed_pod_recovers(installed: Kubectl) -> None:
    name = installed.pods("mailer")[0]["metadata"]["name"]
    podman("kill", "--signal", "KILL", f"{installed.namespace}_{name}")

    def recovered() -> bool:
        [container] = installed.get("pod", name)["status"]["containerStatuses"]
        return bool(container["restartCount"] == 1 and container["ready"])

    async with asyncio.timeout(300):
        while not await asyncio.to_thread(recovered):
            await asyncio.sleep(LOOK_SECONDS)
