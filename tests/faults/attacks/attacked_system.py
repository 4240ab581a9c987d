"""A gateway that is attacked, an honest agent's requests meanwhile, and what the attack costs."""

import asyncio
import contextlib
import json
import re
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import quantiles
from uuid import uuid4

import httpx2

from chassis.mongo.client import connect
from contracts.crm import AgentProfile
from ops import accounts
from ops.servers.ports import free_port
from tests.bench.seeded_views import DATABASE, fill
from tests.faults.attacks.attackers import ATTACKS, Target
from tests.providers.webhook import Webhook
from tests.servers import Server
from tests.system import AGENT, Running, authorized, create_admin, key_of, system

CLIENTS, TASKS = 1_000, 5_000
# The limits as they are by default: other tests raise them.
DEFAULT_LIMITS = {
    "REQUESTS_PER_SECOND": "200",
    "LOGINS_PER_ADDRESS": "60",
    "WEBHOOKS_PER_SECOND": "20",
    "MAX_CONNECTIONS_PER_ADDRESS": "300",
}
GET_PAUSE, LOGIN_PAUSE = 0.05, 1.0
_REFUSALS = re.compile(r'^realtoros_refusals_total\{reason="(.*)"\} (.*)$', re.MULTILINE)


@dataclass
class Outcome:
    """What happened while an attack ran. Times are in seconds, memory in bytes."""

    attack: str
    gets: list[float] = field(default_factory=list)
    logins: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    memory_before: int = 0
    memory: int = 0
    refused: dict[str, float] = field(default_factory=dict)
    log_lines: int = 0
    connections: float = 0

    def get_percentile(self, percent: int) -> float:
        """Return the percentile of the times of GET /api/tasks."""
        return quantiles(self.gets, n=100, method="inclusive")[percent - 1]

    @property
    def memory_growth(self) -> int:
        """How much more memory the gateway took than before, for the honest requests aside."""
        return max(0, self.memory - self.memory_before)


