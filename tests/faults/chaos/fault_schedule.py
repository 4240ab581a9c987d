"""The schedule of faults of a chaos run, drawn from a seed so that a run can be repeated."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from contracts.services import SERVICES

Kind = Literal["kill", "stop", "roll", "cut", "away", "silent", "slow", "frozen", "restart"]
T = TypeVar("T")

STORES = ("mongodb", "kafka")
# A process that was stopped this long finds its claim expired, or longer, its attempt given up.
LEASE_SECONDS = 4.0
CALL_SECONDS = 2.0
_BEYOND_THE_CLAIM = (LEASE_SECONDS + 1, LEASE_SECONDS + 2.5)
_BEYOND_GIVING_UP = (CALL_SECONDS * 1.5 + 6, CALL_SECONDS * 1.5 + 7.5)
# The faults of a proxy, and of a process.
_BY_PROXY: tuple[Kind, ...] = ("cut", "away", "silent", "slow")
BY_PROCESS: tuple[Kind, ...] = ("frozen", "restart")
# Mean seconds between the faults of a kind.
_EVERY = {"kill": 4.2, "stop": 12.0, "roll": 45.0, "store": 13.0, "provider": 25.0}


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault: `at` seconds after the start, for `seconds`.

    kill: SIGKILL, restarted after `seconds`. stop: SIGSTOP, then SIGCONT. roll: a rolling
    restart of a service. Of a store or provider: connections are reset (cut), refused (away) or
    left unanswered (silent); it is slow, SIGSTOPped (frozen), or killed and restarted (restart).
    `target`: a replica such as `mailer-0`, a service (roll), a store or a provider.
    """

    at: float
    kind: Kind
    target: str
    seconds: float = 0.0

    def __str__(self) -> str:
        duration = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.at:6.1f}  {self.kind} {self.target}{duration}"

    @property
    def is_outage(self) -> bool:
        """Whether MongoDB or Kafka is unreachable meanwhile."""
        return self.target in STORES and self.kind != "slow"


def draw_schedule(
    seed: int, seconds: float, *, replicas: int, kafka_has_proxy: bool
) -> list[Fault]:
    """Draw the faults of so many seconds; the same arguments give the same schedule."""
    draw = random.Random(seed)
    targets = [f"{name}-{number}" for name in SERVICES for number in range(replicas)]
    killed = _endlessly(draw, targets)
    workers = [t for t in targets if t.startswith(("scheduler", "composer", "mailer"))]
    # The first and longest stop hits mailer: only its calls must not be repeated.
    stopped = _endlessly(draw, workers, first="mailer-0")
    rolled = _endlessly(draw, SERVICES)
    of_store = {
        "mongodb": _endlessly(draw, (*_BY_PROXY, *BY_PROCESS)),
        # Without a proxy it is the embedded broker: it loses what it acknowledges while it saves
        # its data at SIGTERM, so that a restart under load would lose records (ADR 5).
        "kafka": _endlessly(draw, (*_BY_PROXY, *BY_PROCESS) if kafka_has_proxy else ("frozen",)),
    }
    of_provider = _endlessly(draw, [(k, p) for k in _BY_PROXY for p in ("sendgrid", "openai")])
    faults = [
        Fault(at, "kill", next(killed), _drawn(draw, 0, 1.5))
        for at in _times(draw, seconds, "kill")
    ]
    for number, at in enumerate(_times(draw, seconds, "stop")):
        duration = _BEYOND_THE_CLAIM if number % 2 else _BEYOND_GIVING_UP
        faults.append(Fault(at, "stop", next(stopped), _drawn(draw, *duration)))
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
    """Count by kind: SIGKILL, SIGSTOP beyond the claim, rolling restarts, outages, others."""
    names = {
        "kill": "SIGKILL",
        "stop": "SIGSTOP beyond the claim",
        "roll": "rolling restarts",
    }
    return Counter(
        "outages" if f.is_outage else names.get(f.kind, "provider faults, slow stores")
        for f in faults
    )


def _times(draw: random.Random, seconds: float, kind: str) -> list[float]:
    """Draw one time in each of as many equal intervals as fit."""
    count = max(1, int(seconds / _EVERY[kind]))
    interval = seconds / count
    return [_drawn(draw, number * interval, (number + 1) * interval) for number in range(count)]


def _drawn(draw: random.Random, least: float, most: float) -> float:
    return round(draw.uniform(least, most), 2)


def _endlessly(draw: random.Random, choices: Sequence[T], first: T | None = None) -> Iterator[T]:
    """Yield `first`, then all choices in one drawn order after another, without end."""
    if first is not None:
        yield first
    while True:
        yield from draw.sample(choices, len(choices))
