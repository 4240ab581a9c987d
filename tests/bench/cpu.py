"""The CPU time of the processes below this one, by what they are (Linux's /proc)."""

import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from contracts.services import SERVICES

_TICKS = os.sysconf("SC_CLK_TCK")
# Names of processes by an argument of their command lines; services have `run <service>`.
_MARKS = {
    "tests.providers.openai": "fake openai",
    "tests.providers.sendgrid": "fake sendgrid",
    "kafka.Kafka": "kafka",
    "noida-db": "kafka",
    "mongod": "mongod",
    "up": "up",
    "celery": "celery",
    "tests.bench.peer.app": "enqueuer",
    "redis-server": "redis",
}
# In /proc/<pid>/stat after the name: the parent, and utime, stime, cutime, cstime.
_PARENT, _TIMES = 1, slice(11, 15)


def seconds() -> dict[str, float]:
    """Return the CPU seconds that each kind of process below this one has used so far."""
    used: dict[str, float] = {}
    stats = _stats()
    for pid, fields in stats.items():
        if _is_below(pid, stats) and (name := _name(pid)):
            used[name] = used.get(name, 0.0) + sum(map(int, fields[_TIMES])) / _TICKS
    return used


def between(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return the CPU seconds used between two readings, for processes in both."""
    return {name: after[name] - before[name] for name in before if name in after}


def _stats() -> dict[int, list[str]]:
    stats = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                # The name stands in parentheses and may hold anything.
                stats[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
    return stats


def _is_below(pid: int, stats: Mapping[int, list[str]]) -> bool:
    while pid in stats:
        pid = int(stats[pid][_PARENT])
        if pid == os.getpid():
            return True
    return False


def _name(pid: int) -> str | None:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return None
    if "tests.bench.floor" in arguments:
        return arguments[arguments.index("tests.bench.floor") + 1]
    for argument, following in pairwise(arguments):
        if argument == "run" and following in SERVICES:
            return following
    names = (_MARKS.get(Path(argument).name) for argument in arguments)
    return next(filter(None, names), None)
