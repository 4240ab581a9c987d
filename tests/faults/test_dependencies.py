"""A dependency fails and returns: services report it, wait, and resume by themselves."""

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pymongo import AsyncMongoClient

from contracts.services import SERVICES
from tests.faults.chaos.infrastructure import Infrastructure, infrastructure
from tests.faults.checker.checker import check
from tests.faults.checker.history import Acknowledged, History, read_history
from tests.faults.checker.settling import until_settled
from tests.journeys.agent_user import Agent, agent_at, until
from tests.system import AUTHORIZED, Running, new_prefix, system

pytestmark = pytest.mark.alone

RECOVERY_SECONDS = 15.0
# Enough attempts for what falls due while a provider is unreachable.
SETTINGS = {"FOLLOWUP_DAY_SECONDS": "0.6", "RETRY_MAX_ATTEMPTS": "30", "RETRY_BASE_SECONDS": "0.05"}


@dataclass(frozen=True)
class BreakableSystem:
    """A running system whose infrastructure can be made to fail."""

    infra: Infrastructure
    running: Running
    agent: Agent
    http: httpx2.AsyncClient

    def url(self, service: str) -> str:
        """Return the URL of the service's health endpoints."""
        [process] = self.running.processes[service]
        return process.url

    async def problems(self, service: str) -> dict[str, str]:
        """Return why the service is not ready; empty when it is. Assert that it is live."""
        live = await self.http.get(f"{self.url(service)}/health/live")
        assert live.status_code == 200, service
        ready = await self.http.get(f"{self.url(service)}/health/ready")
        return {} if ready.is_success else ready.json()

    async def until_not_ready(self, services: Iterable[str], dependency: str) -> None:
        """Wait until each of the services reports a problem with the dependency."""

        async def all_not_ready() -> bool:
            return all([dependency in await self.problems(service) for service in services])

        await until(all_not_ready, f"{dependency} is a problem", seconds=40)

    async def until_recovered(self) -> float:
        """Wait until all services are ready; return the seconds that took."""
        began = time.monotonic()

        async def all_ready() -> bool:
            return not any([await self.problems(service) for service in SERVICES])

        await until(all_ready, "all are ready again", seconds=60)
        return time.monotonic() - began

    async def add_until(self, event: asyncio.Event) -> None:
        """Add clients until the event is set, so that there is work."""
        number = 0
        while not event.is_set():
            number += 1
            with contextlib.suppress(httpx2.TransportError):
                body = {"name": "Lea", "email": f"lea{time.time_ns()}.{number}@example.com"}
                await self.agent.post("/api/clients", body)
            await asyncio.sleep(0.3)


Break = Callable[[BreakableSystem], Awaitable[None]]


async def stop_mongodb(target: BreakableSystem) -> None:
    store = target.infra.stores["mongodb"]
    await store.end()
    await target.until_not_ready(SERVICES, "mongodb")
    await store.start()


