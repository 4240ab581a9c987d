"""Every fenced command of the runbooks, on a system that runs: each page ends without an error."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from chassis.kafka import client as kafka_client
from contracts.crm import AgentProfile
from ops import accounts
from ops.api_client import status
from ops.servers.ports import LOOPBACK, free_port
from tests import servers
from tests.journeys.agent_user import agent_at
from tests.servers import Server
from tests.system import KEY, drop_databases, system

_ROOT = Path(__file__).parents[2]
_PAGES = _ROOT / "docs" / "runbooks"
_ALERTS = _ROOT / "deploy" / "monitoring" / "alerts.yaml"
_BLOCK = re.compile(r"^( *)```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)(?:#([^)]+))?\)")
# A record that was sent back is listed again a moment later.
_LISTED = "until realtoros quarantine list | grep -q $RECORD; do sleep 0.2; done"


def script_of(page: Path) -> str:
    """Return the page's commands in their order, as one script."""
    blocks = [
        "".join(line.removeprefix(indent) for line in commands.splitlines(keepends=True))
        for indent, commands in _BLOCK.findall(page.read_text())
    ]
    waits = [f"{_LISTED}\n{block}" if "$RECORD" in block else block for block in blocks]
    return "\n".join(["set -euo pipefail", *waits])


PAGES = {
    page.stem: script_of(page) for page in sorted(_PAGES.glob("*.md")) if page.stem != "README"
}


@pytest.fixture(scope="module")
async def environment(
    tmp_path_factory: pytest.TempPathFactory, kafka: Server, mongodb_server: Server
) -> AsyncIterator[Mapping[str, str]]:
    """Run all services, with one record in quarantine; yield what a page says to set."""
    folder = tmp_path_factory.mktemp("runbooks")
    prefix = f"runbooks-{uuid4().hex[:8]}."
    mongodb = mongodb_server
    await drop_databases(mongodb)
    async with (
        system(folder, kafka, mongodb, prefix=prefix) as running,
        servers.kafka() as new_kafka,
        servers.mongodb() as new_mongodb,
    ):
        [api] = running.api
        async with agent_at(api) as agent:
            await agent.add("Robin")
        admin, other = [
            await accounts.add_account(
                mongodb.address, AgentProfile(name=name, email=f"{name}@agency.example"), "admin"
            )
            for name in ("Sam", "Kim")
        ]
        async with kafka_client.producer(kafka.servers, "test") as producer:
            bad = await producer.send_and_wait(f"{prefix}clients", b"no event", partition=0)
        yield {
            "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "API": api,
            "GATEWAY_PORT": str(urlsplit(api).port),
            "REALTOROS_API_KEY": KEY,
            "KAFKA_BOOTSTRAP_SERVERS": kafka.address,
            "KAFKA_TOPIC_PREFIX": prefix,
            "MONGODB_URI": mongodb.address,
            "NEW_KAFKA": new_kafka.address,
            "NEW_MONGODB": new_mongodb.address,
            "BACKUP": str(folder / "backup"),
            "SERVICE": "scheduler",
            "RECORD": f"scheduler/clients-0-{bad.offset}",
            "ADMIN_EMAIL": admin.email,
            "ADMIN_PASSWORD": admin.password,
            "EMAIL": other.email,
        }


@pytest.mark.parametrize("page", PAGES)
async def test_the_commands_of_a_page_do_what_it_says(
    environment: Mapping[str, str], page: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        "bash",
        *("-c", PAGES[page]),
        cwd=environment["HOME"],
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, output.decode()


def test_the_links_of_the_pages_lead_somewhere() -> None:
    for page in _PAGES.glob("*.md"):
        for path, anchor in _LINK.findall(page.read_text()):
            target = page.parent / path
            assert target.exists(), f"{page.name}: {path}"
            headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}
            assert not anchor or anchor in anchors, f"{page.name}: {path}#{anchor}"


def test_the_index_names_every_page() -> None:
    index = (_PAGES / "README.md").read_text()
    assert {page for page in PAGES if f"({page}.md)" not in index} == set()


def test_every_alert_has_its_page() -> None:
    pages = set(re.findall(r"runbook: (\S+)", _ALERTS.read_text()))
    assert pages
    assert {page for page in pages if not (_ROOT / page).exists()} == set()


async def test_the_status_names_a_service_that_does_not_answer(
    environment: Mapping[str, str],
) -> None:
    said: list[str] = []
    services = {"composer": f"http://{LOOPBACK}:{free_port()}", "crm": environment["API"]}
    code = await status.status(environment["API"], KEY, services, said.append, as_json=True)
    [answer] = map(json.loads, said)
    assert code == 1
    assert answer["services"] == {"composer": "does not answer", "crm": "ready"}
    assert answer["needs_a_person"] == ["composer: does not answer"]
    assert answer["tasks"]["pending"] == 5
    said.clear()
    assert await status.status(environment["API"], KEY, {}, said.append) == 0
    assert said[0] == f"RealtorOS at {environment['API']} is ready"


def test_what_has_failed_needs_a_person() -> None:
    found = status.Status("api", "ready", tasks={"failed": 2, "sent": 7, "unknown": 1})
    assert found.needs_a_person == ["2 failed tasks", "1 unknown tasks"]
