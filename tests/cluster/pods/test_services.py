"""The chart's pods are the services themselves, on a secured Kafka and MongoDB.

In this order, in one namespace; after each an office's follow-ups are sent, each once.
"""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest

from contracts.services import SERVICES
from ops.api_client.client import ApiClient
from tests.cluster.conftest import restricted
from tests.cluster.kubectl import CommandError, Kubectl
from tests.cluster.pods.engine import podman
from tests.cluster.pods.kubelet import Kubelet
from tests.cluster.pods.office import Office, working
from tests.cluster.pods.servers import PREFIX, Servers, servers
from tests.journeys.agent_user import followups_in, until
from tests.system import KEY, create_admin

pytestmark = [pytest.mark.timeout(900)]
FOLLOWUPS = 5
PAUSE_SECONDS = 60
# Longer than a lease, within which the work of a killed pod is taken over.
SENT_SECONDS = 240


class Release:
    """The installed chart, its servers, and the office that works with it."""

    def __init__(self, namespace: Kubectl, node: Kubelet, servers: Servers, values: Path) -> None:
        self.namespace, self.node, self.servers = namespace, node, servers
        self.office = Office(namespace)
        self._values = ("--values", str(values))

    async def install(self) -> None:
        """Install it, and wait until all pods are ready."""
        await asyncio.to_thread(self.namespace.install, *self._values)

    async def upgrade(self, *options: str) -> None:
        """Upgrade it likewise. Raises CommandError."""
        await asyncio.to_thread(self.namespace.upgrade, *self._values, *options)

    async def roll_back(self) -> None:
        """Return to the revision before, and wait likewise."""
        rollback = ("rollback", "realtoros", "--wait", "--timeout", "5m")
        await asyncio.to_thread(self.namespace.helm, *rollback)

    @contextmanager
    def wrong_password(self, user: str) -> Iterator[None]:
        """Have a Secret hold a password that MongoDB refuses."""
        right = self.servers.secret(user)["MONGODB_URI"]
        self._set_uri(user, right.replace("@", "-wrong@"))
        yield
        self._set_uri(user, right)

    def _set_uri(self, user: str, uri: str) -> None:
        data = json.dumps({"stringData": {"MONGODB_URI": uri}})
        self.namespace("patch", "secret", f"realtoros-{user}", "--patch", data)

    def uids(self) -> set[str]:
        """Return the identities of the services' pods."""
        return {pod["metadata"]["uid"] for name in SERVICES for pod in self.namespace.pods(name)}

    def restarts(self) -> int:
        """Return how often containers were started again."""
        pods = [pod for name in SERVICES for pod in self.namespace.pods(name)]
        statuses = [status for pod in pods for status in pod["status"]["containerStatuses"]]
        return sum(status["restartCount"] for status in statuses)

    def log_of(self, service: str) -> str:
        """Return what all of a service's pods have written."""
        logs = (self.node.folder / self.namespace.namespace).glob(f"realtoros-{service}-*/log")
        return "\n".join(log.read_text() for log in logs)

    async def until_added(self, clients: int) -> None:
        """Wait until the office has added so many more clients."""
        enough = self.office.added + clients

        async def are_added() -> bool:
            return self.office.added >= enough

        await until(are_added, f"{clients} clients are added")

    async def until_ended(self, *statuses: str) -> None:
        """Wait until the follow-ups of all clients have these statuses; assert none went twice."""
        count = FOLLOWUPS * self.office.added

        async def all_ended() -> bool:
            async with ApiClient(await self.office.url(), KEY) as api:
                return sum([await api.count("tasks", status) for status in statuses]) == count

        await until(all_ended, f"{count} are {statuses}", seconds=SENT_SECONDS)
        accepted = followups_in(self.servers.sendgrid.ledger())
        assert set(accepted.values()) == {1}
        assert len(accepted) == count or "unknown" in statuses


@pytest.fixture(scope="module")
async def release(
    cluster: Kubectl, node: Kubelet, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Release]:
    """The chart, installed; all of its containers are ready."""
    folder = tmp_path_factory.mktemp("servers")
    for name in (*SERVICES, "ops"):
        image = f"localhost/realtoros-{name}"
        podman("tag", f"{image}:{version('realtoros')}", f"{image}:next")
    async with servers(folder) as running:
        with restricted(cluster) as namespace:
            running.create_secrets(namespace)
            values = folder / "values.yaml"
            values.write_text(running.values())
            release = Release(namespace, node, running, values)
            await release.install()
            await create_admin(running.kafka.server, running.mongodb.server, PREFIX, {})
            yield release


async def test_helm_test_finds_nothing_wrong(release: Release) -> None:
    await asyncio.to_thread(release.namespace.helm, "test", "realtoros")


async def test_a_rolling_upgrade_and_its_rollback_lose_and_fail_nothing(release: Release) -> None:
    before = release.uids()
    async with working(release.office):
        await release.upgrade("--set", "image.tag=next")
        assert not before & release.uids()
        await release.roll_back()
    assert release.office.failed == []
    await release.until_ended("sent")


async def test_refused_credentials_leave_the_old_pods_serving(release: Release) -> None:
    before = release.uids()
    async with working(release.office):
        with release.wrong_password("crm"), pytest.raises(CommandError):
            await release.upgrade("--atomic", "--timeout", "40s")
        assert before <= release.uids()
    assert "realtoros: MONGODB_URI: " in release.log_of("crm")
    assert release.office.failed == []
    await release.until_ended("sent")


async def test_a_job_that_is_refused_stops_the_upgrade_at_once(release: Release) -> None:
    before = release.uids()
    with (
        release.wrong_password("operators"),
        pytest.raises(CommandError, match="pre-upgrade hooks failed"),
    ):
        await release.upgrade()
    assert release.uids() == before
    [job] = release.namespace.objects("jobs")
    # Exit code 77 is not tried again.
    assert job["status"]["failed"] == 1


async def test_a_database_that_is_away_for_a_minute_restarts_nothing(release: Release) -> None:
    restarts = await asyncio.to_thread(release.restarts)
    os.kill(release.servers.mongodb.pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(PAUSE_SECONDS)
    finally:
        os.kill(release.servers.mongodb.pid, signal.SIGCONT)
    async with working(release.office):
        await release.until_added(20)
    await release.until_ended("sent")
    assert await asyncio.to_thread(release.restarts) == restarts


async def test_what_a_killed_pod_had_begun_is_taken_over(release: Release) -> None:
    name = release.namespace.pods("mailer")[0]["metadata"]["name"]
    async with working(release.office):
        await release.until_added(10)
        podman("kill", "--signal", "KILL", f"{release.namespace.namespace}_{name}")

        async def recovered() -> bool:
            pod = await asyncio.to_thread(release.namespace.get, "pod", name)
            [container] = pod["status"]["containerStatuses"]
            return bool(container["restartCount"] == 1 and container["ready"])

        await until(recovered, f"{name} is ready again", seconds=SENT_SECONDS)
    # Of calls that had left, nobody knows what the provider did.
    await release.until_ended("sent", "unknown")
    assert release.office.failed == []
