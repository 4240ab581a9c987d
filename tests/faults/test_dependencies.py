"""What a service stands on goes away and comes back: it waits, tells so, and goes on by itself."""

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from ops.services import SERVICES
from tests.faults.chaos.environment import Surroundings, surroundings
from tests.faults.checker.checker import check
from tests.faults.checker.history import Acknowledged, History, read_history
from tests.faults.checker.settling import until_settled
from tests.journeys.agent_user import Agent, agent_at, until
from tests.system import AUTHORIZED, Running, new_prefix, system

pytestmark = pytest.mark.alone

RECOVERY_SECONDS = 15.0
# Nothing of it may stand in the way: what falls due while a provider is away is tried on and on.
SETTINGS = {"FOLLOWUP_DAY_SECONDS": "0.6", "RETRY_MAX_ATTEMPTS": "30", "RETRY_BASE_SECONDS": "0.05"}


@dataclass(frozen=True)
class Scene:
    """A running system whose surroundings may be broken."""

    around: Surroundings
    running: Running
    agent: Agent
    http: httpx2.AsyncClient

    def url(self, service: str) -> str:
        """Give where the service tells of its health."""
        [process] = self.running.processes[service]
        return process.url

    async def problems(self, service: str) -> dict[str, str]:
        """Give what the service is not ready for; empty when it is. It lives in any case."""
        live = await self.http.get(f"{self.url(service)}/health/live")
        assert live.status_code == 200, service
        ready = await self.http.get(f"{self.url(service)}/health/ready")
        return {} if ready.is_success else ready.json()

    async def until_red(self, services: Iterable[str], part: str) -> None:
        """Return once each of the services names the part as its problem."""

        async def red() -> bool:
            return all([part in await self.problems(service) for service in services])

        await until(red, f"{part} is a problem", seconds=40)

    async def until_recovered(self) -> float:
        """Return when all are ready, with the seconds that took."""
        began = time.monotonic()

        async def green() -> bool:
            return not any([await self.problems(service) for service in SERVICES])

        await until(green, "all are ready again", seconds=60)
        return time.monotonic() - began

    async def add_until(self, event: asyncio.Event) -> None:
        """Add clients, as an agent who tries again when told to, so that there is work."""
        number = 0
        while not event.is_set():
            number += 1
            with contextlib.suppress(httpx2.TransportError):
                body = {"name": "Lea", "email": f"lea{time.time_ns()}.{number}@example.com"}
                await self.agent.post("/api/clients", body)
            await asyncio.sleep(0.3)


Break = Callable[[Scene], Awaitable[None]]


async def stop_mongodb(scene: Scene) -> None:
    store = scene.around.stores["mongodb"]
    await store.end()
    await scene.until_red(SERVICES, "mongodb")
    await store.start()


async def stop_kafka(scene: Scene) -> None:
    store = scene.around.stores["kafka"]
    # What the embedded broker acknowledges while it saves itself is gone, so nobody may write then.
    pids = [process.pid for name in SERVICES for process in scene.running.processes[name]]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    await store.end()
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    await scene.until_red(SERVICES, "kafka")
    await store.start()


async def slow_kafka(scene: Scene) -> None:
    """It answers, but takes seconds to: nine tenths of the time it stands still."""
    store = scene.around.stores["kafka"]
    for _ in range(2):
        store.freeze()
        await asyncio.sleep(2.7)
        store.thaw()
        await asyncio.sleep(0.3)


async def silent_kafka(scene: Scene) -> None:
    store = scene.around.stores["kafka"]
    store.freeze()
    try:
        await scene.until_red(SERVICES, "kafka")
    finally:
        store.thaw()


async def sendgrid_away(scene: Scene) -> None:
    await provider_away(scene, "sendgrid", "mailer")


async def openai_away(scene: Scene) -> None:
    await provider_away(scene, "openai", "composer")


