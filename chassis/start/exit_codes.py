"""How a process ends: an exit code and, unless it was stopped in order, one line that says why."""

import sys
from enum import IntEnum
from typing import NoReturn


class ExitCode(IntEnum):
    """Those of sysexits.h, where it has one."""

    STOPPED = 0
    FAILED = 1
    UNREACHABLE = 69
    """A server cannot be reached."""
    CONTRADICTION = 70
    """Log and topics contradict each other."""
    MISSING = 72
    """A topic, an index or the replica set is missing."""
    REFUSED = 77
    """Credentials or rights were refused."""
    WRONG_SETTING = 78


class StartError(Exception):
    """Why a process cannot start: the line for people names setting, host, cause, next command."""

    def __init__(self, code: ExitCode, line: str) -> None:
        super().__init__(line)
        self.code = code


def end(error: StartError) -> NoReturn:
    """End the process with the error's one line on stderr, and its exit code."""
    line = " ".join(str(error).split())
    sys.stderr.write(f"realtoros: {line}\n")
    sys.exit(error.code)
