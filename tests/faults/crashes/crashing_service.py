"""A service that crashes at given points: `-m tests.faults.crashes.crashing_service SERVICE`.

The environment says how:

    CRASH_AT       points of tests.faults.crashes.crash_points, separated by "; ": the service runs
                   once for each, until SIGKILL at the point, and then once without a crash
    CRASH_ON       which passage of the point crashes (1)
    CRASH_SECONDS  a point that is not reached in so many seconds (30) is skipped
    HOLD_AT        "request" (to a provider) or "letter" (of templates) waits until the file
                   HOLD_UNTIL exists
    PLANTED_BUG    a bug of tests.faults.crashes.planted_bugs to plant in the service

Every run is forked from a process that has imported everything, which would take a second each.
"""

import importlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import NoReturn

from ops.local.supervised_process import end_with_supervisor
from ops.signals import follow_parent
from tests.faults.crashes.io_steps import Steps, install, write_log_entry
from tests.faults.crashes.planted_bugs import plant

_STOP_RETRY_SECONDS = 0.3

_stop_requested = False


def main() -> NoReturn:
    """Run once for each point, and once more; exit as the last run did."""
    [service] = sys.argv[1:]
    end_with_supervisor()
    importlib.import_module(f"services.{service}.main")
    points = list(filter(None, os.environ.get("CRASH_AT", "").split("; ")))
    for point in points:
        code = _run_once(service, point, float(os.environ.get("CRASH_SECONDS", "30")))
        if code != -signal.SIGKILL:
            sys.exit(code)
        if _stop_requested:
            break
    sys.exit(_run_once(service))


def _run_once(service: str, crash_at: str | None = None, seconds: float = 0) -> int:
    """Run the service once; return its exit code, or the negative number of the signal.

    If an earlier run crashed while it was being stopped, this one gets SIGTERM until it stops.
    """
    parent = os.getpid()
    if (pid := os.fork()) == 0:
        _run_service(service, crash_at, parent)

    def stop(number: int, frame: FrameType | None) -> None:
        global _stop_requested  # noqa: PLW0603 - a signal handler has no other way
        _stop_requested = True
        os.kill(pid, signal.SIGTERM)

    def give_up(number: int, frame: FrameType | None) -> None:
        write_log_entry("not_reached", point=str(crash_at))
        os.kill(pid, signal.SIGKILL)

    signal.signal(signal.SIGTERM, stop)
    if _stop_requested:
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, _STOP_RETRY_SECONDS, _STOP_RETRY_SECONDS)
    else:
        signal.signal(signal.SIGALRM, give_up)
        signal.setitimer(signal.ITIMER_REAL, seconds)
    _, status = os.waitpid(pid, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return os.waitstatus_to_exitcode(status)


def _run_service(service: str, crash_at: str | None, parent: int) -> NoReturn:
    """Run the service in this child process, which dies with its parent."""
    if not follow_parent(parent, signal.SIGKILL):
        os._exit(1)
    # Until the service handles it; the parent repeats it.
    signal.signal(signal.SIGTERM, signal.SIG_IGN if _stop_requested else signal.SIG_DFL)
    steps = _steps(service, crash_at, os.environ)
    install(service, steps)
    if bug := os.environ.get("PLANTED_BUG"):
        plant(bug, steps)
    importlib.import_module(f"services.{service}.main").main()
    sys.exit("the service ended without an exit code")


def _steps(service: str, crash_at: str | None, environment: Mapping[str, str]) -> Steps:
    until = environment.get("HOLD_UNTIL")
    return Steps(
        service,
        crash_at,
        int(environment.get("CRASH_ON", "1")),
        environment.get("HOLD_AT"),
        Path(until) if until else None,
    )


if __name__ == "__main__":
    main()
