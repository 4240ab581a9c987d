"""Every fenced command of the runbooks, on a system that runs: each page ends without an error."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient

from chassis.kafka import client as kafka_client
from chassis.projections.views import view_raw
from contracts.crm import AgentProfile
from contracts.services import SERVICES
from ops import accounts
from ops.api_client import status
from ops.errors import ApiUnavailable, OperatorError
from ops.servers.consumers import running_services
from ops.servers.ports import LOOPBACK, free_port
from services.gateway.accounts.api_keys import new_key
from services.gateway.accounts.caller import EVERY_SCOPE
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
    urls = {"composer": f"http://{LOOPBACK}:{free_port()}", "crm": environment["API"]}
    services = partial(status.readiness_of, urls)
    code = await status.status(environment["API"], KEY, services, said.append, as_json=True)
    [answer] = map(json.loads, said)
    assert code == 1
    assert answer["services"] == {"composer": "does not answer", "crm": "ready"}
    assert answer["needs_a_person"] == ["composer: does not answer"]
    assert answer["tasks"]["pending"] == 5
    said.clear()
    assert await status.status(environment["API"], KEY, services, said.append) == 1
    assert said[1] == "services  gateway ready, composer not ready, crm ready"
    assert said[-1] == "needs a person: composer: does not answer"


async def nobody_can_tell() -> Mapping[str, str]:
    raise OperatorError("set KAFKA_BOOTSTRAP_SERVERS")


async def test_the_status_says_of_which_services_nothing_is_known(
    environment: Mapping[str, str],
) -> None:
    said: list[str] = []
    assert await status.status(environment["API"], KEY, nobody_can_tell, said.append) == 0
    assert said[0] == f"RealtorOS at {environment['API']} is ready"
    assert said[1].endswith("of the others nothing is known: set KAFKA_BOOTSTRAP_SERVERS")


async def test_an_admin_sees_the_work_of_the_office_and_an_agent_their_own(
    environment: Mapping[str, str],
) -> None:
    key = await an_agents_key(environment["MONGODB_URI"])
    office = await status.read_status(environment["API"], KEY, nobody_can_tell)
    assert (office.work_of, office.tasks["pending"]) == ("office", 5)
    own = await status.read_status(environment["API"], key, nobody_can_tell)
    assert (own.work_of, own.tasks) == ("agent", {})


async def an_agents_key(mongodb: str) -> str:
    profile = AgentProfile(name="Lou", email=f"lou{uuid4().hex[:8]}@agency.example")
    await accounts.add_account(mongodb, profile, "agent")
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        mongodb, uuidRepresentation="standard"
    )
    async with client:
        gateway = client[accounts.DATABASE]
        account = await gateway["accounts"].find_one({"email": profile.email})
        assert account
        token, document = new_key(account["_id"], "tests", EVERY_SCOPE, version=0)
        await gateway["api_keys"].insert_one(view_raw(document))
    return str(token)


async def test_a_status_without_a_gateway_still_names_the_services() -> None:
    nowhere = f"http://{LOOPBACK}:{free_port()}"
    services = partial(status.readiness_of, {"composer": nowhere})
    found = await status.read_status(nowhere, KEY, services)
    assert found.needs_a_person == ["gateway: does not answer", "composer: does not answer"]
    with pytest.raises(ApiUnavailable, match="is `realtoros up` running"):
        await status.read_status(nowhere, KEY, nobody_can_tell)


async def test_kafka_tells_which_services_run(
    environment: Mapping[str, str], kafka: Server
) -> None:
    prefix = environment["KAFKA_TOPIC_PREFIX"]
    running = await running_services(kafka.servers, prefix, runs="runs", stopped="does not run")
    assert running == dict.fromkeys(SERVICES, "runs")
    stopped = await running_services(kafka.servers, "none.", runs="runs", stopped="does not run")
    assert stopped == dict.fromkeys(SERVICES, "does not run")


def test_what_has_failed_needs_a_person() -> None:
    found = status.Status("api", "ready", tasks={"failed": 2, "sent": 7, "unknown": 1})
    assert found.needs_a_person == ["2 failed tasks", "1 unknown tasks"]
