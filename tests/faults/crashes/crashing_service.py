"""A service that dies on order: `python -P -m tests.faults.crashes.crashing_service SERVICE`.

The environment says how:

    CRASH_AT       points of tests.faults.crashes.crash_points, separated by "; ": the service is started
                   for each, until it has died there by SIGKILL, and then once more for good
    CRASH_ON       it dies when it passes the point for so many times (1)
    CRASH_SECONDS  a point that is not reached in so many seconds (30) is given up
    HOLD_AT        "request" (to a provider) waits until the file HOLD_UNTIL is there
    PLANTED_BUG    a mistake of tests.faults.crashes.planted_bugs that the service is to make

Every life is forked from a process that has imported everything, which takes a second each.
"""

import ctypes
import importlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import NoReturn

from ops.local.supervised_process import end_with_supervisor
from tests.faults.crashes.io_steps import Steps, install, tell
from tests.faults.crashes.planted_bugs import plant

_PR_SET_PDEATHSIG = 1
_TELL_SECONDS = 0.3

_told_to_stop = False


def main() -> NoReturn:
    """Live as often as there are points, and once more; end as the last life ended."""
    [service] = sys.argv[1:]
    end_with_supervisor()
    importlib.import_module(f"services.{service}.main")
    points = list(filter(None, os.environ.get("CRASH_AT", "").split("; ")))
    for point in points:
        code = _live(service, point, float(os.environ.get("CRASH_SECONDS", "30")))
        if code != -signal.SIGKILL:
            sys.exit(code)
        if _told_to_stop:
            break
    sys.exit(_live(service))


def _live(service: str, crash_at: str | None = None, seconds: float = 0) -> int:
    """Run one life; give its exit code, or the negative number of the signal that ended it.

    One that follows a life which died amid its stop is told to stop until it does.
    """
    parent = os.getpid()
    if (pid := os.fork()) == 0:
        _be(service, crash_at, parent)

    def stop(number: int, frame: FrameType | None) -> None:
        global _told_to_stop  # noqa: PLW0603 - a signal handler has no other way
        _told_to_stop = True
        os.kill(pid, signal.SIGTERM)

    def give_up(number: int, frame: FrameType | None) -> None:
        tell("not_reached", point=str(crash_at))
        os.kill(pid, signal.SIGKILL)

    signal.signal(signal.SIGTERM, stop)
    if _told_to_stop:
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, _TELL_SECONDS, _TELL_SECONDS)
    else:
        signal.signal(signal.SIGALRM, give_up)
        signal.setitimer(signal.ITIMER_REAL, seconds)
    _, status = os.waitpid(pid, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return os.waitstatus_to_exitcode(status)


def _be(service: str, crash_at: str | None, parent: int) -> NoReturn:
    """Be the service, in a process of its own that dies with its parent."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    # Until the service listens to it; whoever means it says it again.
    signal.signal(signal.SIGTERM, signal.SIG_IGN if _told_to_stop else signal.SIG_DFL)
    steps = _steps(service, crash_at, os.environ)
    install(service, steps)
    if bug := os.environ.get("PLANTED_BUG"):
        plant(bug, steps)
    importlib.import_module(f"services.{service}.main").main()
    sys.exit("the service ended without saying how")


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
