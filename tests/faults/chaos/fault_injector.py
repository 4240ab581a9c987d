"""Injects the faults of a schedule into a running system."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ops.servers.server_process import NotStarted
from tests.faults.chaos.crashable_stores import Store
from tests.faults.chaos.fault_schedule import BY_PROCESS, Fault
from tests.faults.chaos.replica_supervisor import ReplicaSupervisor
from tests.faults.tcp_proxy import Proxy
from tests.servers.apache_kafka import NotAvailable

_SLOW_SECONDS = 0.03


@dataclass
class FaultInjector:
    """Injects faults and records the results.

    `recoveries`: after each outage, the seconds until every service was ready again.
    """

    supervisor: ReplicaSupervisor
    stores: Mapping[str, Store]
    proxies: Mapping[str, Proxy]
    injected: list[Fault] = field(default_factory=list)
    recoveries: dict[Fault, float] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    # One outage at a time, so that each recovery can be measured.
    _one_outage: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self, faults: Sequence[Fault]) -> None:
        """Inject each fault at its time, or as soon as its target is free."""
        begin = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                group.create_task(self._inject_at(begin + fault.at, fault))

    async def _inject_at(self, moment: float, fault: Fault) -> None:
        await asyncio.sleep(moment - time.monotonic())
        try:
            await self._inject(fault)
        except (NotStarted, NotAvailable):
            # Without its stores the system cannot recover.
            raise
        except Exception as error:  # noqa: BLE001 - reported after the other faults
            self.violations.append(f"{fault}: {type(error).__name__}: {error}")
        else:
            self.injected.append(fault)

    async def _inject(self, fault: Fault) -> None:
        match fault.kind:
            case "kill":
                await self.supervisor.kill(fault.target, fault.seconds)
            case "stop":
                await self.supervisor.stop(fault.target, fault.seconds)
            case "roll":
                await self.supervisor.roll(fault.target)
            case _ if fault.is_outage:
                async with self._one_outage:
                    await self._outage(fault)
            case _:
                await self._break(fault)

    async def _outage(self, fault: Fault) -> None:
        self.supervisor.outage_active = True
        try:
            await self._break(fault)
        finally:
            self.supervisor.outage_active, self.supervisor.outage_ended_at = False, time.monotonic()
        self.recoveries[fault] = await self.supervisor.recovered(self.supervisor.outage_ended_at)

    async def _break(self, fault: Fault) -> None:
        if fault.kind in BY_PROCESS:
            await self._break_process(self.stores[fault.target], fault)
        else:
            await self._break_connections(self.proxies[fault.target], fault)

    async def _break_process(self, store: Store, fault: Fault) -> None:
        if fault.kind == "restart":
            await store.end()
            await asyncio.sleep(fault.seconds)
            await store.start()
            return
        store.freeze()
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            store.thaw()

    async def _break_connections(self, proxy: Proxy, fault: Fault) -> None:
        match fault.kind:
            case "away":
                proxy.refuses = True
                proxy.cut()
            case "cut":
                proxy.cut()
            case "silent":
                proxy.pause()
            case "slow":
                proxy.delay = _SLOW_SECONDS
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            proxy.refuses, proxy.delay = False, 0.0
            proxy.resume()
