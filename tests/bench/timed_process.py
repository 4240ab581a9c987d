"""A replay process, timed, with its memory and output (Linux's /proc)."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.topics.rebuild import BUILT
from tests.bench import cpu as processes
from tests.bench.results import InvalidRun

_ROOT = Path(__file__).parents[2]
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class TimedRun:
    """A finished process: `seconds` until the state was built, then `digests` seconds to its end.

    `cpu` and `mongodb`: CPU seconds of the process and of a MongoDB started here, until built;
    `memory`: resident sizes in MB until built, `peak` the largest until the end.
    """

    seconds: float
    digests: float
    cpu: float
    mongodb: float
    memory: Sequence[float]
    peak: float
    lines: Sequence[str]

    def memory_at(self, percent: int) -> float:
        """Return the resident size after this percentage of the time."""
        return self.memory[min(len(self.memory) - 1, len(self.memory) * percent // 100)]


class _ProcessWatch:
    """Watches a process until it reports that the state is built, or ends."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._used, self._started = processes.seconds(), time.monotonic()
        self.memory: list[float] = []
        self.peak, self.cpu, self.mongodb, self.seconds = 0.0, 0.0, 0.0, 0.0
        self.built = False

    @property
    def passed(self) -> float:
        """The seconds since the process was started."""
        return time.monotonic() - self._started

    def sample(self) -> None:
        """Sample its sizes and times."""
        now, self.peak, cpu = _sizes(self._pid) or (0.0, self.peak, self.cpu)
        if not self.built:
            self.seconds, self.cpu = self.passed, cpu
            self.memory += [now] * bool(now)

    async def read(self, errors: asyncio.StreamReader) -> str:
        """Read its error output to the end."""
        text = ""
        async for line in errors:
            text += line.decode(errors="replace")
            if BUILT in line.decode(errors="replace").split():
                self.end_building()
        self.end_building()
        return text

    def end_building(self) -> None:
        """End the building phase."""
        if not self.built:
            self.sample()
            used = processes.between(self._used, processes.seconds())
            self.mongodb, self.built = used.get("mongod", 0.0), True


async def run_timed(module: str, *arguments: str, environment: Mapping[str, str]) -> TimedRun:
    """Run `python -m MODULE ARGUMENTS`. Raises InvalidRun unless its exit code is 0."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", module, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | environment | {"PYTHONPATH": str(_ROOT)},
    )
    output: Any = process.stdout
    errors: Any = process.stderr
    watch = _ProcessWatch(process.pid)
    ended = asyncio.gather(output.read(), watch.read(errors), process.wait())
    try:
        while not (await asyncio.wait((ended,), timeout=_LOOK_SECONDS))[0]:
            watch.sample()
    finally:
        if process.returncode is None:
            process.kill()
    printed, text, status = await ended
    if status:
        raise InvalidRun(f"{module} {' '.join(arguments)}: {text[-1000:]}")
    return TimedRun(
        watch.seconds,
        watch.passed - watch.seconds,
        watch.cpu,
        watch.mongodb,
        watch.memory,
        watch.peak,
        printed.decode().splitlines(),
    )


def _sizes(pid: int) -> tuple[float, float, float] | None:
    """Return resident size and its peak in MB, and CPU seconds; None if the process has ended."""
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
