"""`realtoros up` looks after its own MongoDB and Kafka: killed, or ended by a full disk."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.journeys.agent_user import DAYS, Agent, until
from tests.journeys.local_command import local_command

pytestmark = pytest.mark.alone

SETTINGS = {"FOLLOWUP_DAY_SECONDS": "0.5", "SCHEDULER_POLL_SECONDS": "0.5"}
# MongoDB's journal takes most of it.
DISK = "600m"


@dataclass(frozen=True)
class OwnServers:
    """A running `up`."""

    folder: Path
    log: Path
    agent: Agent

    def pid(self, server: str) -> int:
        """Return the process id of `mongodb/mongod` or `kafka/kafka`."""
        return int((self.folder / f"{server}.pid").read_text())

    async def until_said(self, line: str, times: int = 1) -> None:
        """Wait until the terminal has shown a line that matches."""

        async def said() -> bool:
            return len(re.findall(line, self.log.read_text(), re.MULTILINE)) >= times

        await until(said, f"it says “{line}”", self.log, seconds=180)

    async def until_followed_up(self, name: str) -> None:
        """Add a client, again until the API takes it; wait until all five letters are written."""
        body = {"name": name, "email": address_of(name)}

        async def added() -> bool:
            with contextlib.suppress(httpx2.TransportError):
                return (await self.agent.post("/api/clients", body)).status_code in (201, 202, 409)
            return False

        await until(added, f"{name} is added", self.log, seconds=180)

        async def all_written() -> bool:
            return len(self.letters_to(name)) == len(DAYS)

        await until(all_written, f"{name} has all letters", self.log, seconds=180)

    def letters_to(self, name: str) -> list[Path]:
        """Return the letters to a client in the mailbox."""
        to = f"<{address_of(name)}>".encode()
        return [file for file in (self.folder / "mail").glob("*.eml") if to in file.read_bytes()]


def address_of(name: str) -> str:
    return f"{name.lower()}@example.com"


@pytest.fixture(scope="module")
async def disk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """A small disk of its own."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ("mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder))
    if await (await asyncio.create_subprocess_exec(*mount)).wait():
        pytest.skip("mounting a tmpfs needs root")
    try:
        yield folder
    finally:
        await (await asyncio.create_subprocess_exec("umount", "--lazy", str(folder))).wait()


@asynccontextmanager
async def up(disk: Path, log: Path) -> AsyncIterator[OwnServers]:
    folder = disk / ".realtoros" / "up"
    async with local_command(disk, "up", environment=SETTINGS, log=log) as process:

        async def is_up() -> bool:
            assert process.returncode is None, log
            return (folder / "api.json").exists()

        await until(is_up, "it is up", log, seconds=180)
        url = json.loads((folder / "api.json").read_text())["url"]
        key = (folder / "api-key").read_text().strip()
        headers = {"authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(base_url=url, headers=headers, trust_env=False) as http:
            yield OwnServers(folder, log, Agent(http))
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0, log


@pytest.mark.timeout(900)
async def test_up_starts_its_own_servers_again_and_goes_on(disk: Path, tmp_path: Path) -> None:
    log = tmp_path / "up.log"
    async with up(disk, log) as system:
        await system.until_followed_up("Ann")
        os.kill(system.pid("mongodb/mongod"), signal.SIGKILL)
        await system.until_said("^mongod was ended by SIGKILL$")
        await system.until_said("^mongod runs again$")
        await system.until_followed_up("Ben")
        os.kill(system.pid("kafka/kafka"), signal.SIGKILL)
        await system.until_said("^kafka was ended by SIGKILL$")
        await system.until_said("^kafka runs again$")
        await system.until_followed_up("Cleo")
        fill(disk)
        # Until the last room inside MongoDB's files is used, too.
        writing = asyncio.create_task(keep_adding(system.agent))
        await system.until_said(r"^mongod was ended by \w+: the disk is full")
        writing.cancel()
        (disk / "ballast").unlink()
        await system.until_said("^mongod runs again$", 2)
        await system.until_followed_up("Dora")
        for name in ("Ann", "Ben", "Cleo", "Dora"):
            assert len(system.letters_to(name)) == len(DAYS), "no letter is written twice"
    said = log.read_text()
    assert "Traceback" not in said
    assert '{"' not in said


def fill(disk: Path) -> None:
    """Leave no room on the disk."""
    ballast = os.open(disk / "ballast", os.O_CREAT | os.O_WRONLY)
    with contextlib.suppress(OSError):
        while os.write(ballast, bytes(65_536)):
            pass
    os.close(ballast)
    assert shutil.disk_usage(disk).free == 0


async def keep_adding(agent: Agent) -> None:
    number = 0
    while True:
        number += 1
        # Lost, so that no letters to so many keep others waiting.
        body = {"name": "Max", "email": f"max{number}@example.com", "stage": "lost"}
        body["notes"] = "x" * 1000
        try:
            await agent.post("/api/clients", body)
        except httpx2.TransportError:
            await asyncio.sleep(0.1)
