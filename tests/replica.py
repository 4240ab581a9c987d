"""One replica of a service as a real process: started, watched, stopped or killed."""

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2

from ops.signals import describe_exit

READY_SECONDS = 60.0
# A provider call in flight may take a while; see chassis.service.DRAIN_SECONDS.
STOP_SECONDS = 20.0
RUN = (sys.executable, "-P", "-m", "ops.cli", "run")
_TAIL_LINES = 25


@dataclass
class Process:
    """One replica of a service. It keeps its port and its log from start to start.

    Each start is `command` with the service's name, in `environment`.
    """

    service: str
    url: str
    log: Path
    environment: Mapping[str, str]
    command: Sequence[str] = RUN
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
        """Start it; see `ready`."""
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                self.service,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.log.parent,
                env=self.environment,
            )

    async def ready(self, http: httpx2.AsyncClient) -> None:
        """Wait until `/health/ready` answers 2xx."""
        deadline = time.monotonic() + READY_SECONDS
        answer = "nothing answers"
        while time.monotonic() < deadline:
            assert self._process
            if (code := self._process.returncode) is not None:
                raise AssertionError(f"{self.service} {describe_exit(code)} at its start")
            with contextlib.suppress(httpx2.TransportError):
                response = await http.get(f"{self.url}/health/ready")
                if response.is_success:
                    return
                answer = response.text
            await asyncio.sleep(0.1)
        raise AssertionError(f"{self.service} is not ready in {READY_SECONDS:.0f} s: {answer}")

    async def end(self, number: signal.Signals) -> None:
        """Send the signal and wait; assert that SIGTERM leads to exit code 0 in time."""
        assert self._process
        if not self.runs:
            code = self._process.returncode or 0
            raise AssertionError(f"{self.service} {describe_exit(code)} before it was signalled")
        self._process.send_signal(number)
        try:
            code = await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise AssertionError(f"{self.service} did not stop in {STOP_SECONDS:.0f} s") from None
        expected = 0 if number == signal.SIGTERM else -number
        assert code == expected, f"{self.service} {describe_exit(code)}"

    def errors(self) -> list[str]:
        """Return the lines that are errors, or no log entries."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(errors="replace").splitlines()
        return [f"{self.log.stem}: {line}" for line in lines if _is_bad(line)]

    def last_lines(self) -> str:
        """Return the end of its log, for a failure's report."""
        if not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join([f"--- the end of {self.log.name}", *lines])


def _is_bad(line: str) -> bool:
    try:
        entry = json.loads(line)
        # aiokafka logs as errors what it recovers from, such as rebalances.
        ours = not entry["logger"].startswith("aiokafka.")
        return ours and entry["level"] in ("error", "critical")
    except (ValueError, LookupError, TypeError):
        return True
