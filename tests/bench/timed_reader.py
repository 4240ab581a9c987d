"""A process that reads topics, timed, with its memory and what it printed (Linux's /proc)."""

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
from tests.bench.results import Wrong

_ROOT = Path(__file__).parents[2]
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Rebuilt:
    """What a process did: `seconds` until it had built all, `digests` seconds more to its end.

    `cpu` are the seconds that it used itself until then, `mongodb` those of a server that was
    started here; `memory` is its resident size in MB over that time, `peak` the most to its end.
    """

    seconds: float
    digests: float
    cpu: float
    mongodb: float
    memory: Sequence[float]
    peak: float
    lines: Sequence[str]

    def memory_at(self, percent: int) -> float:
        """Give the resident size when so much of the time had passed."""
        return self.memory[min(len(self.memory) - 1, len(self.memory) * percent // 100)]


class _Watch:
    """Looks at a process until it says that all is built, or ends."""

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

    def look(self) -> None:
        """Note its sizes and times."""
        now, self.peak, cpu = _sizes(self._pid) or (0.0, self.peak, self.cpu)
        if not self.built:
            self.seconds, self.cpu = self.passed, cpu
            self.memory += [now] * bool(now)

    async def read(self, errors: asyncio.StreamReader) -> str:
        """Read what it says, to its end."""
        said = ""
        async for line in errors:
            said += line.decode(errors="replace")
            if BUILT in line.decode(errors="replace").split():
                self.end()
        self.end()
        return said

    def end(self) -> None:
        """Let the first part end here."""
        if not self.built:
            self.look()
            used = processes.between(self._used, processes.seconds())
            self.mongodb, self.built = used.get("mongod", 0.0), True


async def rebuild(module: str, *arguments: str, environment: Mapping[str, str]) -> Rebuilt:
    """Run `python -m MODULE ARGUMENTS` to its end. Raises Wrong when that is not 0."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", module, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | environment | {"PYTHONPATH": str(_ROOT)},
    )
    output: Any = process.stdout
    errors: Any = process.stderr
    watch = _Watch(process.pid)
    ended = asyncio.gather(output.read(), watch.read(errors), process.wait())
    try:
        while not (await asyncio.wait((ended,), timeout=_LOOK_SECONDS))[0]:
            watch.look()
    finally:
        if process.returncode is None:
            process.kill()
    printed, said, status = await ended
    if status:
        raise Wrong(f"{module} {' '.join(arguments)}: {said[-1000:]}")
    return Rebuilt(
        watch.seconds,
        watch.passed - watch.seconds,
        watch.cpu,
        watch.mongodb,
        watch.memory,
        watch.peak,
        printed.decode().splitlines(),
    )


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
