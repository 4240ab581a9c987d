"""RealtorOS as real processes, for tests and benches: started, watched and stopped."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from pymongo import AsyncMongoClient

from ops.child import PARENT, how_it_ended
from ops.ports import LOOPBACK, free_port
from ops.services import SERVICES
from ops.stores import apply_indexes, apply_topics
from tests.providers.running import Fake
from tests.servers import Server

READY_SECONDS = 60.0
# A provider call that is under way may take its time; see chassis.service.DRAIN_SECONDS.
STOP_SECONDS = 25.0
_RUN = (sys.executable, "-P", "-m", "ops.cli", "run")
# Nothing else of the tester's environment: it may name real servers, and keys that cost money.
_INHERITED = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "TZ")
_TAIL_LINES = 25


@dataclass
class Process:
    """One replica of a service. It keeps its port and its log from start to start."""

    service: str
    url: str
    log: Path
    environment: Mapping[str, str]
    _process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The id of the process that runs, or ran last."""
        assert self._process
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it; `ready` tells when it works."""
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *_RUN,
                self.service,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.log.parent,
                env=self.environment,
            )

    async def ready(self, http: httpx2.AsyncClient) -> None:
        """Return when `/health/ready` says so."""
        deadline = time.monotonic() + READY_SECONDS
        answer = "nothing answers"
        while time.monotonic() < deadline:
            assert self._process
            if (code := self._process.returncode) is not None:
                raise AssertionError(f"{self.service} {how_it_ended(code)} at its start")
            with contextlib.suppress(httpx2.TransportError):
                response = await http.get(f"{self.url}/health/ready")
                if response.is_success:
                    return
                answer = response.text
            await asyncio.sleep(0.1)
        raise AssertionError(f"{self.service} is not ready in {READY_SECONDS:.0f} s: {answer}")

    async def end(self, number: signal.Signals) -> None:
        """Send the signal and wait; SIGTERM has to lead to exit code 0 in time."""
        assert self._process
        if not self.runs:
            code = self._process.returncode or 0
            raise AssertionError(f"{self.service} {how_it_ended(code)} before it was told to")
        self._process.send_signal(number)
        try:
            code = await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise AssertionError(f"{self.service} did not stop in {STOP_SECONDS:.0f} s") from None
        expected = 0 if number == signal.SIGTERM else -number
        assert code == expected, f"{self.service} {how_it_ended(code)}"


@dataclass
class Running:
    """A running RealtorOS. `processes` holds each service's replicas, started or stopped."""

    folder: Path
    mail: Path
    prefix: str
    processes: dict[str, list[Process]]
    _http: httpx2.AsyncClient
    _meant_to_run: set[str] = field(default_factory=set)

    @property
    def api(self) -> list[str]:
        """The URL of every gateway replica."""
        return [gateway.url for gateway in self.processes["gateway"]]

    async def start(self, *names: str) -> None:
        """Start all replicas of the services, and wait until they are ready."""
        started = self._replicas(names)
        self._meant_to_run |= {process.service for process in started}
        await asyncio.gather(*(process.start() for process in started))
        await asyncio.gather(*(process.ready(self._http) for process in started))

    async def stop(self, *names: str) -> None:
        """Send SIGTERM to all replicas of the services; assert that they end in order."""
        await self._end(names, signal.SIGTERM)

    async def kill(self, *names: str) -> None:
        """Send SIGKILL to all replicas of the services."""
        await self._end(names, signal.SIGKILL)

    async def stop_all(self) -> None:
        """Stop what is meant to run; all of it, even when one of them fails the assertion."""
        await self.stop(*self._meant_to_run)

    async def _end(self, names: Iterable[str], number: signal.Signals) -> None:
        ending = self._replicas(names)
        self._meant_to_run -= set(names)
        ends = (process.end(number) for process in ending)
        errors = [e for e in await asyncio.gather(*ends, return_exceptions=True) if e]
        if errors:
            raise AssertionError("; ".join(str(error) for error in errors))

    def _replicas(self, names: Iterable[str]) -> list[Process]:
        return [process for name in names for process in self.processes[name]]

    def log_tails(self) -> str:
        """Give the end of every log, for a failure's report."""
        tails = []
        for process in self._replicas(self.processes):
            if process.log.exists():
                lines = process.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
                tails.append("\n".join([f"--- the end of {process.log.name}", *lines]))
        return "\n".join(tails)


@contextlib.asynccontextmanager
async def system(
    folder: Path,
    kafka: Server,
    mongodb: Server,
    *,
    prefix: str,
    replicas: int = 1,
    services: Sequence[str] = SERVICES,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Running]:
    """Run the services, all ready, on topics with this prefix; logs and mail go into the folder.

    The databases have fixed names: see `empty`. Leaving stops what runs, and asserts that all of
    it ends with exit code 0 and nothing had ended by itself; a failure carries the logs' ends.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    await apply_topics(kafka.address, prefix)
    await apply_indexes(mongodb.address)
    common = {name: os.environ[name] for name in _INHERITED if name in os.environ} | {
        # A test run that is killed takes them along.
        PARENT: str(os.getpid()),
        "PYTHONUNBUFFERED": "1",
        "KAFKA_BOOTSTRAP_SERVERS": kafka.address,
        "KAFKA_TOPIC_PREFIX": prefix,
        "MONGODB_URI": mongodb.address,
        "MAILBOX_DIR": str(folder / "mail"),
    }
    if kafka.embedded:
        common["KAFKA_EMPTY_FETCH_HOLD_MS"] = "50"
    common |= environment or {}
    new_port = _ports()
    processes = {
        name: [_process(name, number, folder, common, new_port()) for number in range(replicas)]
        for name in services
    }
    async with httpx2.AsyncClient(timeout=5, trust_env=False) as http:
        running = Running(folder, Path(common["MAILBOX_DIR"]), prefix, processes, http)
        try:
            try:
                await running.start(*services)
                yield running
            finally:
                await running.stop_all()
        except BaseException as error:
            error.add_note(running.log_tails())
            raise


def provided_by(openai: Fake, sendgrid: Fake) -> dict[str, str]:
    """Give the settings that let the services call these providers."""
    return {
        "OPENAI_API_KEY": "sk-fake",
        "OPENAI_BASE_URL": openai.url,
        "SENDGRID_API_KEY": "SG.fake",
        "SENDGRID_BASE_URL": sendgrid.url,
    }


async def empty(mongodb: Server) -> None:
    """Drop the services' databases; call it between two systems on the same MongoDB."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb.address)
    async with client:
        for service in SERVICES:
            await client.drop_database(f"realtoros_{service}")


def _process(
    service: str, number: int, folder: Path, common: Mapping[str, str], port: int
) -> Process:
    variable = "GATEWAY_PORT" if service == "gateway" else "HEALTH_PORT"
    return Process(
        service,
        f"http://{LOOPBACK}:{port}",
        folder / f"{service}-{number}.log",
        {**common, variable: str(port)},
    )


def _ports() -> Callable[[], int]:
    """Give what gives free ports, each once: nobody listens on them before all are chosen."""
    taken: set[int] = set()

    def new() -> int:
        port = free_port()
        while port in taken:
            port = free_port()
        taken.add(port)
        return port

    return new