async def step_mongodb_down(target: BreakableSystem) -> None:
    """Have the primary give its office up, as at an election: writes are refused meanwhile."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        target.infra.stores["mongodb"].server.address
    )
    async with client:
        await client.admin.command("replSetStepDown", 5, force=True)
        while not (await client.admin.command("hello"))["isWritablePrimary"]:
            await asyncio.sleep(0.1)


async def stop_kafka(target: BreakableSystem) -> None:
    store = target.infra.stores["kafka"]
    # The embedded broker loses what it acknowledges while it saves its data: stop the writers.
    pids = [process.pid for name in SERVICES for process in target.running.processes[name]]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    await store.end()
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    await target.until_not_ready(SERVICES, "kafka")
    await store.start()


async def slow_kafka(target: BreakableSystem) -> None:
    """Make Kafka answer after seconds: it is frozen nine tenths of the time."""
    store = target.infra.stores["kafka"]
    for _ in range(2):
        store.freeze()
        await asyncio.sleep(2.7)
        store.thaw()
        await asyncio.sleep(0.3)


async def silent_kafka(target: BreakableSystem) -> None:
    store = target.infra.stores["kafka"]
    store.freeze()
    try:
        await target.until_not_ready(SERVICES, "kafka")
    finally:
        store.thaw()


async def sendgrid_unreachable(target: BreakableSystem) -> None:
    await provider_unreachable(target, "sendgrid", "mailer")


async def openai_unreachable(target: BreakableSystem) -> None:
    await provider_unreachable(target, "openai", "composer")


async def provider_unreachable(target: BreakableSystem, provider: str, service: str) -> None:
    proxy = target.infra.proxies[provider]
    proxy.refuses = True
    proxy.cut()
    await target.until_not_ready([service], "provider")
    proxy.refuses = False


@pytest.fixture(scope="module")
async def target(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BreakableSystem]:
    """One system for all outages in turn, checked at the end."""
    folder, prefix = tmp_path_factory.mktemp("outages"), new_prefix()
    async with infrastructure(folder, apache=False) as infra:
        kafka, mongodb = (infra.stores[name].server for name in ("kafka", "mongodb"))
        async with (
            system(
                folder, kafka, mongodb, prefix=prefix, environment=infra.settings | SETTINGS
            ) as running,
            agent_at(running.api[0]) as agent,
            httpx2.AsyncClient(timeout=10, trust_env=False, headers=AUTHORIZED) as http,
        ):
            yield BreakableSystem(infra, running, agent, http)

            async def read() -> History:
                return await read_history(
                    kafka.address,
                    prefix,
                    mongodb.address,
                    infra.sendgrid.ledger_file,
                    Acknowledged({}, {}, {}),
                    embedded=True,
                )

            verdict = check(await until_settled(read))
            assert not verdict.anomalies, str(verdict)
            assert verdict.ends["sent"] > 50


@pytest.mark.parametrize(
    "break_",
    [
        *(stop_mongodb, step_mongodb_down, stop_kafka, slow_kafka, silent_kafka),
        *(sendgrid_unreachable, openai_unreachable),
    ],
    ids=lambda break_: break_.__name__,
)
async def test_all_services_recover_within_seconds_of_the_dependency(
    target: BreakableSystem, break_: Break
) -> None:
    pids = {name: [p.pid for p in target.running.processes[name]] for name in SERVICES}
    enough = asyncio.Event()
    adding = asyncio.create_task(target.add_until(enough))
    try:
        await break_(target)
        assert await target.until_recovered() <= RECOVERY_SECONDS
        # Ready means working: a new client's first follow-up is sent.
        client = await target.agent.add(f"after-{break_.__name__}")
        await target.agent.task(client, "sent")
    finally:
        enough.set()
        await adding
    assert pids == {name: [p.pid for p in target.running.processes[name]] for name in SERVICES}
    assert all(p.runs for name in SERVICES for p in target.running.processes[name])


async def test_a_mailbox_on_a_full_disk_is_retried_until_there_is_space(
    tmp_path: Path,
) -> None:
    """A full disk of 64 KiB: the emails wait, and are written completely once there is space."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk))
    if await (await asyncio.create_subprocess_exec(*mount)).wait():
        pytest.skip("mounting a tmpfs needs root")
    try:
        (disk / "ballast").write_bytes(b"x" * 64 * 1024)
        await assert_emails_wait(tmp_path, disk)
    finally:
        await (await asyncio.create_subprocess_exec("umount", "--lazy", str(disk))).wait()


async def assert_emails_wait(folder: Path, disk: Path) -> None:
    settings = SETTINGS | {"MAILBOX_DIR": str(disk / "mail"), "SENDGRID_API_KEY": ""}
    async with infrastructure(folder, apache=False) as infra:
        kafka, mongodb = (infra.stores[name].server for name in ("kafka", "mongodb"))
        async with (
            system(
                folder,
                kafka,
                mongodb,
                prefix=new_prefix(),
                environment=infra.settings | settings,
            ) as running,
            agent_at(running.api[0]) as agent,
            httpx2.AsyncClient(timeout=10, trust_env=False, headers=AUTHORIZED) as http,
        ):
            target = BreakableSystem(infra, running, agent, http)
            client = await agent.add("Nora")
            await target.until_not_ready(["mailer"], "provider")
            assert (await agent.statuses())["sent"] == 0
            (disk / "ballast").unlink()
            await agent.task(client, "sent")
            assert await target.until_recovered() <= RECOVERY_SECONDS
            await agent.until_all_ended(5)
            assert Counter(await agent.statuses()) == {"sent": 5}
    letters = list((disk / "mail").iterdir())
    assert len({path.name.rpartition("-")[0] for path in letters}) == len(letters) == 5
    assert all(path.suffix == ".eml" and path.stat().st_size for path in letters)
