"""The one line of a server's log that best explains why it ended."""

import json
import os
import shutil
from errno import ENOSPC
from pathlib import Path
from typing import Any

_DISK_IS_FULL = "the disk is full"
# Less than this is nothing to a server.
_NO_ROOM_BYTES = 1_000_000
# The severities of MongoDB's structured log.
_SEVERE = ("E", "F")
_READ_BYTES = 1_000_000
_MAX_LENGTH = 200


def exit_reason(log_file: Path) -> str:
    """Return why the server ended, on one line and never as JSON."""
    with log_file.open("rb") as log:
        log.seek(max(0, log_file.stat().st_size - _READ_BYTES))
        lines = [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    # On a full disk, the line that would say so may be missing.
    no_room = shutil.disk_usage(log_file.parent).free < _NO_ROOM_BYTES
    if no_room or any(os.strerror(ENOSPC) in line for line in lines):
        return f"{_DISK_IS_FULL} ({log_file.parent})"
    if not lines:
        return "its log is empty"
    entries = [entry for line in lines if (entry := json_entry(line))]
    # Of MongoDB's the first error is the cause; what follows is how it gives up.
    severe = [_message(entry) for entry in entries if entry.get("s") in _SEVERE]
    reason = (severe or ["its log names no error"])[0] if entries else lines[-1]
    reason = " ".join(reason.split())
    return reason if len(reason) <= _MAX_LENGTH else f"{reason[: _MAX_LENGTH - 1]}…"


def json_entry(line: str) -> dict[str, Any] | None:
    """Return the entry of a structured log that the line is, if it is one."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _message(entry: dict[str, Any]) -> str:
    attributes = entry.get("attr")
    error = attributes.get("error") if isinstance(attributes, dict) else None
    if isinstance(error, dict):
        error = error.get("errmsg")
    return f"{entry.get('msg')}: {error}" if error else str(entry.get("msg"))
