"""Kills, stops and restarts the services' replicas, and measures their recovery."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx2

from ops.signals import describe_exit
from tests.replica import Process
from tests.system import Running

# How long the services may take to be ready again once MongoDB and Kafka are back, and how long
# to wait for that.
RECOVERY_SECONDS = 15.0
_RECOVERY_TIMEOUT_SECONDS = 60.0
_PROBE_SECONDS = 0.2
_PAUSE_SECONDS = 0.5


@dataclass
class Replica:
    """One replica. The holder of the lock may kill, stop and start it. Times are monotonic."""

    name: str
    process: Process
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    # Whether it has been ready since its last start, and when that was.
    was_ready: bool = True
    started: float = 0.0
    # The last readiness probe: start, end, and the problem, if any.
    last_probe: tuple[float, float, str | None] = (0.0, 0.0, "not probed yet")
    # When the last fault of this replica ended.
    last_fault_ended: float = 0.0
    # Until when its consumer group waits for a killed member.
    group_waits_until: float = 0.0

    def ready_after(self, moment: float) -> float | None:
        """Return the end of the last probe, if it started after `moment` and succeeded."""
        began, ended, problem = self.last_probe
        return ended if problem is None and began > moment else None


@dataclass
class ReplicaSupervisor:
    """All replicas. `violations`: processes that exited unexpectedly or did not recover.

    `session_seconds`: how long a consumer group waits for a killed member.
    """

    replicas: dict[str, Replica]
    session_seconds: float
    _http: httpx2.AsyncClient
    violations: list[str] = field(default_factory=list)
    # How often a process exited because MongoDB or Kafka was unreachable at its start.
    failed_starts: int = 0
    outage_active: bool = False
    outage_ended_at: float = 0.0

    def of(self, service: str) -> list[Replica]:
        """Return the replicas of a service."""
        return [r for r in self.replicas.values() if r.process.service == service]

    async def kill(self, name: str, seconds: float) -> None:
        """SIGKILL the replica, and restart it after so many seconds."""
        async with self._locked(self.replicas[name]) as replica:
            if replica.process.runs:
                await replica.process.end(signal.SIGKILL)
                for each in self.of(replica.process.service):
                    each.group_waits_until = time.monotonic() + self.session_seconds
            await asyncio.sleep(seconds)
            await self._start(replica)

    async def stop(self, name: str, seconds: float) -> None:
        """SIGSTOP the replica, and SIGCONT it after so many seconds."""
        async with self._locked(self.replicas[name], ready=True) as replica:
            pid = replica.process.pid
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(seconds)
            finally:
                os.kill(pid, signal.SIGCONT)

    async def roll(self, service: str) -> None:
        """Restart the service's replicas in turn; SIGTERM must lead to exit code 0."""
        for replica in self.of(service):
            async with self._locked(replica, ready=True):
                await replica.process.end(signal.SIGTERM)
                await self._start(replica)

    async def recovered(self, since: float) -> float:
        """Wait until every replica is ready again; return the seconds of the slowest.

        They count from `since`, or from the end of a later fault of the replica itself, without
        the time that its group waits for a killed member.
        """
        return max(
            await asyncio.gather(*(self._recovered(r, since) for r in self.replicas.values()))
        )

    async def _recovered(self, replica: Replica, since: float) -> float:
        deadline = time.monotonic() + _RECOVERY_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            begin = max(since, replica.last_fault_ended)
            if not replica.lock.locked() and (ready := replica.ready_after(begin)):
                return max(0.0, ready - max(begin, replica.group_waits_until))
            await asyncio.sleep(_PROBE_SECONDS / 2)
        self.violations.append(
            f"{replica.name} is not ready {_RECOVERY_TIMEOUT_SECONDS:.0f} s after an outage:"
            f" {replica.last_probe[2]}"
        )
        return _RECOVERY_TIMEOUT_SECONDS

    @contextlib.asynccontextmanager
    async def _locked(self, replica: Replica, *, ready: bool = False) -> AsyncIterator[Replica]:
        """Lock the replica; with `ready`, once it has been ready since its start."""
        while True:
            while ready and not (replica.was_ready and replica.process.runs):
                await asyncio.sleep(_PROBE_SECONDS)
            async with replica.lock:
                if ready and not (replica.was_ready and replica.process.runs):
                    continue
                self._record_exit(replica)
                try:
                    yield replica
                finally:
                    replica.last_fault_ended = time.monotonic()
                return

    async def _start(self, replica: Replica) -> None:
        replica.was_ready = False
        replica.started = time.monotonic()
        await replica.process.start()

    def _record_exit(self, replica: Replica) -> None:
        """Record the exit of a process that was not ended by a fault."""
        if replica.process.runs:
            return
        if not replica.was_ready and (self.outage_active or replica.started < self.outage_ended_at):
            self.failed_starts += 1
        else:
            when = "after it was ready" if replica.was_ready else "at its start"
            assert replica.process._process
            code = replica.process._process.returncode or 0
            self.violations.append(f"{replica.name} {describe_exit(code)} {when}")

    async def _watch(self, replica: Replica) -> None:
        while True:
            await asyncio.sleep(_PROBE_SECONDS)
            if replica.lock.locked():
                continue
            if not replica.process.runs:
                async with replica.lock:
                    self._record_exit(replica)
                    await asyncio.sleep(_PAUSE_SECONDS)
                    await self._start(replica)
                continue
            started, began = replica.started, time.monotonic()
            problem = await self._readiness_problem(replica)
            if not replica.lock.locked() and replica.started == started:
                replica.last_probe = (began, time.monotonic(), problem)
                replica.was_ready |= problem is None

    async def _readiness_problem(self, replica: Replica) -> str | None:
        """Return why the replica is not ready; None when it is."""
        try:
            answer = await self._http.get(f"{replica.process.url}/health/ready")
        except httpx2.TransportError as error:
            return type(error).__name__
        return None if answer.is_success else answer.text


@contextlib.asynccontextmanager
async def supervised(
    running: Running, *, session_seconds: float
) -> AsyncIterator[ReplicaSupervisor]:
    """Restart the replicas of a running system meanwhile, whenever one exits."""
    replicas = {
        f"{name}-{number}": Replica(f"{name}-{number}", process)
        for name, processes in running.processes.items()
        for number, process in enumerate(processes)
    }
    async with httpx2.AsyncClient(timeout=5, trust_env=False) as http:
        supervisor = ReplicaSupervisor(replicas, session_seconds, http)
        watches = [asyncio.create_task(supervisor._watch(r)) for r in replicas.values()]
        try:
            yield supervisor
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)
