"""The faults of a chaos run: drawn from a seed beforehand, so that a run can be repeated."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from ops.servers.server_process import NotStarted
from ops.services import SERVICES
from tests.faults.chaos.crashable_stores import Store
from tests.faults.chaos.fleet import Fleet
from tests.faults.tcp_proxy import Proxy
from tests.servers.apache_kafka import NotAvailable

Kind = Literal["kill", "stop", "roll", "cut", "away", "silent", "slow", "frozen", "restart"]
T = TypeVar("T")

STORES = ("mongodb", "kafka")
_SLOW_SECONDS = 0.03
# What a process that was stopped this long finds: its claim is over, and longer still, given up.
LEASE_SECONDS = 4.0
CALL_SECONDS = 2.0
_BEYOND_THE_CLAIM = (LEASE_SECONDS + 1, LEASE_SECONDS + 2.5)
_BEYOND_GIVING_UP = (CALL_SECONDS * 1.5 + 6, CALL_SECONDS * 1.5 + 7.5)
# What a proxy can do, and what a process can.
_BY_PROXY: tuple[Kind, ...] = ("cut", "away", "silent", "slow")
_BY_PROCESS: tuple[Kind, ...] = ("frozen", "restart")
# Seconds between the faults of a sort, on average.
_EVERY = {"kill": 4.2, "stop": 12.0, "roll": 45.0, "store": 13.0, "provider": 25.0}


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something that breaks: `at` seconds after the beginning, for `seconds`.

    kill: SIGKILL, started again so much later. stop: SIGSTOP, then SIGCONT. roll: every replica
    of the service, one after the other, SIGTERM and started again. To a store or provider: its
    connections are cut (and may come back at once), refused (away) or lead nowhere (silent); it
    gets slow, is SIGSTOPped (frozen), or is killed and started again (restart).
    `target`: a replica as `mailer-0`, a service (roll), a store or a provider.
    """

    at: float
    kind: Kind
    target: str
    seconds: float = 0.0

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.at:6.1f}  {self.kind} {self.target}{lasting}"

    @property
    def is_outage(self) -> bool:
        """Whether a store or broker is out of reach meanwhile."""
        return self.target in STORES and self.kind != "slow"


def forecast(seed: int, seconds: float, *, replicas: int, kafka_has_proxy: bool) -> list[Fault]:
    """Draw what happens within so many seconds; the same for the same arguments."""
    draw = random.Random(seed)
    every = [f"{name}-{number}" for name in SERVICES for number in range(replicas)]
    mortal = _endlessly(draw, every)
    workers = [t for t in every if t.startswith(("scheduler", "composer", "mailer"))]
    # The first and longest meets mailer: only its calls must not be made twice.
    stopped = _endlessly(draw, workers, first="mailer-0")
    rolled = _endlessly(draw, SERVICES)
    of_store = {
        "mongodb": _endlessly(draw, (*_BY_PROXY, *_BY_PROCESS)),
        # Without a proxy it is the embedded broker: what that acknowledges while it saves itself at
        # SIGTERM is gone, so that a restart under load would lose records by itself (ADR 5).
        "kafka": _endlessly(draw, (*_BY_PROXY, *_BY_PROCESS) if kafka_has_proxy else ("frozen",)),
    }
    of_provider = _endlessly(draw, [(k, p) for k in _BY_PROXY for p in ("sendgrid", "openai")])
    faults = [
        Fault(at, "kill", next(mortal), _drawn(draw, 0, 1.5))
        for at in _times(draw, seconds, "kill")
    ]
    for number, at in enumerate(_times(draw, seconds, "stop")):
        lasting = _BEYOND_THE_CLAIM if number % 2 else _BEYOND_GIVING_UP
        faults.append(Fault(at, "stop", next(stopped), _drawn(draw, *lasting)))
    faults += [Fault(at, "roll", next(rolled)) for at in _times(draw, seconds, "roll")]
    for number, at in enumerate(_times(draw, seconds, "store")):
        store = STORES[number % 2]
        kind = next(of_store[store])
        faults.append(Fault(at, kind, store, 0.0 if kind == "cut" else _drawn(draw, 2, 6)))
    for at in _times(draw, seconds, "provider"):
        kind, provider = next(of_provider)
        faults.append(Fault(at, kind, provider, 0.0 if kind == "cut" else _drawn(draw, 1, 5)))
    return sorted(faults)


def counts(faults: Sequence[Fault]) -> Counter[str]:
    """Count by sort: SIGKILL, SIGSTOP beyond the claim, rolling restarts, outages, the rest."""
    names = {
        "kill": "SIGKILL",
        "stop": "SIGSTOP beyond the claim",
        "roll": "rolling restarts",
    }
    return Counter(
        "outages" if f.is_outage else names.get(f.kind, "provider faults, slow stores")
        for f in faults
    )


def _times(draw: random.Random, seconds: float, sort: str) -> list[float]:
    """Draw one time in each of as many equal parts as fit."""
    count = max(1, int(seconds / _EVERY[sort]))
    part = seconds / count
    return [_drawn(draw, number * part, (number + 1) * part) for number in range(count)]


def _drawn(draw: random.Random, least: float, most: float) -> float:
    return round(draw.uniform(least, most), 2)


def _endlessly(draw: random.Random, choices: Sequence[T], first: T | None = None) -> Iterator[T]:
    """Give all choices in a drawn order, then in another, and so on; `first` before them."""
    if first is not None:
        yield first
    while True:
        yield from draw.sample(choices, len(choices))


@dataclass
class Weather:
    """Carries faults out, and tells what came of it.

    `recoveries`: after each outage, the seconds until every service was ready again.
    """

    fleet: Fleet
    stores: Mapping[str, Store]
    proxies: Mapping[str, Proxy]
    carried_out: list[Fault] = field(default_factory=list)
    recoveries: dict[Fault, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    # One outage after the other, so that each one's recovery can be told.
    _one_outage: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self, faults: Sequence[Fault]) -> None:
        """Carry all out at their times, or as soon as what they are meant for is free."""
        begin = time.monotonic()
        async with asyncio.TaskGroup() as all_:
            for fault in faults:
                all_.create_task(self._at(begin + fault.at, fault))

    async def _at(self, moment: float, fault: Fault) -> None:
        await asyncio.sleep(moment - time.monotonic())
        try:
            await self._carry_out(fault)
        except (NotStarted, NotAvailable):
            # Without its stores nothing would ever recover.
            raise
        except Exception as error:  # noqa: BLE001 - told in the report, after the others
            self.wrong.append(f"{fault}: {type(error).__name__}: {error}")
        else:
            self.carried_out.append(fault)

    async def _carry_out(self, fault: Fault) -> None:
        match fault.kind:
            case "kill":
                await self.fleet.kill(fault.target, fault.seconds)
            case "stop":
                await self.fleet.stop(fault.target, fault.seconds)
            case "roll":
                await self.fleet.roll(fault.target)
            case _ if fault.is_outage:
                async with self._one_outage:
                    await self._outage(fault)
            case _:
                await self._break(fault)

    async def _outage(self, fault: Fault) -> None:
        self.fleet.away = True
        try:
            await self._break(fault)
        finally:
            self.fleet.away, self.fleet.back_at = False, time.monotonic()
        self.recoveries[fault] = await self.fleet.recovered(self.fleet.back_at)

    async def _break(self, fault: Fault) -> None:
        if fault.kind in _BY_PROCESS:
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