async def provider_away(scene: Scene, provider: str, service: str) -> None:
    between = scene.around.proxies[provider]
    between.refuses = True
    between.cut()
    await scene.until_red([service], "provider")
    between.refuses = False


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """One system for all outages, one after the other; checked as a whole at the end."""
    folder, prefix = tmp_path_factory.mktemp("outages"), new_prefix()
    async with surroundings(folder, apache=False) as around:
        kafka, mongodb = (around.stores[name].server for name in ("kafka", "mongodb"))
        async with (
            system(
                folder, kafka, mongodb, prefix=prefix, environment=around.settings | SETTINGS
            ) as running,
            agent_at(running.api[0]) as agent,
            httpx2.AsyncClient(timeout=10, trust_env=False, headers=AUTHORIZED) as http,
        ):
            yield Scene(around, running, agent, http)

            async def read() -> History:
                return await read_history(
                    kafka.address,
                    prefix,
                    mongodb.address,
                    around.sendgrid.ledger_file,
                    Acknowledged({}, {}, {}),
                    embedded=True,
                )

            verdict = check(await until_settled(read))
            assert not verdict.anomalies, str(verdict)
            assert verdict.ends["sent"] > 50


@pytest.mark.parametrize(
    "break_",
    [stop_mongodb, stop_kafka, slow_kafka, silent_kafka, sendgrid_away, openai_away],
    ids=lambda break_: break_.__name__,
)
async def test_all_recover_by_themselves_within_seconds_of_the_return(
    scene: Scene, break_: Break
) -> None:
    pids = {name: [p.pid for p in scene.running.processes[name]] for name in SERVICES}
    enough = asyncio.Event()
    adding = asyncio.create_task(scene.add_until(enough))
    try:
        await break_(scene)
        assert await scene.until_recovered() <= RECOVERY_SECONDS
        # Ready is not a word: a new client's first follow-up goes out.
        client = await scene.agent.add(f"after-{break_.__name__}")
        await scene.agent.task(client, "sent")
    finally:
        enough.set()
        await adding
    assert pids == {name: [p.pid for p in scene.running.processes[name]] for name in SERVICES}
    assert all(p.runs for name in SERVICES for p in scene.running.processes[name])


async def test_a_mailbox_on_a_full_disk_is_tried_again_until_there_is_room(
    tmp_path: Path,
) -> None:
    """A disk of 64 KiB, full: the letters wait, and go out whole once there is room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk))
    if await (await asyncio.create_subprocess_exec(*mount)).wait():
        pytest.skip("a disk of its own can be mounted only by root")
    try:
        (disk / "ballast").write_bytes(b"x" * 64 * 1024)
        await letters_wait(tmp_path, disk)
    finally:
        await (await asyncio.create_subprocess_exec("umount", "--lazy", str(disk))).wait()


async def letters_wait(folder: Path, disk: Path) -> None:
    settings = SETTINGS | {"MAILBOX_DIR": str(disk / "mail"), "SENDGRID_API_KEY": ""}
    async with surroundings(folder, apache=False) as around:
        kafka, mongodb = (around.stores[name].server for name in ("kafka", "mongodb"))
        async with (
            system(
                folder,
                kafka,
                mongodb,
                prefix=new_prefix(),
                environment=around.settings | settings,
            ) as running,
            agent_at(running.api[0]) as agent,
            httpx2.AsyncClient(timeout=10, trust_env=False, headers=AUTHORIZED) as http,
        ):
            scene = Scene(around, running, agent, http)
            client = await agent.add("Nora")
            await scene.until_red(["mailer"], "provider")
            assert (await agent.statuses())["sent"] == 0
            (disk / "ballast").unlink()
            await agent.task(client, "sent")
            assert await scene.until_recovered() <= RECOVERY_SECONDS
            await agent.until_all_ended(5)
            assert Counter(await agent.statuses()) == {"sent": 5}
    letters = list((disk / "mail").iterdir())
    assert len({path.name.rpartition("-")[0] for path in letters}) == len(letters) == 5
    assert all(path.suffix == ".eml" and path.stat().st_size for path in letters)
