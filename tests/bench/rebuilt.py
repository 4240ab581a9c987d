"""A process that reads topics, timed, with its memory and what it printed (Linux's /proc)."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import cpu as processes
from tests.bench.measured import Wrong

_ROOT = Path(__file__).parents[2]
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Rebuilt:
    """What a process did: `memory` is its resident size in MB over the time, `peak` the most.

    `cpu` are the seconds that it used itself, `mongodb` those of a server that was started here.
    """

    seconds: float
    cpu: float
    mongodb: float
    memory: Sequence[float]
    peak: float
    lines: Sequence[str]

    def memory_at(self, percent: int) -> float:
        """Give the resident size when so much of the time had passed."""
        return self.memory[min(len(self.memory) - 1, len(self.memory) * percent // 100)]


async def rebuild(module: str, *arguments: str, environment: Mapping[str, str]) -> Rebuilt:
    """Run `python -m MODULE ARGUMENTS` to its end. Raises Wrong when that is not 0."""
    before, started = processes.seconds(), time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", module, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | environment | {"PYTHONPATH": str(_ROOT)},
    )
    ended = asyncio.create_task(process.communicate())
    memory, peak, cpu = [0.0], 0.0, 0.0
    try:
        while not (await asyncio.wait((ended,), timeout=_LOOK_SECONDS))[0]:
            now, peak, cpu = _sizes(process.pid) or (memory[-1], peak, cpu)
            memory.append(now)
    finally:
        if process.returncode is None:
            process.kill()
    output, errors = await ended
    seconds = time.monotonic() - started
    if process.returncode:
        raise Wrong(f"{module} {' '.join(arguments)}: {errors.decode(errors='replace')[-1000:]}")
    mongodb = processes.between(before, processes.seconds()).get("mongod", 0.0)
    return Rebuilt(seconds, cpu, mongodb, memory[1:], peak, output.decode().splitlines())


def _sizes(pid: int) -> tuple[float, float, float] | None:
    """Give resident size and its peak in MB, and CPU seconds; None when the process has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    sizes = {
        name: int(rest.split()[0]) / 1024
        for name, _, rest in (line.partition(":") for line in status.splitlines())
        if name in ("VmRSS", "VmHWM")
    }
    if len(sizes) < 2:
        return None
    return (
        sizes["VmRSS"],
        sizes["VmHWM"],
        (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"),
    )
