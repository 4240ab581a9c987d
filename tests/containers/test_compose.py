"""docker-compose.yml, started on nothing: 25 leads are sent through nginx, then all stops."""

import asyncio
import time

import httpx2
import pytest

from contracts.services import SERVICES
from ops.api_client.client import ApiClient
from ops.api_client.lead_import import import_leads, read_leads
from ops.demo.demo import SAMPLE
from tests.chassis.waiting import until
from tests.containers.compose import Compose, execute, exit_code, inspect, memory

EMAIL = "sre@realtoros.example"
FOLLOWUPS = 125
SENT_SECONDS = 180
IDLE_MIB = 90
STOP_SECONDS = 10
SERVERS = ("nginx", "mongodb", "kafka")
# Java ends with 128 + SIGTERM however orderly it was.
STOPPED = dict.fromkeys((*SERVICES, "nginx", "mongodb"), 0) | {"kafka": 143}

pytestmark = [pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
async def token(compose: Compose) -> str:
    """An agent's access token, of an account made by the ops image."""
    password = compose.ops("agents", "add", EMAIL).split("password ")[1].split()[0]
    async with httpx2.AsyncClient(base_url=compose.url) as http:
        login = await http.post("/api/auth/login", json={"email": EMAIL, "password": password})
        return str(login.raise_for_status().json()["access_token"])


async def test_25_leads_are_sent(compose: Compose, token: str) -> None:
    async with ApiClient(compose.url, token) as api:
        imported = await import_leads(api, read_leads(SAMPLE).leads)
        assert imported.summary() == "25 imported"
        deadline = time.monotonic() + SENT_SECONDS
        while (sent := await api.count("tasks", "sent")) < FOLLOWUPS:
            assert time.monotonic() < deadline, f"{sent} of {FOLLOWUPS} sent"
            await asyncio.sleep(1)


async def test_nginx_passes_live_updates_on_and_says_who_calls(
    compose: Compose, token: str
) -> None:
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
    async with httpx2.AsyncClient(base_url=compose.url, headers=headers) as http:
        async with http.stream("GET", "/api/events") as events:
            assert events.status_code == 200
            assert await anext(events.aiter_lines())
        clients = await http.get("/api/clients")
        assert clients.headers["content-encoding"] == "gzip"
        assert (await http.get("/metrics")).status_code == 404


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_restricted(compose: Compose, service: str) -> None:
    assert execute(service, "id", "-u").stdout.strip() == "10001"
    assert execute(service, "touch", "/opt/venv/x").returncode
    assert execute(service, "grep", "CapEff", "/proc/1/status").stdout.split()[1] == "0" * 16
    assert execute(service, "grep", "NoNewPrivs", "/proc/1/status").stdout.split()[1] == "1"
    # Secrets are files: no password is in the environment.
    assert "PASSWORD=" not in execute(service, "env").stdout


@pytest.mark.parametrize("service", SERVICES)
def test_metrics_answer_where_prometheus_asks(compose: Compose, service: str) -> None:
    script = "import sys; from urllib.request import urlopen; print(urlopen(sys.argv[1]).read())"
    metrics = execute("crm", "python", "-c", script, f"http://{service}:9100/metrics")
    assert "realtoros_" in metrics.stdout


@pytest.mark.parametrize("service", SERVICES)
async def test_an_idle_service_takes_90_mib_at_most(compose: Compose, service: str) -> None:
    # What has read the imported file is there for a while.
    await until(lambda: memory(service) <= IDLE_MIB)


async def test_everything_stops_in_order(compose: Compose, token: str) -> None:
    async with ApiClient(compose.url, token) as api:
        leads = [
            {"name": f"Busy {n}", "email": f"busy-{n}@example.com", "property_address": "1 Elm St"}
            for n in range(100)
        ]
        await asyncio.gather(*(api.add_client(lead) for lead in leads))
    # While hundreds of follow-ups are on their way.
    codes: dict[str, int] = {name: exit_code(name, STOP_SECONDS) for name in SERVICES}
    codes |= {server: exit_code(server, 60) for server in SERVERS}
    assert codes == STOPPED
    assert inspect("topics", "State.ExitCode") == inspect("indexes", "State.ExitCode") == "0"
