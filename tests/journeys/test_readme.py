"""What the README says of servers of your own, word for word but for their addresses."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest

from ops.servers.ports import LOOPBACK, free_port
from tests.journeys.agent_user import until
from tests.journeys.local_command import NO_KEYS
from tests.servers import Server

pytestmark = pytest.mark.journey

README = Path(__file__).parents[2] / "README.md"
LOGIN = re.compile(r"Log in as (\S+) with the password (\S+)")


class Typed(NamedTuple):
    """The commands as they run: where the API is, and what they print."""

    url: str
    log: Path

    @property
    def printed(self) -> str:
        return self.log.read_text()


def commands(kafka: Server, mongodb: Server) -> str:
    """Return the commands under "On servers of your own", with the addresses of these servers."""
    section = README.read_text().partition("### On servers of your own")[2]
    block = re.search(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert block
    text = block[1]
    for example, address in (
        ("kafka.example:9092", kafka.address),
        ("mongodb://mongodb.example:27017/?replicaSet=rs0", mongodb.address),
    ):
        assert text.count(example) == 1
        text = text.replace(example, address)
    return f"set -euo pipefail\n{text}"


@asynccontextmanager
async def typed(folder: Path, kafka: Server, mongodb: Server, prefix: str) -> AsyncIterator[Typed]:
    """Run the commands in a folder; end all that they have started."""
    port, log = free_port(), folder / "output"
    inherited = {n: value for n, value in os.environ.items() if not n.startswith(NO_KEYS)}
    environment = inherited | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "KAFKA_TOPIC_PREFIX": prefix,
        "GATEWAY_PORT": str(port),
        "FOLLOWUP_DAY_SECONDS": "0.3",
        "SCHEDULER_POLL_SECONDS": "0.5",
    }
    if kafka.embedded:
        environment["KAFKA_EMPTY_FETCH_HOLD_MS"] = "50"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", commands(kafka, mongodb)),
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Typed(f"http://{LOOPBACK}:{port}", log)
        assert process.returncode is None, log.read_text()
    finally:
        # The services share its group; it waits for none of them.
        os.killpg(process.pid, signal.SIGTERM)
        await process.wait()
        await until(lambda: has_ended(process.pid), "the services have ended", log)


async def has_ended(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


async def test_on_servers_of_your_own_the_readme_works_word_for_word(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    async with (
        typed(tmp_path, kafka, mongodb, prefix) as system,
        httpx2.AsyncClient(base_url=system.url, trust_env=False) as http,
    ):

        async def is_ready() -> bool:
            try:
                return (await http.get("/health/ready")).is_success
            except httpx2.TransportError:
                return False

        await until(is_ready, "the API is ready", system.log)
        login = LOGIN.search(system.printed)
        assert login, system.printed
        body = {"email": login[1], "password": login[2]}
        token = (await http.post("/api/auth/login", json=body)).raise_for_status().json()
        http.headers["authorization"] = f"Bearer {token['access_token']}"
        client = {"name": "Jane Doe", "email": "jane@example.com"}

        async def added() -> bool:
            # crm may not know the agent yet.
            return (await http.post("/api/clients", json=client)).status_code in (201, 202, 409)

        await until(added, "the client is added", system.log)

        async def all_written() -> bool:
            return len(list((tmp_path / "mail").glob("*.eml"))) == 5

        await until(all_written, "five letters are written", system.log)
