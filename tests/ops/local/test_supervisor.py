"""The supervisor with tiny stand-ins for the services, and without servers."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2
import pytest

from chassis.kafka.servers import KafkaServers
from contracts.services import SERVICES
from ops import accounts
from ops.accounts import Credentials
from ops.errors import OperatorError
from ops.local import supervisor
from ops.servers.ports import free_port
from ops.servers.stores import Servers

STAND_IN = """
import http.server, json, os, signal, sys
name = sys.argv[1]
if os.environ.get("MAIL_FROM") == "broken":
    sys.exit("realtoros: wrong setting: COLOUR")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({**os.environ, "PID": os.getpid()}).encode())
    def log_message(self, *_): pass
port = os.environ["GATEWAY_PORT" if name == "gateway" else "HEALTH_PORT"]
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
"""


def user_at_m(user: str) -> str:
    return f"mongodb://{user}:secret@m:2/"  # pragma: allowlist secret


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Where the dashboard's pages would be."""
    folder = tmp_path / "pages"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def _stand_ins(monkeypatch: pytest.MonkeyPatch, pages: Path) -> None:
    @contextlib.asynccontextmanager
    async def running_servers(*_: object) -> AsyncIterator[Servers]:
        yield Servers(
            kafka=KafkaServers("k:1"),
            mongodb=user_at_m("operator"),
            mongodb_of={service: user_at_m(service) for service in SERVICES},
            kafka_is_embedded=True,
            mongodb_is_embedded=True,
        )

    async def nothing(*_: object) -> list[str]:
        return []

    async def ensure_api_key(
        uri: str, folder: Path, environment: object, tell: Callable[[Credentials], None]
    ) -> str:
        tell(Credentials("agent@realtoros.example", "shown once"))
        return "rk_1_2"

    monkeypatch.setattr(supervisor, "running_servers", running_servers)
    monkeypatch.setattr(supervisor, "apply_topics", nothing)
    monkeypatch.setattr(supervisor, "apply_indexes", nothing)
    monkeypatch.setattr(accounts, "ensure_api_key", ensure_api_key)
    monkeypatch.setattr(supervisor, "PAGES", pages)
    monkeypatch.setattr(supervisor, "RUN", (sys.executable, "-c", STAND_IN))


@pytest.fixture
def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "GATEWAY_PORT": str(free_port())}


async def gateway(url: str) -> dict[str, str]:
    async with httpx2.AsyncClient(trust_env=False) as http:
        answer: dict[str, str] = json.loads((await http.get(f"{url}/health/ready")).content)
        return answer


async def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_the_services_get_the_servers_addresses_and_a_port_each(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    folder = tmp_path / "data" / "up"
    said: list[str] = []
    async with supervisor.running_system(folder, environment, said.append) as system:
        settings = await gateway(system.url)
        assert "shown once" in said[0]
        assert system.url == f"http://127.0.0.1:{environment['GATEWAY_PORT']}"
        assert json.loads((folder / "api.json").read_text())["mongodb"] == "mongodb://m:2/"
        described = "\n".join(system.describe())
        assert system.mail == str(folder / "mail")
    assert (settings["KAFKA_BOOTSTRAP_SERVERS"], settings["KAFKA_EMPTY_FETCH_HOLD_MS"]) == (
        "k:1",
        "100",
    )
    assert settings["MONGODB_URI"] == user_at_m("gateway")
    # What links in emails begin with.
    assert settings["PUBLIC_URL"] == f"http://localhost:{environment['GATEWAY_PORT']}"
    assert "MAILBOX_DIR" not in settings
    assert "m:2" in described
    assert "secret" not in described
    # Each service's metrics have a port of their own.
    assert settings["METRICS_PORT"] == system.metrics["gateway"]
    assert len({*system.metrics.values(), settings["HEALTH_PORT"]}) == len(SERVICES) + 1
    assert not (folder / "api.json").exists()
    assert {log.stem for log in (folder / "logs").iterdir()} == set(SERVICES)
    with pytest.raises(ProcessLookupError):
        os.kill(int(settings["PID"]), 0)


async def test_a_service_that_dies_is_named_and_started_again(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    said: list[str] = []
    async with supervisor.running_system(tmp_path / "up", environment, said.append) as system:
        first = (await gateway(system.url))["PID"]
        os.kill(int(first), signal.SIGKILL)
        await until(lambda: any("gateway was ended by SIGKILL" in line for line in said))
        second = first
        while second == first:
            with contextlib.suppress(httpx2.TransportError):
                second = (await gateway(system.url))["PID"]
            await asyncio.sleep(0.05)


async def test_a_service_that_cannot_start_ends_the_start_with_its_reason(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    # Only the mailer reads this.
    broken = {**environment, "MAIL_FROM": "broken"}
    with pytest.raises(OperatorError, match=r"mailer does not start: .*wrong setting: COLOUR"):
        async with supervisor.running_system(tmp_path / "up", broken, print):
            pytest.fail("it is not up")


async def test_where_mail_goes_is_said_as_it_is(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    keyed = {**environment, "SENDGRID_API_KEY": "SG.x"}
    async with supervisor.running_system(tmp_path / "up", keyed, print) as system:
        assert system.mail == "SendGrid"


def test_where_mail_goes_is_said_without_the_password() -> None:
    for login in ("", "user:p%40ss@"):
        where = supervisor._mail({"SMTP_URL": f"smtps://{login}relay.example:465/"}, "mail")
        assert where == "SMTP relay.example:465"


async def test_a_public_url_that_is_set_stays(tmp_path: Path, environment: dict[str, str]) -> None:
    named = {**environment, "PUBLIC_URL": "https://realtoros.example"}
    async with supervisor.running_system(tmp_path / "up", named, print) as system:
        assert (await gateway(system.url))["PUBLIC_URL"] == "https://realtoros.example"


async def test_the_dashboard_is_served_where_its_pages_are(
    tmp_path: Path, pages: Path, environment: dict[str, str]
) -> None:
    async with supervisor.running_system(tmp_path / "up", environment, print) as system:
        assert "PAGES_DIR" not in await gateway(system.url)
        assert system.dashboard is None
        assert "make pages" in "\n".join(system.describe())
    (pages / "index.html").touch()
    async with supervisor.running_system(tmp_path / "up", environment, print) as system:
        assert (await gateway(system.url))["PAGES_DIR"] == str(pages)
        assert system.dashboard == f"http://localhost:{environment['GATEWAY_PORT']}/"
        [line] = [line for line in system.describe() if system.dashboard in line]
        assert "realtoros agents link EMAIL" in line
    other = {**environment, "PAGES_DIR": str(tmp_path)}
    async with supervisor.running_system(tmp_path / "up", other, print) as system:
        assert (await gateway(system.url))["PAGES_DIR"] == str(tmp_path)
        assert system.dashboard is None, "no pages are there"


async def test_metrics_are_on_the_ports_that_were_asked_for(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    asked = {**environment, "METRICS_PORT": "9100"}
    async with supervisor.running_system(tmp_path / "up", asked, print) as system:
        assert list(system.metrics.values()) == ["9100", "9101", "9102", "9103", "9104"]
        assert "crm 9100" in "\n".join(system.describe())
    wrong = {**environment, "METRICS_PORT": "65535"}
    with pytest.raises(OperatorError, match="METRICS_PORT is “65535”"):
        async with supervisor.running_system(tmp_path / "up", wrong, print):
            pytest.fail("it is not up")
