"""The services' replicas in bad weather: killed, stopped, rolled, and started again."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx2

from ops.local.supervised_process import how_it_ended
from tests.replica import Process
from tests.system import Running

# How long the services may take to be ready again once store and broker are back, and how long
# that is waited for.
RECOVERY_SECONDS = 15.0
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.2
_PAUSE_SECONDS = 0.5


@dataclass
class Replica:
    """One replica. Who holds the lock may end, stop and start it. Times are time.monotonic()'s."""

    name: str
    process: Process
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    # Whether it was ready since its last start, and when that was.
    was_ready: bool = True
    started: float = 0.0
    # The last look at it: when it began and ended, and what it was not ready for.
    looked: tuple[float, float, str | None] = (0.0, 0.0, "not looked at yet")
    # When the last fault that was meant for this replica ended.
    left_alone: float = 0.0
    # Until when its group waits for a member that was killed.
    group_waits_until: float = 0.0

    def ready_after(self, moment: float) -> float | None:
        """Give the end of the last look, if that began later and found it ready."""
        begun, ended, problem = self.looked
        return ended if problem is None and begun > moment else None


@dataclass
class Fleet:
    """All replicas. `wrong` tells what a service must not do: end by itself, or not end.

    `session_seconds`: how long a group waits for a member that was killed.
    """

    replicas: dict[str, Replica]
    session_seconds: float
    _http: httpx2.AsyncClient
    wrong: list[str] = field(default_factory=list)
    # How often a process ended since store or broker were away when it started.
    started_in_vain: int = 0
    away: bool = False
    back_at: float = 0.0

    def of(self, service: str) -> list[Replica]:
        """Give the replicas of a service."""
        return [r for r in self.replicas.values() if r.process.service == service]

    async def kill(self, name: str, seconds: float) -> None:
        """SIGKILL, and start again so many seconds later."""
        async with self._held(self.replicas[name]) as replica:
            if replica.process.runs:
                await replica.process.end(signal.SIGKILL)
                for each in self.of(replica.process.service):
                    each.group_waits_until = time.monotonic() + self.session_seconds
            await asyncio.sleep(seconds)
            await self._start(replica)

    async def stop(self, name: str, seconds: float) -> None:
        """SIGSTOP, and SIGCONT so many seconds later."""
        async with self._held(self.replicas[name], ready=True) as replica:
            pid = replica.process.pid
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(seconds)
            finally:
                os.kill(pid, signal.SIGCONT)

    async def roll(self, service: str) -> None:
        """SIGTERM to one replica after the other, which has to lead to exit code 0."""
        for replica in self.of(service):
            async with self._held(replica, ready=True):
                await replica.process.end(signal.SIGTERM)
                await self._start(replica)

    async def recovered(self, since: float) -> float:
        """Return when every replica is ready again: the most seconds that one has taken for it.

        They count from `since`, or from the end of a fault that was meant for the replica itself;
        what its group waits for a killed member does not count.
        """
        return max(
            await asyncio.gather(*(self._recovered(r, since) for r in self.replicas.values()))
        )

    async def _recovered(self, replica: Replica, since: float) -> float:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            begin = max(since, replica.left_alone)
            if not replica.lock.locked() and (ready := replica.ready_after(begin)):
                return max(0.0, ready - max(begin, replica.group_waits_until))
            await asyncio.sleep(_LOOK_SECONDS / 2)
        self.wrong.append(
            f"{replica.name} is not ready {_PATIENCE_SECONDS:.0f} s after an outage:"
            f" {replica.looked[2]}"
        )
        return _PATIENCE_SECONDS

    @contextlib.asynccontextmanager
    async def _held(self, replica: Replica, *, ready: bool = False) -> AsyncIterator[Replica]:
        """Hold a replica; with `ready`, one that was ready since its start."""
        while True:
            while ready and not (replica.was_ready and replica.process.runs):
                await asyncio.sleep(_LOOK_SECONDS)
            async with replica.lock:
                if ready and not (replica.was_ready and replica.process.runs):
                    continue
                self._account_for(replica)
                try:
                    yield replica
                finally:
                    replica.left_alone = time.monotonic()
                return

    async def _start(self, replica: Replica) -> None:
        replica.was_ready = False
        replica.started = time.monotonic()
        await replica.process.start()

    def _account_for(self, replica: Replica) -> None:
        """Note the end of a process that nobody has ended."""
        if replica.process.runs:
            return
        if not replica.was_ready and (self.away or replica.started < self.back_at):
            self.started_in_vain += 1
        else:
            when = "after it was ready" if replica.was_ready else "at its start"
            assert replica.process._process
            code = replica.process._process.returncode or 0
            self.wrong.append(f"{replica.name} {how_it_ended(code)} {when}")

    async def _watch(self, replica: Replica) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if replica.lock.locked():
                continue
            if not replica.process.runs:
                async with replica.lock:
                    self._account_for(replica)
                    await asyncio.sleep(_PAUSE_SECONDS)
                    await self._start(replica)
                continue
            started, begun = replica.started, time.monotonic()
            problem = await self._problem(replica)
            if not replica.lock.locked() and replica.started == started:
                replica.looked = (begun, time.monotonic(), problem)
                replica.was_ready |= problem is None

    async def _problem(self, replica: Replica) -> str | None:
        """Tell what the replica is not ready for; None when it is."""
        try:
            answer = await self._http.get(f"{replica.process.url}/health/ready")
        except httpx2.TransportError as error:
            return type(error).__name__
        return None if answer.is_success else answer.text


@contextlib.asynccontextmanager
async def watched(running: Running, *, session_seconds: float) -> AsyncIterator[Fleet]:
    """Keep the replicas of a running system up meanwhile."""
    replicas = {
        f"{name}-{number}": Replica(f"{name}-{number}", process)
        for name, processes in running.processes.items()
        for number, process in enumerate(processes)
    }
    async with httpx2.AsyncClient(timeout=5, trust_env=False) as http:
        fleet = Fleet(replicas, session_seconds, http)
        watches = [asyncio.create_task(fleet._watch(r)) for r in replicas.values()]
        try:
            yield fleet
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)