class AttackedSystem:
    """The gateway, the attacker's target and the honest agent's account."""

    def __init__(self, running: Running, target: Target, login: accounts.Credentials) -> None:
        self._running = running
        self._target = target
        # What the gateway takes for a moment for the same honest requests without an attack:
        # hashing a password alone takes 64 MiB.
        self._usual_memory = 0
        self._login = login
        [self._gateway] = running.processes["gateway"]
        self._metrics = f"http://127.0.0.1:{self._gateway.environment['METRICS_PORT']}/metrics"
        # The honest agent's address, another one each time: log-ins are counted by address.
        self._addresses = iter(range(2, 250))

    async def attack(self, name: str | None, seconds: float) -> Outcome:
        """Attack for so long (not at all without a name), and do the honest agent's requests."""
        self._forget_peak()
        outcome = Outcome(name or "nothing", memory_before=self._peak() + self._usual_memory)
        refused, lines = await self._refusals(), self._log_lines()
        async with _attacking(name, self._target):
            # The first connections are open, and the first files are being read.
            await asyncio.sleep(1)
            async with self._honest_client() as http:
                await asyncio.gather(
                    self._get(http, outcome, seconds),
                    self._log_in(http, outcome, seconds),
                )
            outcome.memory = self._peak()
            outcome.connections = await self._metric("realtoros_connections")
            after = await self._refusals()
        if name is None:
            self._usual_memory = outcome.memory_growth
        outcome.refused = {
            reason: count - refused.get(reason, 0)
            for reason, count in after.items()
            if count > refused.get(reason, 0)
        }
        outcome.log_lines = self._log_lines() - lines
        return outcome

    @contextlib.asynccontextmanager
    async def _honest_client(self) -> AsyncIterator[httpx2.AsyncClient]:
        transport = httpx2.AsyncHTTPTransport(local_address=f"127.0.0.{next(self._addresses)}")
        async with httpx2.AsyncClient(
            base_url=self._running.api[0],
            transport=transport,
            timeout=30,
            headers=authorized(AGENT),
        ) as http:
            yield http

    async def _get(self, http: httpx2.AsyncClient, outcome: Outcome, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (start := time.monotonic()) < end:
            await self._request(outcome, outcome.gets, http.get("/api/tasks"))
            await asyncio.sleep(max(0, start + GET_PAUSE - time.monotonic()))

    async def _log_in(self, http: httpx2.AsyncClient, outcome: Outcome, seconds: float) -> None:
        body = {"email": self._login.email, "password": self._login.password}
        end = time.monotonic() + seconds
        while (start := time.monotonic()) < end:
            await self._request(outcome, outcome.logins, http.post("/api/auth/login", json=body))
            await asyncio.sleep(max(0, start + LOGIN_PAUSE - time.monotonic()))

    @staticmethod
    async def _request(outcome: Outcome, times: list[float], request: object) -> None:
        start = time.perf_counter()
        try:
            response: httpx2.Response = await request  # type: ignore[misc]
        except httpx2.TransportError as error:
            outcome.failed.append(repr(error))
        else:
            if not response.is_success:
                outcome.failed.append(f"{response.status_code} {response.text[:200]}")
        times.append(time.perf_counter() - start)

    def _forget_peak(self) -> None:
        # See proc(5).
        Path(f"/proc/{self._gateway.pid}/clear_refs").write_text("5")

    def _peak(self) -> int:
        """Return the most resident memory that the gateway's process has had since."""
        status = Path(f"/proc/{self._gateway.pid}/status").read_text()
        found = re.search(r"VmHWM:\s*(\d+) kB", status)
        assert found
        return int(found[1]) * 1024

    def _log_lines(self) -> int:
        return len(self._gateway.log.read_text().splitlines())

    async def _refusals(self) -> dict[str, float]:
        return {reason: float(count) for reason, count in _REFUSALS.findall(await self._scrape())}

    async def _metric(self, name: str) -> float:
        found = re.search(rf"^{name} (.*)$", await self._scrape(), re.MULTILINE)
        return float(found[1]) if found else 0

    async def _scrape(self) -> str:
        transport = httpx2.AsyncHTTPTransport(local_address="127.0.0.254")
        async with httpx2.AsyncClient(transport=transport, timeout=30) as http:
            return (await http.get(self._metrics)).text


@contextlib.asynccontextmanager
async def attacked_system(
    folder: Path, kafka: Server, mongodb: Server, prefix: str
) -> AsyncIterator[AttackedSystem]:
    """Run a gateway with its default limits, an honest agent with a full calendar, an attacker."""
    metrics = str(free_port())
    environment = DEFAULT_LIMITS | {"SENDGRID_WEBHOOK_PUBLIC_KEY": Webhook().public_key}
    async with system(
        folder,
        kafka,
        mongodb,
        prefix=prefix,
        services=("crm", "gateway"),
        environment=environment,
        service_environments={"gateway": {"METRICS_PORT": metrics}},
    ) as running:
        attacker = uuid4()
        await create_admin(kafka, mongodb, prefix, {"AGENT_ID": str(attacker)})
        url = httpx2.URL(running.api[0])
        key = key_of(attacker)
        # All that follows is between it and the end.
        start = await _position(running.api[0], key)
        async with connect(mongodb.address) as client:
            await fill(client[DATABASE], AGENT, CLIENTS, TASKS)
        profile = AgentProfile(name="Honest", email="honest@agents.example.com")
        login = await accounts.add_account(mongodb.address, profile, "agent")
        target = Target(url.host, url.port or 80, key, start)
        yield AttackedSystem(running, target, login)


async def _position(url: str, key: str) -> str:
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(trust_env=False, timeout=30) as http,
        http.stream("GET", f"{url}/api/events", headers=headers) as response,
    ):
        async for line in response.aiter_lines():
            if line.startswith("id: "):
                return line.removeprefix("id: ")
    raise AssertionError("the stream has no position")


@contextlib.asynccontextmanager
async def _attacking(name: str | None, target: Target) -> AsyncIterator[None]:
    if name is None:
        yield
        return
    assert name in ATTACKS
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.attacks.attackers", name),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(json.dumps(asdict(target)).encode() + b"\n")
        assert await process.stdout.readline() == b"attacking\n"
        yield
        assert process.returncode is None, "the attacker has given up"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
